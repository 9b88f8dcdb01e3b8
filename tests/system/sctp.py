# SPDX-License-Identifier: MIT
"""SCTP's first two packets by raw sockets, for kernels without SCTP of their own.

sctp.py ask HOST PORT: send an INIT, print who answers it, from which port.
sctp.py answer PORT: answer one INIT, print who has sent it, and to which port.
"""
import socket
import struct
import sys

INIT, INIT_ACK = 1, 2
ASKER_PORT, ASKER_TAG, ANSWERER_TAG = 40000, 0x11111111, 0x22222222


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def packet(source, destination, tag, kind, own_tag, cookie=b''):
    # RFC 9260, 3.1 and 3.3.2; the cookie is parameter 7.
    body = struct.pack('>IIHHI', own_tag, 65536, 1, 1, 1)
    if cookie:
        body += struct.pack('>HH', 7, 4 + len(cookie)) + cookie
    chunk = struct.pack('>BBH', kind, 0, 4 + len(body)) + body
    head = struct.pack('>HHI', source, destination, tag)
    return head + struct.pack('<I', crc32c(head + bytes(4) + chunk)) + chunk


def open_socket(host):
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_RAW, 132)
    sock.settimeout(5)
    return sock


def receive(sock, port, kind):
    """Who has sent it, from which port, with which tag."""
    while True:
        data, sender = sock.recvfrom(2048)
        if sock.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        source, destination = struct.unpack('>HH', data[:4])
        if destination == port and data[12] == kind:
            head, check, chunk = data[:8], data[8:12], data[12:]
            assert struct.pack('<I', crc32c(head + bytes(4) + chunk)) == check, 'checksum'
            return sender[0], source, struct.unpack('>I', data[16:20])[0], data


def ask(host, port):
    sock = open_socket(host)
    sock.sendto(packet(ASKER_PORT, port, 0, INIT, ASKER_TAG), (host, 0))
    sender, source, tag, data = receive(sock, ASKER_PORT, INIT_ACK)
    assert tag == ANSWERER_TAG and data.endswith(b'the cookie!!')
    print(sender, source)


def answer(host, port):
    sock = open_socket(host)
    print('ready', flush=True)
    sender, source, tag, _ = receive(sock, port, INIT)
    sock.sendto(packet(port, source, tag, INIT_ACK, ANSWERER_TAG, b'the cookie!!'), (sender, 0))
    print(sender, source, flush=True)


{'ask': ask, 'answer': answer}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
