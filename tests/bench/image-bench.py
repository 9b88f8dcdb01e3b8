#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: image-bench.py BUILD REGISTRY DIR ROUNDS: see image-bench.sh."""
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request

BUILD, REGISTRY, DIR, ROUNDS = *sys.argv[1:4], int(sys.argv[4])
LCX, PEAK = BUILD + "/examples/lcx/lcx", BUILD + "/tests/bench-peak"
IMAGES = ["one-gzip", "twenty-gzip", "one-zstd", "twenty-zstd"]
STORE = DIR + "/fresh"
FLOOR = "curl | tar x"


def layers(tag):
    request = urllib.request.Request(f"http://{REGISTRY}/v2/debian/manifests/{tag}",
                                     headers={"Accept": "application/vnd.oci.image.manifest.v1+json"})
    with urllib.request.urlopen(request) as answer:
        return [layer["digest"] for layer in json.load(answer)["layers"]]


def floor(tag):
    decode = "gzip -dc" if tag.endswith("gzip") else "zstd -dcq"
    fetch = f"curl -s -f http://{REGISTRY}/v2/debian/blobs/"
    return " && ".join(f"{fetch}{digest} | {decode} | tar -C {STORE} -x" for digest in layers(tag))


def containerd_memory():
    with open(f"/proc/{os.environ['CONTAINERD_PID']}/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def tools():
    """Name, the shell command for a tag, and what clears its store if that is not STORE."""
    reference = f"{REGISTRY}/debian:"
    yield "lcx", lambda tag: f"{LCX} --root {STORE} --run-dir {STORE}-run --quiet pull --plain-http {reference}{tag}", None
    yield FLOOR, floor, None
    if shutil.which("podman"):
        yield "podman", lambda tag: (f"podman --root {STORE} --runroot {STORE}-run --storage-driver overlay "
                                     f"pull -q --tls-verify=false {reference}{tag}"), None
    yield "skopeo+umoci", lambda tag: (
        f"skopeo --insecure-policy copy -q --src-tls-verify=false docker://{reference}{tag} oci:{STORE}/layout:{tag} && "
        f"umoci unpack --image {STORE}/layout:{tag} {STORE}/bundle"), None
    if "CONTAINERD_PID" in os.environ:
        yield "ctr", lambda tag: f"ctr images pull --plain-http {reference}{tag}", \
            lambda tag: f"ctr images rm --sync {reference}{tag}; ctr content prune references"


def clear():
    for path in (STORE, STORE + "-run"):
        subprocess.run(["sh", "-c", f"grep -o ' {path}[^ ]*' /proc/self/mounts | sort -r | xargs -r umount -l"],
                       check=False)
        shutil.rmtree(path, ignore_errors=True)
    os.mkdir(STORE)


def measure(command):
    """Seconds and KiB of the largest process; None if it fails."""
    with open(DIR + "/command.log", "w", encoding="utf-8") as log:
        began = time.monotonic()
        status = subprocess.run([PEAK, DIR + "/peak", "sh", "-c", command], stdout=log, stderr=log,
                                check=False).returncode
        seconds = time.monotonic() - began
    if status != 0:
        return None
    with open(DIR + "/peak", encoding="utf-8") as file:
        return seconds, int(file.read())


def why():
    with open(DIR + "/command.log", encoding="utf-8", errors="replace") as log:
        lines = log.read().strip().splitlines()
    return lines[-1][:150] if lines else "no words"


def main():
    results = {}
    lost = {}
    for round_ in range(ROUNDS):
        for tag in IMAGES:
            for name, command, undo in tools():
                if (name, tag) in lost:
                    continue
                clear()
                result = measure(command(tag))
                if result is None:
                    lost[name, tag] = why()
                    continue
                if name == "ctr":
                    result = (result[0], containerd_memory())
                results.setdefault((name, tag), []).append(result)
                if undo:
                    subprocess.run(["sh", "-c", undo(tag)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   check=False)
        print(f"round {round_ + 1} of {ROUNDS}", file=sys.stderr, flush=True)
    clear()
    report(results, lost)


def report(results, lost):
    print(f"{'image':12} {'tool':14} {'median s':>9} {'of floor':>9} {'of podman':>10} {'MiB':>6}")
    for tag in IMAGES:
        medians = {name: statistics.median(s for s, _ in results[name, tag]) for name, t in results if t == tag}
        for name, median in sorted(medians.items(), key=lambda item: item[1]):
            podman = f"{median / medians['podman']:10.2f}" if "podman" in medians else f"{'-':>10}"
            of_floor = f"{median / medians[FLOOR]:9.2f}" if FLOOR in medians else f"{'-':>9}"
            memory = max(m for _, m in results[name, tag]) / 1024
            print(f"{tag:12} {name:14} {median:9.2f} {of_floor} {podman} {memory:6.0f}")
    for (name, tag), words in lost.items():
        print(f"{tag:12} {name:14} doesn't work here: {shlex.quote(words)}")


main()
