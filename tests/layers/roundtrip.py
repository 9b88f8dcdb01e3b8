#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""roundtrip.py TOOL WORK [N [SHIFT]]: N (30) random trees with every type of file, as layers in every format of tar
and every compression; what the library makes of them is compared with what GNU tar makes of them. With SHIFT the tool runs in a user
namespace whose ids begin there: no devices, no trusted attributes, and owners are moved."""
import os
import random
import stat
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layout

FORMATS = {
    # name: (options of tar, what the format can't say)
    'ustar': (['--format=ustar'], {'long', 'big-id'}),
    'gnu': (['--format=gnu', '--sparse', '--sparse-version=0.0'], set()),
    'oldgnu': (['--format=oldgnu', '--sparse'], set()),
    'pax': (['--format=pax', '--xattrs', '--xattrs-include=*', '--acls'], set()),
    'pax-acl': (['--format=pax', '--acls'], set()),
    'pax-sparse-0.0': (['--format=pax', '--sparse', '--sparse-version=0.0', '--xattrs', '--xattrs-include=*'], set()),
    'pax-sparse-0.1': (['--format=pax', '--sparse', '--sparse-version=0.1', '--xattrs', '--xattrs-include=*', '--acls'],
                       set()),
    'pax-sparse-1.0': (['--format=pax', '--sparse', '--sparse-version=1.0', '--xattrs', '--xattrs-include=*'], set()),
    'pax-global': (['--format=pax', '--pax-option=globexthdr.name=g,comment=hello,LCX.vendor=1', '--xattrs',
                    '--xattrs-include=*', '--acls'], set()),
    # For all entries: as whom and when, whatever each of them says.
    'pax-global-owner': (['--format=pax', '--pax-option=globexthdr.name=g,delete=mtime,uid=4711,gid=4712,mtime=-86399.25'],
                         {'big-id'}),
}
# cap_net_bind_service+ep, as the second revision of the attribute has it
def acl(*entries):
    """An access control list as the kernel has it, of (tag, permissions, id)."""
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', t, p, i & 0xffffffff) for t, p, i in entries)


# Numbers that have no name here: tar would write the name.
ACLS = [acl((1, 6, -1), (2, 4, 3000), (4, 4, -1), (16, 4, -1), (32, 0, -1)),
        acl((1, 7, -1), (2, 5, 2345), (2, 0, 3000), (4, 5, -1), (8, 7, 3050), (8, 1, 70001), (16, 7, -1), (32, 5, -1))]
CAPABILITY = bytes.fromhex('0100000200040000000000000000000000000000')[:20]


class Tree:
    """One tree below a directory, as a seed says."""

    def __init__(self, root, seed, lacks):
        self.root, self.r, self.lacks = root, random.Random(seed), lacks
        self.dirs, self.files, self.n = [''], [], 0

    def place(self):
        self.n += 1
        name = self.r.choice([f'f{self.n}', f'with space {self.n}', f'ünï{self.n}', f'b\\s{self.n}', f'-{self.n}',
                              os.fsdecode(b'\xff\xfe%d' % self.n), f'new\nline{self.n}', f'.h{self.n}'])
        return os.path.join(self.r.choice(self.dirs), name)

    def at(self, path):
        return os.path.join(self.root, path)

    def owner(self):
        big = [(70000, 65534), (3000000, 2500000), (4294967294, 1)] if 'big-id' not in self.lacks else []
        return self.r.choice([(0, 0), (0, 42), (1000, 1000), (33, 4)] + big)

    def dress(self, path, follow=True):
        full = self.at(path)
        os.chown(full, *self.owner(), follow_symlinks=False)
        if follow:
            os.chmod(full, self.r.choice([0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1777, 0o000, 0o6711, 0o444]))
        ns = self.r.choice([0, 1, 999999999, 123456789, 500000000])
        old = [-1, -312753294, -2 ** 31] if 'big-id' not in self.lacks else []
        when = self.r.choice([0, 1, 1234567890, 2 ** 31 - 1, 2 ** 32 + 5, 1700000000] + old) * 10 ** 9 + ns
        os.utime(full, ns=(when, when), follow_symlinks=False)

    def attributes(self, path):
        full = self.at(path)
        for name, value in self.r.sample([
                ('user.text', b'value'), ('user.empty', b''), ('user.bin\xc3\xa4r', bytes(range(256))),
                ('user.long', b'x' * 900), ('trusted.own', b'1=2\n3'), ('user.a=b%25=%3D', b'=')], 2):
            os.setxattr(full, name, value)

    def lists(self, path):
        """Access control lists, where the format has them; of a directory also what its files inherit."""
        if 'acl' in self.lacks or self.r.random() < .5:
            return
        os.setxattr(self.at(path), 'system.posix_acl_access', self.r.choice(ACLS))
        if os.path.isdir(self.at(path)):
            os.setxattr(self.at(path), 'system.posix_acl_default', self.r.choice(ACLS))

    def make_dir(self):
        path = self.place()
        os.mkdir(self.at(path))
        self.dirs.append(path)

    def make_file(self):
        path = self.place()
        with open(self.at(path), 'wb') as f:
            f.write(self.r.randbytes(self.r.choice([0, 1, 511, 512, 513, 70000])))
        self.files.append(path)
        if self.r.random() < .4:
            self.attributes(path)
        self.dress(path)
        self.lists(path)
        if self.r.random() < .3:
            os.setxattr(self.at(path), 'security.capability', CAPABILITY)

    def make_sparse(self):
        path = self.place()
        with open(self.at(path), 'wb') as f:
            for _ in range(self.r.randrange(12)):
                f.seek(self.r.randrange(0, 3 << 20, 4096))
                f.write(self.r.randbytes(self.r.choice([1, 4096, 5000])))
            f.truncate(self.r.choice([1 << 20, 4 << 20, (4 << 20) + 17]))
        self.files.append(path)
        self.dress(path)

    def make_link(self):
        path = self.place()
        target = self.r.choice(['f1', '/etc/passwd', '../../../..', 'x' * 90, 'ünï', 'a\nb'])
        if 'long' not in self.lacks and self.r.random() < .3:
            target = '/'.join(['y' * 200] * 10)
        os.symlink(target, self.at(path))
        if self.r.random() < .3:
            os.setxattr(self.at(path), 'trusted.link', b'on a link', follow_symlinks=False)
        self.dress(path, follow=False)

    def make_hard(self):
        if self.files:
            path = self.place()
            os.link(self.at(self.r.choice(self.files)), self.at(path), follow_symlinks=False)

    def make_node(self):
        path = self.place()
        kind, device = self.r.choice([(stat.S_IFIFO, 0), (stat.S_IFCHR, os.makedev(1, 3)),
                                      (stat.S_IFBLK, os.makedev(7, 200)), (stat.S_IFCHR, os.makedev(200, 70000))
                                      if 'big-id' not in self.lacks else (stat.S_IFIFO, 0)])
        os.mknod(self.at(path), kind | 0o600, device)
        self.files.append(path)
        self.dress(path)

    def make_long(self):
        if 'long' in self.lacks:
            return
        path = self.place()
        for part in ['d' * 255] + ['deep%d' % i * 9 for i in range(self.r.randrange(1, 30))]:
            path = os.path.join(path, part)
        os.makedirs(self.at(path))
        with open(self.at(path) + '/' + 'n' * 255, 'w') as f:
            f.write('deep')

    def make(self):
        os.mkdir(self.root)
        kinds = [self.make_dir, self.make_file, self.make_sparse, self.make_link, self.make_hard, self.make_node]
        for kind in kinds + [self.make_long] + self.r.choices(kinds, k=30):
            kind()
        for path in sorted(self.dirs, reverse=True):
            if self.r.random() < .3:
                self.attributes(path)
            self.dress(path)
            self.lists(path)
        os.chmod(self.root, 0o755)


def describe(root):
    """Everything that counts about each file below @root, by its path."""
    found, inodes = {}, {}
    for dir_path, dirs, files in os.walk(os.fsencode(root)):
        for name in [b'.'] * (dir_path == os.fsencode(root)) + dirs + files:
            full = os.path.join(dir_path, name)
            st = os.lstat(full)
            path = os.path.relpath(full, os.fsencode(root))
            item = {'mode': oct(st.st_mode), 'owner': (st.st_uid, st.st_gid), 'mtime': st.st_mtime_ns}
            if stat.S_ISREG(st.st_mode):
                with open(full, 'rb') as f:
                    item['data'] = layout.digest(f.read())
                item['size'] = st.st_size
            elif stat.S_ISLNK(st.st_mode):
                item['target'] = os.readlink(full)
            elif stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
                item['device'] = st.st_rdev
            item['xattrs'] = {x: os.getxattr(full, x, follow_symlinks=False)
                              for x in os.listxattr(full, follow_symlinks=False)}
            if not stat.S_ISDIR(st.st_mode):
                inodes.setdefault(st.st_ino, []).append(path)
            found[path] = item
            item['blocks'] = st.st_blocks
    for group in inodes.values():
        for path in group:
            found[path]['links'] = sorted(group)
    return found


def compare(ours, theirs, sparse):
    """Lines about what differs."""
    out = []
    for path in sorted(set(ours) | set(theirs)):
        a, b = ours.get(path), theirs.get(path)
        if not a or not b:
            out.append(f'{path!r}: only in {"ours" if a else "theirs"}')
            continue
        for key in sorted(set(a) | set(b)):
            if key == 'blocks':
                if sparse and a[key] > b[key] + 64:
                    out.append(f'{path!r}: {a[key]} blocks, not {b[key]}')
            elif a.get(key) != b.get(key):
                out.append(f'{path!r}: {key} {a.get(key)!r}, not {b.get(key)!r}')
    return out


def as_mapped(theirs, shift):
    """What is expected of a user namespace, seen from outside."""
    for path in [p for p, item in theirs.items() if 'device' in item]:
        del theirs[path]
    for item in theirs.values():
        item['owner'] = tuple(shift + n for n in item['owner'])
        for name in [n for n in item['xattrs'] if n.startswith('trusted.')]:
            del item['xattrs'][name]
        # The kernel keeps with it for whom it counts.
        if 'security.capability' in item['xattrs']:
            item['xattrs']['security.capability'] = (b'\x01\0\0\x03' + CAPABILITY[4:] + shift.to_bytes(4, 'little'))
    return theirs


def run(*args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, **kw).stdout


def unpack_with_tar(archive, target, options):
    os.mkdir(target)
    xattrs = ['--xattrs', '--xattrs-include=*'] if '--xattrs' in options else []
    xattrs += ['--acls'] if '--acls' in options else []
    run('tar', '-xpf', archive, '--numeric-owner', '--same-owner', *xattrs, '-C', target, stderr=subprocess.DEVNULL)


def check(tool, work, seed, shift=0):
    form = list(FORMATS)[seed % len(FORMATS)]
    compression = list(layout.COMPRESSIONS)[(seed * 3 + seed // 8) % len(layout.COMPRESSIONS)]
    options, lacks = FORMATS[form]
    lacks = lacks | ({'big-id'} if shift else set()) | ({'acl'} if '--acls' not in options or shift else set())
    base = f'{work}/{seed}'
    os.mkdir(base)
    Tree(base + '/tree', seed, lacks).make()
    run('tar', '-cf', base + '/layer.tar', '--sort=name', '--numeric-owner', *options, '-C', base + '/tree', '.',
        stderr=subprocess.DEVNULL)
    with open(base + '/layer.tar', 'rb') as f:
        tar = f.read()
    suffix, compress = layout.COMPRESSIONS[compression]
    layout.write(base + '/layout', [(compress(tar), tar, suffix)])
    unpack_with_tar(base + '/layer.tar', base + '/theirs', options)
    name = f'round-{seed}'
    shown = run(tool, work + '/store', 'import', base + '/layout', 'x', name).decode()
    ours = [line.split(' ', 1)[1] for line in shown.splitlines() if line.startswith('layer ')][0]
    found = describe(ours)
    theirs = describe(base + '/theirs')
    if shift:
        theirs = as_mapped(theirs, shift)
    different = compare(found, theirs, 'sparse' in ' '.join(options))
    if not shift and form == 'pax' and compression in ('gzip', 'gzip-members'):
        run('umoci', 'unpack', '--image', base + '/layout:x', base + '/bundle', stderr=subprocess.PIPE)
        for item in found.values():
            item['xattrs'].pop('user.empty', None)  # which umoci leaves out
            if 'user.a=b%25=%3D' in item['xattrs']:  # as GNU tar hides it from those who don't know
                item['xattrs']['user.a%3Db%2525%3D%253D'] = item['xattrs'].pop('user.a=b%25=%3D')
        different += ['umoci: ' + line for line in compare(found, describe(base + '/bundle/rootfs'), False)]
    what = f'tree {seed}: {form}, {compression}'
    print(f'{"not ok" if different else "ok"} - {what}')
    for line in different[:20]:
        print(f'# {line}')


def main():
    tool, work = sys.argv[1:3]
    shift = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    for seed in range(int(sys.argv[3]) if len(sys.argv) > 3 else 30):
        check(tool, work, seed, shift)


main()
