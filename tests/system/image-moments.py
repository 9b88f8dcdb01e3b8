#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: image-moments.py IMAGE-TOOL REFERENCE REGISTRY-LOG DIR KILLS

Kill a pull at random moments, repeat it, and hold what the registry served against what was there.
LCX_TEST_SEED repeats a run, but for the moments' exactness."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

TOOL, REFERENCE, LOG, DIR, KILLS = *sys.argv[1:5], int(sys.argv[5])
STORE = DIR + "/store"
SEED = int(os.environ.get("LCX_TEST_SEED", time.time_ns() % 1000000))
# The registry may begin to answer the dead one after its death: ours asks by another name of the same host.
AGAIN = REFERENCE.replace("127.0.0.1", "localhost", 1)
COMPLETED = re.compile(r'response completed.*?http\.request\.host="?([^ "]*).*?http\.request\.method=GET.*?http\.request\.uri="?/v2/random/blobs/'
                       r'(sha256:[0-9a-f]{64}).*?http\.response\.written=(\d+)')


def command(*arguments):
    return [TOOL, STORE, "--plain-http", *arguments]


def run(*arguments):
    return subprocess.run(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def layers():
    """The image's layers and their sizes, from a whole pull."""
    shown = run("show", REFERENCE).stdout
    manifest = re.search(r"manifest sha256:(\S+)", shown).group(1)
    with open(f"{STORE}/images/blobs/sha256/{manifest}", encoding="utf-8") as file:
        return {layer["digest"]: layer["size"] for layer in json.load(file)["layers"]}


def size_of(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def have(sizes):
    """Bytes of each layer that survived."""
    return {digest: size_of(f"{STORE}/images/blobs/sha256/{digest[7:]}") or
            size_of(f"{STORE}/images/partial/{digest[7:]}") for digest in sizes}


def served(log, reference, expected):
    """What the registry says that it has sent; its last line may come after our pull's end."""
    host = reference.split("/")[0]
    text = ""
    sent = {}
    deadline = time.monotonic() + 10
    while True:
        text += log.read()
        sent = {}
        for asked, digest, written in COMPLETED.findall(text):
            if asked == host and digest in expected:
                sent[digest] = sent.get(digest, 0) + int(written)
        if sent.keys() >= {d for d in expected if expected[d]} or time.monotonic() > deadline:
            return sent
        time.sleep(0.005)


def remove_store():
    shutil.rmtree(STORE, ignore_errors=True)


def trial(moment, sizes, log):
    """Return what is wrong, or None; and whether the kill came in time, and left something."""
    remove_store()
    with subprocess.Popen(command("pull", REFERENCE), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as pull:
        time.sleep(moment)
        pull.kill()
        killed = pull.wait() < 0
    there = have(sizes)
    missing = {digest: sizes[digest] - there[digest] for digest in sizes}
    log.read()
    again = run("pull", AGAIN)
    if again.returncode != 0:
        return "the second pull: " + again.stdout, killed, there
    sent = served(log, AGAIN, missing)
    for digest in sizes:
        if sent.get(digest, 0) > missing[digest]:
            return (f"{digest[:19]}: {there[digest]} of {sizes[digest]} bytes were there, "
                    f"and {sent[digest]} were sent"), killed, there
    verified = run("verify")
    if verified.returncode != 0:
        return "verify: " + verified.stdout, killed, there
    swept = run("gc")
    left = [name for place in ("tmp", "pins", "partial") for name in os.listdir(f"{STORE}/images/{place}")]
    return (f"left: {left} {swept.stdout}" if left else None), killed, there


def main():
    remove_store()
    began = time.monotonic()
    if run("pull", REFERENCE).returncode != 0:
        print("not ok - a pull that nobody kills")
        return 1
    duration = time.monotonic() - began
    sizes = layers()
    with open(LOG, encoding="utf-8", errors="replace") as log:
        if served(log, REFERENCE, sizes) != sizes:
            print("not ok - the registry's log tells what was sent")
            return 1
    print(f"# seed {SEED}; a whole pull takes {duration * 1000:.0f} ms", flush=True)
    moments = random.Random(SEED)
    trials = kills = resumed = wrong = 0
    with open(LOG, encoding="utf-8", errors="replace") as log:
        log.seek(0, os.SEEK_END)
        while kills < KILLS and trials < 3 * KILLS:
            trials += 1
            moment = moments.random() * duration * 0.8
            trouble, killed, there = trial(moment, sizes, log)
            kills += killed
            resumed += any(0 < there[d] < sizes[d] for d in sizes)
            if trouble:
                wrong += 1
                print(f"not ok - kill {trials} after {moment * 1000:.1f} ms: {trouble}")
    print(f"# {kills} of {trials} kills came in time, {resumed} left a part of a layer")
    if kills < KILLS or not resumed:
        print("not ok - pulls were killed before their end")
        wrong += 1
    if not wrong:
        print(f"ok - a pull killed at {kills} moments completes, resumes and verifies")
    return wrong != 0


sys.exit(main())
