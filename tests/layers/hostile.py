#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile.py TOOL WORK [--in-process] [--swap]: hostile and odd layers, each imported with the working directory
at /etc. Each must be refused with words that name the entry, or accepted, as its row says; and nothing around the
root may change. With --swap another thread exchanges directories of the root for links meanwhile: then only the
latter counts."""
import glob
import gzip
import os
import random
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout

END = b'\0' * 1024
# The tree around the roots: it must never change.
OUTSIDE = os.path.abspath(sys.argv[2]) + '/outside'


def number(value, width):
    """Octal, or base 256 for what doesn't fit."""
    if 0 <= value < 8 ** (width - 1):
        return b'%0*o\0' % (width - 1, value)
    return ((1 << (8 * width - 1)) | (value & ((1 << (8 * width - 1)) - 1))).to_bytes(width, 'big')


def header(name, kind='0', size=0, link='', mode=0o644, uid=0, gid=0, mtime=1, major=0, minor=0, magic=b'ustar\x0000',
           checksum=None, prefix=''):
    block = bytearray(512)

    def put(at, data):
        block[at:at + len(data)] = data
    put(0, os.fsencode(name)[:100])
    put(100, number(mode, 8))
    put(108, number(uid, 8))
    put(116, number(gid, 8))
    put(124, size if isinstance(size, bytes) else number(size, 12))
    put(136, number(mtime, 12))
    put(156, kind.encode())
    put(157, os.fsencode(link)[:100])
    put(257, magic)
    if magic:
        put(329, number(major, 8))
        put(337, number(minor, 8))
        put(345, os.fsencode(prefix))
    put(148, b' ' * 8)
    put(148, b'%06o\0 ' % (sum(block) if checksum is None else checksum))
    return bytes(block)


def padded(data):
    return data + b'\0' * (-len(data) % 512)


def file(name, data=b'data', **kw):
    return header(name, size=len(data), **kw) + padded(data)


def directory(name, mode=0o755, **kw):
    return header(name, '5', mode=mode, **kw)


def link(name, target, **kw):
    return header(name, '2', link=target, mode=0o777, **kw)


def hard(name, target, **kw):
    return header(name, '1', link=target, **kw)


def record(key, value):
    text = b' %s=%s\n' % (os.fsencode(key), value if isinstance(value, bytes) else os.fsencode(value))
    length = len(text) + 1
    while len(str(length)) + len(text) != length:
        length = len(str(length)) + len(text)
    return str(length).encode() + text


def pax(records, kind='x', raw=None):
    data = raw if raw is not None else b''.join(record(k, v) for k, v in records)
    return header('pax', kind, size=len(data)) + padded(data)


def gnu_long(kind, data, size=None):
    return header('././@LongLink', kind, size=len(data) if size is None else size, magic=b'ustar  \0') + padded(data)


def sparse(mapping, real, data=b'', name='s'):
    return (pax([('GNU.sparse.name', name), ('GNU.sparse.size', str(real)), ('GNU.sparse.numblocks', str(mapping.count(',') // 2 + 1)),
                 ('GNU.sparse.map', mapping)]) + file(name, data))


def gnu_sparse(pieces, real, data=b'', more=b''):
    """GNU tar's old form: up to four pieces in the header, the others in the blocks @more."""
    block = bytearray(header('s', 'S', size=len(data), magic=b'ustar  \0'))
    for i, (offset, size) in enumerate(pieces):
        block[386 + 24 * i:410 + 24 * i] = number(offset, 12) + number(size, 12)
    block[482] = 1 if more else 0
    block[483:495] = number(real, 12)
    block[148:156] = b' ' * 8
    block[148:156] = b'%06o\0 ' % sum(block)
    return bytes(block) + more + padded(data)


def sparse_1(text, real, data=b''):
    """The newest form: the map is text in front of the data."""
    return (pax([('GNU.sparse.major', '1'), ('GNU.sparse.minor', '0'), ('GNU.sparse.name', 's'),
                 ('GNU.sparse.realsize', str(real))]) + file('x', padded(text) + data))


def acl(kind, words, on):
    return pax([('SCHILY.acl.' + kind, words)]) + on


def xattr(name, value, on='x'):
    return pax([('SCHILY.xattr.' + name, value)]) + file(on)


def chain(n):
    return b''.join(link(f'l{i}', f'l{i + 1}') for i in range(n)) + directory(f'l{n}') + file('l0/x')


def zstd_window(log):
    """A frame that wants a window of 2^log bytes, with one empty last block."""
    return b'\x28\xb5\x2f\xfd\0' + bytes([(log - 10) << 3]) + b'\x01\0\0'


REFUSED, TAKEN = 'refused', 'taken'
ROWS = [
    # --- names
    ('dot-dot', file('../x'), REFUSED, "'../x'"),
    ('dot-dot inside', file('a/../../x'), REFUSED, "'a/../../x'"),
    ('dot-dot at the end', directory('a/..'), REFUSED, "'a/..'"),
    ('absolute', file('/x') + file('/etc/x'), TAKEN, 'etc/x'),
    ('absolute, into the tree around', file(OUTSIDE + '/file'), TAKEN, OUTSIDE[1:] + '/file'),
    ('dots and slashes', file('.//a/.//b'), TAKEN, 'a/b'),
    ('no name', header('', size=0), REFUSED, 'entry'),
    ('slashes only', directory('///'), TAKEN, '.'),
    ('a name that commands a terminal', file('../\x1b[2Jx'), REFUSED, '\\x1b'),
    ('a name with a newline', file('../a\nb'), REFUSED, '\\x0a'),
    ('a name of 5000 bytes', pax([('path', 'n/' * 2500)]) + file('x'), REFUSED, 'n/n/n'),
    ('a component of 300 bytes', pax([('path', 'n' * 300)]) + file('x'), REFUSED, 'nnnn'),
    ('a path of 2000 directories', pax([('path', 'n/' * 2000 + 'x')]) + file('x'), TAKEN, 'n/n/n'),
    ('a NUL in a name', pax([('path', b'a\0b')]) + file('x'), None, ''),
    ('bytes that are no UTF-8', pax([('path', b'\xff\xfe')]) + file('x'), TAKEN, os.fsdecode(b'\xff\xfe')),
    ('dot-dot in the prefix', file('x', prefix='../..'), REFUSED, 'x'),
    ('dot-dot in a pax path', pax([('path', '../evil')]) + file('good'), REFUSED, "'../evil'"),
    ('dot-dot in a long name', gnu_long('L', b'../evil\0') + file('good'), REFUSED, "'../evil'"),
    ('a long name without its NUL', gnu_long('L', b'abc') + file('good'), TAKEN, 'abc'),
    ('dot-dot for all by a global header', pax([('path', '../evil')], 'g') + file('good'), REFUSED, 'global header'),
    # --- the root
    ('the root as a file', file('.'), REFUSED, 'root'),
    ('the root as a link', link('.', '/etc'), REFUSED, 'root'),
    ('the root as a hard link', file('x') + hard('.', 'x'), REFUSED, 'root'),
    ('the root as a device', header('.', '3', major=1, minor=3), REFUSED, 'root'),
    # --- symbolic links
    ('through a link to /', link('a', '/') + file('a/x'), TAKEN, 'x'),
    ('through a link to the top', link('a', '../../../../../..') + file('a/x'), TAKEN, 'x'),
    ('through a link to the tree around', link('a', OUTSIDE) + file('a/file'), REFUSED, "'a/file'"),
    ('through two links', link('a', 'b') + link('b', OUTSIDE) + file('a/file'), REFUSED, "'a/file'"),
    ('a directory becomes a link', directory('d') + file('d/f') + link('d', OUTSIDE) + file('d/file'), REFUSED, "'d/file'"),
    ('a link becomes a directory', link('d', OUTSIDE) + directory('d') + file('d/file'), TAKEN, 'd/file'),
    ('a link becomes a file', link('x', OUTSIDE + '/file') + file('x'), TAKEN, 'x'),
    ('a directory over a link', link('d', '/etc') + directory('d', mode=0o777), TAKEN, 'd'),
    ('a link to itself', link('l', 'l') + file('l/x'), REFUSED, "'l/x'"),
    ('links in a circle', link('a', 'b') + link('b', 'a') + file('a/x'), REFUSED, "'a/x'"),
    ('a chain of 60 links', chain(60), REFUSED, "'l0/x'"),
    ('a magic link', link('s', '/proc/self/root') + file('s/x'), REFUSED, "'s/x'"),
    ('a magic link to the working directory', link('s', '/proc/self/cwd') + file('s/passwd'), REFUSED, "'s/passwd'"),
    ('a link of 5000 bytes', pax([('linkpath', 't' * 5000)]) + link('l', 't'), REFUSED, 'long'),
    ('a link of no bytes', link('l', ''), REFUSED, 'entry'),
    # --- hard links
    ('a hard link to a file of the host', hard('h', '/etc/passwd'), REFUSED, "'h'"),
    ('a hard link by dot-dot', hard('h', '../../../../etc/passwd'), REFUSED, "'h'"),
    ('a hard link by dot-dot in pax', pax([('linkpath', '../../../../../../etc/passwd')]) + hard('h', 'x'), REFUSED, "'h'"),
    ('a hard link by the working directory', hard('h', 'passwd'), REFUSED, "'h'"),
    ('a hard link into the tree around', hard('h', OUTSIDE + '/file'), REFUSED, "'h'"),
    ('a hard link through a link', link('s', OUTSIDE) + hard('h', 's/file'), REFUSED, "'h'"),
    ('a hard link to a link, then written', link('s', OUTSIDE + '/file') + hard('h', 's') + file('h'), TAKEN, 'h'),
    ('a hard link to what is missing', hard('h', 'missing'), REFUSED, "'h'"),
    ('a hard link to itself', hard('h', 'h'), REFUSED, "'h'"),
    ('hard links in a circle', hard('a', 'b') + hard('b', 'a'), REFUSED, "'a'"),
    ('a hard link to a directory', directory('d') + hard('h', 'd'), REFUSED, "'h'"),
    ('a hard link to the root', hard('h', '.'), REFUSED, "'h'"),
    ('a hard link over its own file', file('x') + hard('x', 'x'), TAKEN, 'x'),
    ('a hard link with data', file('x') + hard('h', 'x', size=4) + padded(b'evil'), None, ''),
    ('a hard link to a deletion', file('.wh.gone') + hard('h', 'gone'), REFUSED, "'h'"),
    # --- deletions
    ('a deletion', file('.wh.gone'), TAKEN, 'gone'),
    ('a deletion of nothing', file('.wh.'), REFUSED, "'.wh.'"),
    ('a deletion of the directory', file('d/.wh..'), REFUSED, "'d/.wh..'"),
    ('a deletion of the parent', file('d/.wh...'), REFUSED, "'d/.wh...'"),
    ('a deletion through a link', link('s', OUTSIDE) + file('s/.wh.file'), REFUSED, "'s/.wh.file'"),
    ('an opaque mark through a link', link('s', OUTSIDE) + file('s/.wh..wh..opq'), REFUSED, "'s/.wh..wh..opq'"),
    ('an opaque mark behind its siblings', file('d/a') + file('d/.wh..wh..opq'), TAKEN, 'd/a'),
    ('an opaque root', file('.wh..wh..opq'), TAKEN, '.'),
    ('a deletion as a directory', file('.wh.d/x'), REFUSED, "'.wh.d/x'"),
    ("aufs's own files", file('.wh..wh.plnk') + file('.wh..wh.aufs'), TAKEN, '.'),
    ('a deletion behind its file', file('x') + file('.wh.x'), TAKEN, 'x'),
    ('a device 0:0', header('w', '3'), REFUSED, "'w'"),
    ("overlay's redirect", xattr('trusted.overlay.redirect', '/etc'), REFUSED, "'x'"),
    ("overlay's redirect for users", xattr('user.overlay.redirect', '/etc'), REFUSED, "'x'"),
    # --- things in the way
    ('one name, many times', file('x', b'1') + directory('x') + file('x/y') + link('x', 'z') + file('x', b'2'), TAKEN, 'x'),
    ('a file in a pipe', header('p', '6') + file('p/x'), REFUSED, "'p/x'"),
    ('a file in place of a pipe', header('p', '6') + file('p'), TAKEN, 'p'),
    ('a file in place of a device', header('n', '3', major=1, minor=3) + file('n'), TAKEN, 'n'),
    ('a file in a file', file('f') + file('f/x'), REFUSED, "'f/x'"),
    ('a closed directory with files', directory('d', mode=0) + file('d/x') + file('d/e/y'), TAKEN, 'd/e/y'),
    ('a set-uid file of another', file('x', mode=0o6755, uid=7, gid=8), TAKEN, 'x'),
    # --- numbers
    ('an owner of 2^32-1', file('x', uid=2 ** 32 - 1), REFUSED, "'x'"),
    ('an owner beyond 2^32', pax([('uid', str(2 ** 33))]) + file('x'), REFUSED, "'x'"),
    ('an owner below 0', file('x', gid=-5), REFUSED, "'x'"),
    ('a size of 8 EiB', header('x', size=2 ** 63 - 1), REFUSED, ''),
    ('a size of 4 EiB', header('x', size=2 ** 62), REFUSED, "'x'"),
    ('a size below 0', header('x', size=-1), REFUSED, ''),
    ('a size that wraps', header('x', size=b'\xff' * 12), REFUSED, ''),
    ('a size that pax changes', pax([('size', '1')]) + file('x', b'z' * 600), REFUSED, ''),
    ('a time before 1970', file('x', mtime=-100), TAKEN, 'x'),
    ('a time after everything', pax([('mtime', '9999999999999999999')]) + file('x'), None, ''),
    ('a time that is no number', pax([('mtime', 'nan')]) + file('x'), None, ''),
    # --- sparse files
    ('a sparse file of 8 EiB', sparse('0,4', 2 ** 63 - 1, b'data'), REFUSED, "'s'"),
    ('a sparse map beyond the file', sparse('4096,4', 512, b'data'), REFUSED, "'s'"),
    ('a sparse map that overlaps', sparse('0,4,2,4', 512, b'datadata'), None, ''),
    ('a sparse map backwards', sparse('100,4,0,4', 512, b'datadata'), None, ''),
    ('a sparse map below 0', sparse('-5,4', 512, b'data'), None, ''),
    ('a sparse map without an end', sparse('0,4,', 512, b'data'), None, ''),
    ('a sparse file named by dot-dot', sparse('0,4', 512, b'data', name='../s'), REFUSED, "'../s'"),
    ('old: a piece beyond the file', gnu_sparse([(4096, 4)], 512, b'data'), REFUSED, "'s'"),
    ('old: pieces that overlap', gnu_sparse([(0, 4), (2, 4)], 512, b'datadata'), REFUSED, "'s'"),
    ('old: more is stored than the pieces have', gnu_sparse([(0, 4)], 512, b'datadata'), REFUSED, "'s'"),
    ('old: less is stored than the pieces have', gnu_sparse([(0, 400)], 512, b'data'), REFUSED, "'s'"),
    ('old: a piece of 8 EiB', gnu_sparse([(0, 2 ** 63 - 1)], 2 ** 63 - 1, b'data'), REFUSED, "'s'"),
    ('old: an offset below 0', gnu_sparse([(-1, 4)], 512, b'data'), REFUSED, "'s'"),
    ('old: a block of pieces without one', gnu_sparse([(0, 4)], 512, b'data', (b'\0' * 504 + b'\1' + b'\0' * 7) * 9),
     REFUSED, "'s'"),
    ('old: blocks of pieces that are cut', gnu_sparse([(0, 4)], 512, b'', b'\1' * 300)[:-212], REFUSED, "'s'"),
    ('new: a map of a billion pieces', sparse_1(b'1000000000\n0\n4\n', 512, b'data'), REFUSED, "'s'"),
    ('new: a map without an end', sparse_1(b'1' * 512, 512), REFUSED, "'s'"),
    ('new: a map longer than what is stored', sparse_1(b'400\n' + b'0\n' * 254, 512), REFUSED, "'s'"),
    ('new: a map of no number', sparse_1(b'-1\n', 512), REFUSED, "'s'"),
    ('new: a hole and nothing else', sparse_1(b'1\n1048576\n0\n', 1 << 20), TAKEN, 's'),
    # --- attributes
    ('a list of access without the others', acl('access', 'user::rwx,group::r-x', file('x')), REFUSED, "'x'"),
    ('a list of access with a name', acl('access', 'user::rwx,user:root:rwx,group::r-x,mask::r-x,other::---', file('x')),
     REFUSED, "'x'"),
    ('a list of access of another system', acl('ace', 'owner@:rw-p--aARWcCos:-------:allow', file('x')), REFUSED, "'x'"),
    ('a list of access as a damaged attribute', xattr('system.posix_acl_access', 'rubbish'), REFUSED, "'x'"),
    ('a list for the files of a file', acl('default', 'user::rwx,group::r-x,other::---', file('x')), REFUSED, "'x'"),
    ('a list that closes a directory', acl('access', 'user::---,group::---,other::---', directory('d')) + file('d/x'), TAKEN,
     'd/x'),
    ('a list of access for all by a global header', pax([('SCHILY.acl.access', 'none')], 'g') + file('x'), REFUSED,
     'global header'),
    ('an attribute of 70000 bytes', xattr('user.x', 'v' * 70000), REFUSED, "'x'"),
    ('100 attributes', pax([(f'SCHILY.xattr.user.{i}', 'v') for i in range(100)]) + file('x'), REFUSED, "'x'"),
    ('a damaged capability', xattr('security.capability', 'x'), REFUSED, "'x'"),
    ("the host's label", xattr('security.selinux', 'system_u'), TAKEN, 'x'),
    ('an attribute without a name', xattr('', 'v'), TAKEN, 'x'),
    # --- damage
    ('a wrong checksum', header('x', checksum=1), REFUSED, ''),
    ('no archive', b'this is no archive at all' * 100, REFUSED, ''),
    ('cut in a header', file('x')[:300], REFUSED, ''),
    ('cut in the data', file('y') + header('x', size=5000) + b'z' * 700, REFUSED, "'x'"),
    ('cut in a pax header', pax([('path', 'p' * 3000)])[:1000], REFUSED, ''),
    ('a pax record that is too long', pax(None, raw=b'999999 path=x\n') + file('x'), REFUSED, ''),
    ('a pax record without a length', pax(None, raw=b'path=x\n') + file('x'), REFUSED, ''),
    ('a pax header of 1 GiB', header('pax', 'x', size=1 << 30), REFUSED, ''),
    ('a pax header of a pax header', pax([('path', 'y')]) * 2 + file('x'), None, ''),
    ('a pax header of nothing', pax([('path', 'y')]), None, ''),
    ('a long name of 1 GiB', gnu_long('L', b'x', size=1 << 30), REFUSED, ''),
    ('an unknown type', header('x', 'Z', size=4) + padded(b'data'), None, ''),
    ('a volume, a multi-volume file, a dump', header('v', 'V', magic=b'ustar  \0') + header('d', 'D', magic=b'ustar  \0'),
     None, ''),
    ('entries behind the end', file('x') + END + file('../y'), TAKEN, 'x'),
    ('an archive of the seventh edition', file('x', magic=b''), TAKEN, 'x'),
    ('an empty archive', b'', TAKEN, '.'),
    ('no byte', (b'', b''), TAKEN, '.'),
    # --- compression; the blob instead of the archive
    ('a wrong digest', (gzip.compress(file('digest') + END), None), REFUSED, 'as the image says'),
    ('gzip in gzip', (gzip.compress(gzip.compress(file('nested') + END)), None), REFUSED, 'damaged archive'),
    ('gzip with a wrong sum', (gzip.compress(file('sum') + END)[:-8] + b'\0' * 8, None), REFUSED, 'damaged gzip'),
    ('gzip with a tail of rubbish', (gzip.compress(file('tail') + END) + b'rubbish', None), REFUSED, 'damaged gzip'),
    ('gzip that is cut', (gzip.compress(file('cut', random.Random(1).randbytes(9000)))[:-3000], None), REFUSED, 'cut off'),
    ('gzip that is cut to its magic', (b'\x1f\x8b', None), REFUSED, 'cut off'),
    ('zstd with a window of 1 GiB', (zstd_window(30), None), REFUSED, 'damaged zstd'),
    ('zstd with a window of 2 TiB', (zstd_window(41), None), REFUSED, 'damaged zstd'),
    ('zstd that is cut', (layout.COMPRESSIONS['zstd'][1](file('z', random.Random(2).randbytes(3000)))[:-20], None), REFUSED,
     'cut off'),
    ('a skippable frame that is cut', (b'\x50\x2a\x4d\x18\xff\xff\xff\x7f', None), REFUSED, 'cut off'),
    # --- limits, by number=value
    ('1000 entries, where 100 may be', b''.join(file(f'f{i}') for i in range(1000)), REFUSED, 'entries', '0=100'),
    ('100 MiB, where 1 may be', header('x', size=100 << 20), REFUSED, "'x'", '1=1048576'),
    ('two files, where one has room', file('x', b'z' * 600) + file('y', b'z' * 600), REFUSED, "'y'", '1=1000'),
    ('a name of 20 bytes, where 10 may be', file('n' * 20), REFUSED, 'nnn', '3=10'),
    ('a hole of a TiB', sparse('0,4', 1 << 40, b'data'), REFUSED, "'s'"),
    ('no room is left', file('x'), REFUSED, 'left on the file system', '7=4611686018427387904'),
    ('zstd with a window, where less may be', (zstd_window(21), None), REFUSED, 'damaged zstd', '6=1048576'),
]

# For the swapper: much to do in directories that it exchanges.
BUSY = b''.join(directory(f'd{i % 7}') + directory(f'd{i % 7}/e') + file(f'd{i % 7}/e/file') + file(f'd{i % 7}/.wh.file') +
                hard(f'd{i % 7}/e/h{i}', f'd{i % 7}/e/file') + link(f'd{i % 7}/e/l{i}', 'x') + file(f'd{i % 7}/e/.wh..wh..opq')
                for i in range(700))


def snapshot(*roots):
    """Everything that would show a change."""
    out = []
    for root in roots:
        for path, dirs, files in os.walk(root):
            for name in ['.'] + dirs + files:
                full = os.path.join(path, name)
                st = os.lstat(full)
                item = (full, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_size, st.st_mtime_ns, st.st_ctime_ns,
                        sorted(os.listxattr(full, follow_symlinks=False)))
                out.append(item)
    return sorted(out)


class Swapper(threading.Thread):
    """Exchanges each directory of every root that it finds for a link to the tree around, and back."""

    def __init__(self, store, outside):
        super().__init__(daemon=True)
        self.pattern, self.outside, self.ended, self.swaps = store + '/images/tmp/.tmp-*/*/diff', outside, False, 0

    def swap(self, path):
        aside = path + '~'
        try:
            os.rename(path, aside)
            os.symlink(self.outside, path)
            self.swaps += 1
            os.unlink(path)
            os.rename(aside, path)
        except OSError:
            pass

    def run(self):
        while not self.ended:
            for root in glob.glob(self.pattern):
                for _ in range(50):
                    for name in ['d0', 'd1', 'd2', 'd0/e', 'd3/e', 'a', 'd']:
                        self.swap(root + '/' + name)


def make_outside(path):
    for name in ['', '/d', '/e', '/d0', '/etc']:
        os.mkdir(path + name)
        with open(path + name + '/file', 'w') as f:
            f.write('kept')
    os.mkfifo(path + '/pipe')


class Run:
    def __init__(self, tool, work, options):
        self.tool, self.work = tool, work
        self.swap = '--swap' in options
        self.options = [o for o in options if o != '--swap']
        self.outside = OUTSIDE
        make_outside(self.outside)
        self.before = snapshot(self.outside, '/etc')
        self.failures = 0

    def report(self, name, problem):
        print(f'{"not ok" if problem else "ok"} - {name}' + (f'\n# {problem}' if problem else ''))

    def layer(self, what, i):
        if isinstance(what, tuple):
            suffix = '+zstd' if what[0][:4] in (b'\x28\xb5\x2f\xfd', b'\x50\x2a\x4d\x18') else '+gzip'
            # A digest of its own: what is in the store already isn't unpacked again.
            return (what[0], layout.digest(what[0] + b'!') if what[1] is None else what[1], suffix)
        tar = what + END if len(what) % 512 == 0 else what  # else it is cut
        return (gzip.compress(tar), tar, '+gzip') if i % 2 else (tar, tar, '')

    def import_layer(self, what, i, limit=None):
        path = f'{self.work}/layout-{i}'
        layout.write(path, [self.layer(what, i)])
        done = subprocess.run([self.tool, self.work + '/store', *self.options, *(['--limit', limit] if limit else []), 'import',
                               path, 'x', f'hostile-{i}'], cwd='/etc', stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=60, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors='replace')

    def judge(self, row, status, out, words):
        _, _, expected, thing = row[:4]
        if status not in (0, 1):
            return f'status {status}: {words}'
        if expected == REFUSED and (status == 0 or thing not in words or not words.startswith('E')):
            return f'status {status}, not refused with "{thing}": {words}'
        if expected == TAKEN:
            if status != 0:
                return f'not taken: {words}'
            root = [line[6:] for line in out.splitlines() if line.startswith('layer ')][0]
            if not os.path.lexists(os.path.join(root, thing)):
                return f'{thing} is missing'
        return None

    def rows(self):
        for i, row in enumerate(ROWS):
            problem = self.judge(row, *self.import_layer(row[1], i, *row[4:]))
            if snapshot(self.outside) != [x for x in self.before if x[0].startswith(self.outside)]:
                problem = 'something around the root has changed'
            self.report(row[0], problem)

    def swapped(self):
        swapper = Swapper(self.work + '/store', self.outside)
        swapper.start()
        for i, row in enumerate(ROWS):
            if not isinstance(row[1], tuple) and any(d in row[1] for d in (b'a/', b'd/', b'/d0')):
                self.import_layer(row[1], i, *row[4:])
        busy = 0
        while busy < 5 or swapper.swaps <= 100 and busy < 100:
            self.import_layer(BUSY + file(f'unique-{busy}'), 1000 + busy)
            busy += 1
        swapper.ended = True
        swapper.join()
        self.report('directories are exchanged', None if swapper.swaps > 100 else f'only {swapper.swaps} times')

    def all(self):
        self.swapped() if self.swap else self.rows()
        self.report('nothing around the root has changed',
                    None if snapshot(self.outside, '/etc') == self.before else 'it has')


def main():
    Run(sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3:]).all()


main()
