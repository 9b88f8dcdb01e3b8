#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: overlay-many.py LAYOUT COUNT BUSYBOX: an OCI layout with an image of many layers, named "many"."""
import hashlib
import io
import json
import os
import sys
import tarfile

LAYOUT, COUNT, BUSYBOX = sys.argv[1], int(sys.argv[2]), sys.argv[3]
OCI = "application/vnd.oci.image."


def put(data):
    hex_digits = hashlib.sha256(data).hexdigest()
    with open(f"{LAYOUT}/blobs/sha256/{hex_digits}", "wb") as file:
        file.write(data)
    return "sha256:" + hex_digits


def layer(number):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        if number == 0:
            tar.add(BUSYBOX, "busybox")
            for name in ("proc", "dev", "sys", "etc"):
                entry = tarfile.TarInfo(name)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
        entry = tarfile.TarInfo(f"file{number}")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    return stream.getvalue()


def descriptor(kind, data, **more):
    return {"mediaType": OCI + kind, "digest": put(data), "size": len(data), **more}


os.makedirs(f"{LAYOUT}/blobs/sha256")
layers = [descriptor("layer.v1.tar", layer(n)) for n in range(COUNT)]
config = json.dumps({"os": "linux", "architecture": "amd64", "config": {},
                     "rootfs": {"type": "layers", "diff_ids": [d["digest"] for d in layers]}}).encode()
manifest = json.dumps({"schemaVersion": 2, "config": descriptor("config.v1+json", config), "layers": layers}).encode()
index = {"schemaVersion": 2, "manifests": [
    descriptor("manifest.v1+json", manifest, annotations={"org.opencontainers.image.ref.name": "many"})]}
with open(LAYOUT + "/index.json", "w", encoding="utf-8") as file:
    json.dump(index, file)
with open(LAYOUT + "/oci-layout", "w", encoding="utf-8") as file:
    json.dump({"imageLayoutVersion": "1.0.0"}, file)
