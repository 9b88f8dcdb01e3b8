# SPDX-License-Identifier: MIT
"""net-bench.py DIRECTORY ROOT ROUNDS: what net-bench.sh says; the programs of the tests are in the directory."""
import json
import os
import statistics
import subprocess
import sys
import time

TOOL, TIMES, ROOT, ROUNDS = sys.argv[1] + "/net-tool", sys.argv[1] + "/net-times", sys.argv[2], int(sys.argv[3])
PLUGINS = "/usr/lib/cni"
CHAIN = ("bridge", "portmap", "firewall")
NETNS = "/run/netns/bench"

CONFIGS = {
    "bridge": {"type": "bridge", "bridge": "cni-bench", "isGateway": True,
               "ipam": {"type": "host-local", "dataDir": "/run/cni-leases",
                        "ranges": [[{"subnet": "10.95.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    "portmap": {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True,
                "runtimeConfig": {"portMappings": [{"hostPort": 8095, "containerPort": 80, "protocol": "tcp"}]}},
    "firewall": {"type": "firewall"},
}


def plugin(command, name, previous, netns, kill_after=None):
    config = dict(CONFIGS[name], cniVersion="1.0.0", name="bench")
    if previous:
        config["prevResult"] = previous
    environment = dict(os.environ, CNI_COMMAND=command, CNI_CONTAINERID="bench", CNI_NETNS=netns,
                       CNI_IFNAME="eth0", CNI_PATH=PLUGINS)
    done = subprocess.run([f"{PLUGINS}/{name}"], input=json.dumps(config).encode(), env=environment,
                          stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{command} {name}: {done.stdout.decode()}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def cni_add():
    previous = None
    for name in CHAIN:
        previous = plugin("ADD", name, previous, NETNS)
    return previous


def cni_del(previous, netns=NETNS):
    for name in reversed(CHAIN):
        plugin("DEL", name, previous, netns)


def tool(*arguments):
    subprocess.run([TOOL, ROOT, *arguments], check=True, stdout=subprocess.DEVNULL)


def lcx_add():
    tool("attach", "bench", "bench", NETNS, "8094:80")


def lcx_del(_):
    tool("detach", "bench", "bench")


def timed(function, *arguments):
    began = time.monotonic()
    result = function(*arguments)
    return (time.monotonic() - began) * 1e6, result


def cycle(add, delete, first_ends):
    """One container: it comes, and goes; its namespace ends before, or after."""
    subprocess.run(["ip", "netns", "add", "bench"], check=True)
    added, result = timed(add)
    if first_ends:
        subprocess.run(["ip", "netns", "del", "bench"], check=True)
    deleted, _ = timed(delete, result)
    if not first_ends:
        subprocess.run(["ip", "netns", "del", "bench"], check=True)
    return added, deleted


def row(what, ours, theirs=None):
    line = f"{what:<60} {ours:8.0f}"
    if theirs:
        line += f" {theirs:8.0f}    {ours / theirs:6.3f}"
    print(line, flush=True)


def main():
    has_cni = os.path.exists(f"{PLUGINS}/bridge")
    tool("create", "bench", "10.94.0.0/16")
    tool("create", "alone", "10.93.0.0/16")
    # Somebody is in each network all the time: what is measured is one more, not the bridge.
    subprocess.run(["ip", "netns", "add", "resident"], check=True)
    tool("attach", "bench", "resident", "/run/netns/resident")
    ways = {("lcx", False): (lcx_add, lcx_del)}
    ways["lcx", True] = (lcx_add, lcx_del)
    if has_cni:
        ways["cni", False] = (cni_add, cni_del)
        ways["cni", True] = (cni_add, lambda previous: cni_del(previous, ""))
    times = {way: ([], []) for way in ways}
    for _ in range(ROUNDS):
        for way, (add, delete) in ways.items():
            added, deleted = cycle(add, delete, way[1])
            times[way][0].append(added)
            times[way][1].append(deleted)
    median = {way: tuple(statistics.median(t) for t in pair) for way, pair in times.items()}
    print(f"{'medians in microseconds':<60} {'lcx':>8} {'CNI':>8}     ratio")
    for ended, when in ((False, "its namespace lives on"), (True, "its namespace has ended")):
        for i, what in enumerate(("add", "delete")):
            if i == 1 or not ended:
                row(f"{what}, a program{'; ' + when if i else ''}", median["lcx", ended][i],
                    median["cni", ended][i] if has_cni else None)
    tool("detach", "bench", "resident")
    subprocess.run(["ip", "netns", "del", "resident"], check=True)
    for verb, ended, when in (("cycle", False, "its namespace lives on"), ("life", True, "its namespace has ended")):
        out = subprocess.run([TIMES, ROOT, verb, "bench", str(ROUNDS)], check=True, stdout=subprocess.PIPE).stdout.decode()
        times = {line.split()[0]: [float(word) for word in line.split()[1:]] for line in out.splitlines()}
        for i, what in enumerate(("add", "delete")):
            for who, name in (("lcx", "in its caller's process"), ("hand", "the kernel's part, by hand")):
                if i == 1 or not ended:
                    row(f"{what}, {name}{'; ' + when if i else ''}", times[who][i], median["cni", ended][i] if has_cni else None)


main()
