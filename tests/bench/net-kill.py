# SPDX-License-Identifier: MIT
"""net-kill.py NET-TOOL ROOT: what net-kill.sh says."""
import glob
import json
import os
import re
import subprocess
import sys

TOOL, ROOT = sys.argv[1], sys.argv[2]
PLUGINS = "/usr/lib/cni"
NETNS = "/run/netns/victim"
CALLS = ("openat", "mkdirat", "linkat", "renameat", "unlinkat", "ftruncate", "write", "pwrite64", "fsync", "flock", "bind", "sendto", "close", "execve")
STEP = 3
CONFIG = {
    "cniVersion": "1.0.0", "name": "kills", "type": "bridge", "bridge": "cni-kills", "isGateway": True,
    "ipam": {"type": "host-local", "dataDir": "/run/cni-leases", "ranges": [[{"subnet": "10.95.0.0/24"}]]},
}
PORTMAP = {
    "cniVersion": "1.0.0", "name": "kills", "type": "portmap", "snat": True,
    "runtimeConfig": {"portMappings": [{"hostPort": 8095, "containerPort": 80, "protocol": "tcp"}]},
}


def run(*command, check=True, **options):
    return subprocess.run(command, check=check, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def environment(command, netns, owner):
    return dict(os.environ, CNI_COMMAND=command, CNI_CONTAINERID=owner, CNI_NETNS=netns, CNI_IFNAME="eth0", CNI_PATH=PLUGINS)


def strace(call, number):
    return ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}"]


def plugin(name, config, command, netns, kill=None, owner="victim"):
    return run(*(strace(*kill) if kill else []), f"{PLUGINS}/{name}", input=json.dumps(config).encode(), env=environment(command, netns, owner), check=False)


class Cni:
    name = "CNI"

    def attach(self, kill):
        """True if it was killed: strace and the program that it watches end alike."""
        added = plugin("bridge", CONFIG, "ADD", NETNS, kill)
        if added.returncode == -9 or added.returncode == 137:
            return True
        if added.returncode:
            return b"killed" in added.stdout  # its helper was, and it says so
        config = dict(PORTMAP, prevResult=json.loads(added.stdout))
        return plugin("portmap", config, "ADD", NETNS, kill).returncode in (-9, 137)

    def next_one(self):
        run("ip", "netns", "add", "next")
        plugin("bridge", CONFIG, "ADD", "/run/netns/next", owner="next")
        plugin("bridge", CONFIG, "DEL", "/run/netns/next", owner="next")
        run("ip", "netns", "del", "next")

    def clean_up(self):
        plugin("portmap", PORTMAP, "DEL", "")
        plugin("bridge", CONFIG, "DEL", "")

    def left(self):
        rules = run("nft", "list", "ruleset").stdout.decode()
        return {"interface": bool(re.search(r" veth\S+", run("ip", "-o", "link").stdout.decode())),
                "address": bool(glob.glob("/run/cni-leases/kills/10.*")),
                "rule": "8095" in rules or bool(re.search(r"chain CNI-DN-\w+", rules))}

    def reset(self):
        self.clean_up()
        for lease in glob.glob("/run/cni-leases/kills/10.*"):
            os.unlink(lease)
        run("nft", "flush", "ruleset")
        run("ip", "link", "del", "cni-kills", check=False)


class Lcx:
    name = "lcx"

    def attach(self, kill):
        return run(*strace(*kill), TOOL, ROOT, "attach", "kills", "victim", NETNS, "8095:80", check=False).returncode in (-9, 137)

    def next_one(self):
        run(TOOL, ROOT, "sweep")  # lcx_ctx_open() does that

    def clean_up(self):
        run(TOOL, ROOT, "sweep")

    def left(self):
        rules = run("nft", "list", "ruleset").stdout.decode()
        inspected = json.loads(run(TOOL, ROOT, "inspect", "kills").stdout)
        held = run(TOOL, ROOT, "remove", "kills", check=False).returncode != 0
        if not held:
            run(TOOL, ROOT, "create", "kills", "10.96.0.0/24", "resolver=none")
        return {"interface": bool(re.search(r" lcx[0-9a-f]{12}@", run("ip", "-o", "link").stdout.decode())),
                "address": held or bool(inspected["containers"]), "rule": "8095" in rules}

    def reset(self):
        run(TOOL, ROOT, "sweep")


def sweep_of_kills(way):
    """How often something was left: after the kill, after the next container, after the cleaning up."""
    kills, counts = 0, [{}, {}, {}]
    for call in CALLS:
        number = 1
        while True:
            run("ip", "netns", "add", "victim")
            killed = way.attach((call, number))
            run("ip", "netns", "del", "victim")
            if not killed:
                way.reset()
                break
            kills += 1
            number += STEP
            # An interface of a namespace that has ended goes in a moment, by itself.
            subprocess.run(["sh", "-c", "n=0; while ip -o link | grep -q -e veth -e 'lcx[0-9a-f]*@' && [ $n -lt 100 ]; do n=$((n + 1)); sleep 0.02; done"], check=True)
            for count, step in zip(counts, (lambda: None, way.next_one, way.clean_up)):
                step()
                for what, there in way.left().items():
                    count[what] = count.get(what, 0) + there
            way.reset()
    return kills, counts


def main():
    run(TOOL, ROOT, "create", "kills", "10.96.0.0/24", "resolver=none")
    for way in ((Cni(), Lcx()) if os.path.exists(f"{PLUGINS}/bridge") else (Lcx(),)):
        kills, counts = sweep_of_kills(way)
        print(f"{way.name}: killed at {kills} calls of an attachment; left behind:")
        for when, count in zip(("when the container has ended", "after the next one, who does not know of it", "cleaned up by its name"), counts):
            print(f"    {when:<46}", ", ".join(f"{what} {number}" for what, number in count.items()), flush=True)


main()
