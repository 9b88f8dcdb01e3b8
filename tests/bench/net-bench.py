# SPDX-License-Identifier: MIT
"""net-bench.py NET-TOOL ROOT ROUNDS: what net-bench.sh says."""
import json
import os
import statistics
import subprocess
import sys
import time

TOOL, ROOT, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
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
    tool("detach", "bench", "bench", "0")


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
    line = f"{what:<44} {ours:8.0f}"
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
    print(f"{'medians in microseconds':<44} {'lcx':>8} {'CNI':>8}     ratio")
    for ended, when in ((False, "its namespace lives on"), (True, "its namespace has ended")):
        for i, what in enumerate(("add", "delete")):
            if i == 1 or not ended:
                row(f"{what}, a program{'; ' + when if i else ''}", median["lcx", ended][i],
                    median["cni", ended][i] if has_cni else None)
    subprocess.run(["ip", "netns", "add", "bench"], check=True)
    out = subprocess.run([TOOL, ROOT, "cycle", "bench", str(ROUNDS), NETNS], check=True, stdout=subprocess.PIPE).stdout
    attach, detach = (float(word) for word in out.split())
    row("add, in its caller's process", attach, median["cni", False][0] if has_cni else None)
    row("delete, in its caller's process", detach, median["cni", False][1] if has_cni else None)
    subprocess.run(["ip", "netns", "del", "bench"], check=True)
    tool("detach", "bench", "resident", "0")


main()
