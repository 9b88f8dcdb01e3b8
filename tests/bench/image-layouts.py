#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: image-layouts.py ROOT LAYOUT

Make one OCI layout with the tree below ROOT as an image of one layer and of twenty, each by gzip and by zstd:
the tags one-gzip, one-zstd, twenty-gzip, twenty-zstd."""
import hashlib
import json
import os
import subprocess
import sys

ROOT, LAYOUT = sys.argv[1:3]
BLOBS = LAYOUT + "/blobs/sha256/"
OCI = "application/vnd.oci.image."
COMPRESSORS = {"gzip": ["gzip", "-6", "-n"], "zstd": ["zstd", "-q", "-3"]}


def put(data):
    digits = hashlib.sha256(data).hexdigest()
    with open(BLOBS + digits, "wb") as file:
        file.write(data)
    return "sha256:" + digits


def descriptor(kind, data, **more):
    return {"mediaType": OCI + kind, "digest": put(data), "size": len(data), **more}


def entries():
    """Directories, then files, with the files' sizes; both sorted."""
    directories, files = [], []
    for path, names, others in os.walk(ROOT):
        relative = os.path.relpath(path, ROOT)
        directories.append(relative)
        for name in others + [n for n in names if os.path.islink(os.path.join(path, n))]:
            file = os.path.join(relative, name)
            files.append((file, os.lstat(os.path.join(ROOT, file)).st_size))
    return sorted(directories), sorted(files)


def split(n):
    directories, files = entries()
    share = sum(size for _, size in files) / n
    parts, used = [list(directories)], 0
    for name, size in files:
        if used > share * len(parts) and len(parts) < n:
            parts.append([])
        parts[-1].append(name)
        used += size
    return parts


def tar(names):
    # One with a hard link to a file of another part would have it as a copy; Debian has few.
    return subprocess.run(["tar", "-C", ROOT, "--numeric-owner", "--no-recursion", "--null", "-T", "-", "-cf", "-"],
                          input="\0".join(names).encode(), stdout=subprocess.PIPE, check=True).stdout


def image(archives, compressor):
    layers = [descriptor(f"layer.v1.tar+{compressor}",
                         subprocess.run(COMPRESSORS[compressor], input=archive, stdout=subprocess.PIPE,
                                        check=True).stdout) for archive in archives]
    config = json.dumps({
        "os": "linux", "architecture": "amd64", "config": {"Cmd": ["bash"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(a).hexdigest() for a in archives]},
        "history": [{"created_by": f"part {n}"} for n in range(len(archives))]}).encode()
    return json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                       "config": descriptor("config.v1+json", config), "layers": layers}).encode()


os.makedirs(BLOBS)
manifests = []
for count, n in (("one", 1), ("twenty", 20)):
    archives = [tar(part) for part in split(n)]
    print(f"{count}: {sum(map(len, archives)) / 1e6:.0f} MB in {len(archives)}", flush=True)
    for compressor in COMPRESSORS:
        manifests.append(descriptor("manifest.v1+json", image(archives, compressor),
                                    annotations={"org.opencontainers.image.ref.name": f"{count}-{compressor}"}))
with open(LAYOUT + "/index.json", "w", encoding="utf-8") as file:
    json.dump({"schemaVersion": 2, "manifests": manifests}, file)
with open(LAYOUT + "/oci-layout", "w", encoding="utf-8") as file:
    json.dump({"imageLayoutVersion": "1.0.0"}, file)
