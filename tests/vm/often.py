#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# usage: often.py BUILD SOURCE SCRIPT...
# Tells (names from the root on, each followed by a zero byte, directories before what is in them) what the guest
# opens again and again: the programs that the scripts name, of PATH and of the build, their libraries, Python's
# modules, the tests. What is forgotten here is only slow there.
import os
import re
import subprocess
import sys

LARGEST = 16 << 20
ALWAYS = "/bin", "/sbin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/passwd", "/etc/group"
build, source, scripts = sys.argv[1], sys.argv[2], sys.argv[3:]
found = {}


def note(path):
    """This file, and every link and directory on the way to it."""
    at, rest = "/", [part for part in path.split("/") if part not in ("", ".")]
    hops = 0
    while rest:
        part = rest.pop(0)
        if part == "..":
            at = os.path.dirname(at)
            continue
        at = os.path.join(at, part)
        if os.path.islink(at) and hops < 40:
            hops += 1
            found[at] = True
            target = os.readlink(at)
            rest = [part for part in target.split("/") if part not in ("", ".")] + rest
            at = "/" if target.startswith("/") else os.path.dirname(at)
        elif os.path.isdir(at) or os.path.isfile(at) and os.path.getsize(at) <= LARGEST:
            found[at] = True


def note_tree(top, without=()):
    for place, dirs, files in os.walk(top):
        dirs[:] = [name for name in dirs if not name.startswith(without)]
        for name in files:
            note(os.path.join(place, name))


def built():
    for place, dirs, files in os.walk(build):
        dirs[:] = [name for name in dirs if not name.endswith(".p")]
        for name in files:
            path = os.path.join(place, name)
            if os.access(path, os.X_OK):
                yield path


def programs(words):
    for place in os.environ["PATH"].split(":"):
        for name in os.listdir(place) if os.path.isdir(place) else ():
            yield os.path.join(place, name)
    yield from built()


def main():
    words = set()
    for script in scripts:
        with open(script, encoding="utf-8") as text:
            words.update(re.findall(r"[\w.+-]+", text.read()))
    chosen = [path for path in programs(words) if os.path.basename(path) in words
              and os.path.isfile(path)]
    told = subprocess.run(["ldd", *chosen], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, text=True)
    libraries = re.findall(r"(/[^ )]*) \(0x", told.stdout)
    for path in [*chosen, *libraries, *ALWAYS]:
        note(path)
    note_tree(os.path.dirname(os.__file__), ("config-", "test", "dist-packages", "site-packages"))
    note_tree(os.path.join(source, "tests"), ("data", "fuzz", "unit"))
    sys.stdout.write("".join(path[1:] + "\0" for path in sorted(found)))


main()
