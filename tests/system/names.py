#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A DNS server to be asked, and a client that asks, both with nothing but Python.

names.py serve ADDRESS LOG     on port 53, UDP and TCP; each question is a line in LOG: PROTOCOL NAME
names.py ask SERVER NAME [TYPE] [tcp] [PORT]    prints the rcode, or what was answered

The server knows NAME.outside.test (203.0.113.7), large.outside.test (over TCP only), and
hostname.bind-like nonsense not at all.
"""
import socket
import struct
import sys
import threading

TYPES = {'A': 1, 'NS': 2, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'ANY': 255}
RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']


def read_name(data, at):
    labels, end = [], None
    while True:
        length = data[at]
        if length >= 0xc0:
            end = end or at + 2
            at = struct.unpack_from('>H', data, at)[0] & 0x3fff
        elif length == 0:
            return '.'.join(labels), end or at + 1
        else:
            labels.append(data[at + 1:at + 1 + length].decode())
            at += 1 + length


def write_name(name):
    return b''.join(bytes([len(label)]) + label.encode() for label in name.split('.') if label) + b'\0'


# ---- the server

def answer(query, protocol, log):
    number, flags = struct.unpack_from('>HH', query)
    name, end = read_name(query, 12)
    kind = struct.unpack_from('>H', query, end)[0]
    with open(log, 'a') as out:
        out.write(f'{protocol} {name}\n')
    question, name = query[12:end + 4], name.lower()
    rcode, records = 3, []
    if name == 'large.outside.test':
        rcode = 0
        if protocol == 'udp':
            return struct.pack('>HHHHHH', number, 0x8380, 1, 0, 0, 0) + question
        records = [(16, bytes([200]) + b'x' * 200)] * 20
    elif name.endswith('.outside.test'):
        rcode = 0
        records = [(1, socket.inet_aton('203.0.113.7'))] if kind == 1 else []
    body = b''.join(struct.pack('>HHHIH', 0xc00c, kind, 1, 60, len(data)) + data for kind, data in records)
    return struct.pack('>HHHHHH', number, 0x8180 | rcode, 1, len(records), 0, 0) + question + body


def serve_tcp(server, log):
    while True:
        client = server.accept()[0]
        with client, client.makefile('rb') as stream:
            length = stream.read(2)
            if len(length) == 2:
                reply = answer(stream.read(struct.unpack('>H', length)[0]), 'tcp', log)
                client.sendall(struct.pack('>H', len(reply)) + reply)


def serve(address, log):
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    udp, tcp = socket.socket(family, socket.SOCK_DGRAM), socket.socket(family, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp.bind((address, 53))
    tcp.bind((address, 53))
    tcp.listen(16)
    threading.Thread(target=serve_tcp, args=(tcp, log), daemon=True).start()
    open(log, 'a').close()
    while True:
        query, client = udp.recvfrom(4096)
        udp.sendto(answer(query, 'udp', log), client)


# ---- the client

def exchange(server, query, protocol, port):
    family = socket.AF_INET6 if ':' in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if protocol == 'tcp' else socket.SOCK_DGRAM) as s:
        s.settimeout(8)
        s.connect((server, port))
        if protocol == 'udp':
            s.send(query)
            return s.recv(65535)
        s.sendall(struct.pack('>H', len(query)) + query)
        with s.makefile('rb') as stream:
            return stream.read(struct.unpack('>H', stream.read(2))[0])


def show(kind, data, at, length):
    if kind == 1:
        return socket.inet_ntop(socket.AF_INET, data[at:at + length])
    if kind == 28:
        return socket.inet_ntop(socket.AF_INET6, data[at:at + length])
    return read_name(data, at)[0] if kind == 12 else f'{length} bytes'


def ask(server, name, kind='A', protocol='udp', port='53'):
    query = struct.pack('>HHHHHH', 4711, 0x100, 1, 0, 0, 0) + write_name(name) + struct.pack('>HH', TYPES[kind], 1)
    data = exchange(server, query, protocol, int(port))
    number, flags, questions, answers = struct.unpack_from('>HHHH', data)
    assert number == 4711 and flags & 0x8000 and questions == 1
    at = read_name(data, 12)[1] + 4
    found = ['truncated'] if flags & 0x200 else []
    for _ in range(answers):
        at = read_name(data, at)[1]
        kind, _, _, length = struct.unpack_from('>HHIH', data, at)
        found.append(show(kind, data, at + 10, length))
        at += 10 + length
    print(' '.join(found) or RCODES[flags & 15])


if __name__ == '__main__':
    try:
        {'serve': serve, 'ask': ask}[sys.argv[1]](*sys.argv[2:])
    except OSError as e:
        print(f'no answer ({e.__class__.__name__})')
        sys.exit(1)
