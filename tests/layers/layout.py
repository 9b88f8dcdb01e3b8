# SPDX-License-Identifier: MIT
"""OCI layouts of given layers, honest or not; and ways to compress one."""
import gzip
import hashlib
import json
import os
import subprocess
import zlib


def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()


def _put(path, data):
    name = hashlib.sha256(data).hexdigest()
    with open(f'{path}/blobs/sha256/{name}', 'wb') as blob:
        blob.write(data)
    return {'digest': 'sha256:' + name, 'size': len(data)}


def _put_json(path, what):
    return _put(path, json.dumps(what).encode())


def write(path, layers, tag='x'):
    """Write a layout with one image; a layer is (blob, diff id or tar, suffix of its media type)."""
    os.makedirs(path + '/blobs/sha256', exist_ok=True)
    diff_ids = [digest(d) if isinstance(d, bytes) else d for _, d, _ in layers]
    config = _put_json(path, {'architecture': {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(os.uname().machine, 'amd64'),
                              'os': 'linux', 'config': {}, 'rootfs': {'type': 'layers', 'diff_ids': diff_ids}})
    manifest = _put_json(path, {
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
        'config': dict(config, mediaType='application/vnd.oci.image.config.v1+json'),
        'layers': [dict(_put(path, blob), mediaType='application/vnd.oci.image.layer.v1.tar' + suffix)
                   for blob, _, suffix in layers]})
    manifest.update(mediaType='application/vnd.oci.image.manifest.v1+json',
                    annotations={'org.opencontainers.image.ref.name': tag})
    with open(path + '/index.json', 'w') as index:
        json.dump({'schemaVersion': 2, 'manifests': [manifest]}, index)
    with open(path + '/oci-layout', 'w') as mark:
        json.dump({'imageLayoutVersion': '1.0.0'}, mark)


def _zstd(data, *options):
    return subprocess.run(['zstd', '-qc', *options], input=data, stdout=subprocess.PIPE, check=True).stdout


def _pieces(data, n):
    size = len(data) // n + 1
    return [data[at:at + size] for at in range(0, len(data), size)]


def _named_member(data):
    """A gzip member with every optional field of its header."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    head = b'\x1f\x8b\x08\x1f\0\0\0\0\0\x03' + b'\x04\0abcd' + b'name\0' + b'comment\0'
    head += (zlib.crc32(head) & 0xffff).to_bytes(2, 'little')
    return head + body + zlib.crc32(data).to_bytes(4, 'little') + len(data).to_bytes(4, 'little')


def _skippable(nibble, payload):
    return (0x184D2A50 + nibble).to_bytes(4, 'little') + len(payload).to_bytes(4, 'little') + payload


COMPRESSIONS = {
    'plain': ('', lambda d: d),
    'gzip': ('+gzip', gzip.compress),
    'gzip-members': ('+gzip', lambda d: b''.join(map(gzip.compress, _pieces(d, 7)))),
    'gzip-header-padded': ('+gzip', lambda d: _named_member(d) + b'\0' * 700),
    'zstd': ('+zstd', _zstd),
    'zstd-frames': ('+zstd', lambda d: b''.join(map(_zstd, _pieces(d, 5)))),
    # As containers/storage writes zstd:chunked: frames, then skippable frames with the table.
    'zstd-chunked': ('+zstd', lambda d: b''.join(map(_zstd, _pieces(d, 9))) + _skippable(0, b'{"version":1}' * 50) +
                     _skippable(0, b'footer')),
    'zstd-skippable-first': ('+zstd', lambda d: _skippable(7, b'head') + _zstd(d, '-19') + _skippable(15, b'')),
}
