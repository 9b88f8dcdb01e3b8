# SPDX-License-Identifier: MIT
"""A router advertisement out of eth0: "I am the way to everywhere, and fd99::/64 is here"."""
import socket
import struct

source = bytes.fromhex('fe80000000000000' + '00000000000000aa')
target = bytes.fromhex('ff02000000000000' + '0000000000000001')
mac = bytes.fromhex('02aabbccddee')
prefix = struct.pack('!BBBBIII', 3, 4, 64, 0xc0, 3600, 3600, 0) + bytes.fromhex('fd99000000000000' + '0000000000000000')
message = struct.pack('!BBHBBHII', 134, 0, 0, 64, 0, 1800, 0, 0) + struct.pack('!BB', 1, 1) + mac + prefix


def checksum(data):
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


pseudo = source + target + struct.pack('!IHBB', len(message), 0, 0, 58)
message = message[:2] + struct.pack('!H', checksum(pseudo + message)) + message[4:]
packet = struct.pack('!IHBB', 6 << 28, len(message), 58, 255) + source + target + message
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
link.bind(('eth0', 0))
link.send(bytes.fromhex('333300000001') + mac + b'\x86\xdd' + packet)
