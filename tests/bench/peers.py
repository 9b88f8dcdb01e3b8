# SPDX-License-Identifier: MIT
"""usage: peers.py BUILD DIRECTORY ROUNDS: what peers.sh says, in the places that it has made"""
import os
import shutil
import statistics
import subprocess
import sys
import time

build, top, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
bundle, sleeps = top + "/bundle", top + "/sleeps"
RUNTIME = build + "/examples/lcx-runtime/lcx-runtime"
LCX = [build + "/examples/lcx/lcx", "--root", top + "/lcx-root", "--run-dir", "/run/lcx"]
os.environ["CONTAINERS_CONF"] = top + "/containers.conf"


def podman(runtime, *args):
    return ["podman", "--root", top + "/podman", "--runroot", "/run/podman", "--tmpdir", "/run/podman-tmp", "--storage-driver", "overlay",
            "--cgroup-manager", "cgroupfs", "--network-config-dir", top + "/net", "--runtime", runtime, *args]


def runtime_run(path, root):
    return [path, "--root", "/run/bench-" + root, "run", "--bundle", bundle, root]


def runtime_exec(path, root):
    return [path, "--root", "/run/bench-" + root, "exec", root + "-sleeps", "true"]


# (what, [(name, command)]: ours first, [(peer, at most this part of its time)])
TABLE = [
    ("an OCI bundle runs true", [("lcx-runtime", runtime_run(RUNTIME, "lcx")), ("crun", runtime_run("crun", "crun")),
                                 ("runc", runtime_run("runc", "runc"))], [("crun", 1 / 2), ("runc", 1 / 5)]),
    ("true is executed in a container", [("lcx-runtime", runtime_exec(RUNTIME, "lcx")), ("crun", runtime_exec("crun", "crun")),
                                         ("runc", runtime_exec("runc", "runc"))], [("crun", 1 / 2)]),
    ("a root file system runs true, no network", [
        ("lcx", [*LCX, "run", "--rm", "--network", "none", "--rootfs", bundle + "/rootfs", "true"]),
        ("bwrap", ["bwrap", "--bind", bundle + "/rootfs", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", "true"]),
        ("lxc-execute", ["lxc-execute", "-n", "bench", "-P", "/run/lxc-bench", "-f", top + "/lxc/config", "-o", "/dev/stderr", "-l", "ERROR", "--", "/bin/true"]),
        ("podman", podman("crun", "run", "--rm", "--network", "none", "--rootfs", bundle + "/rootfs", "true"))], []),
    ("podman runs true by another runtime, no network", [
        ("podman, lcx-runtime", podman(RUNTIME, "run", "--rm", "--network", "none", "box", "true")),
        ("podman, crun", podman("crun", "run", "--rm", "--network", "none", "box", "true"))], [("podman, crun", 1)]),
    ("an image runs true, with a log", [
        ("lcx", [*LCX, "run", "--rm", "--network", "none", "localhost/box", "true"]),
        ("podman", podman("crun", "run", "--rm", "--network", "none", "box", "true"))], []),
    ("an image runs true, with bridge, address and log", [
        ("lcx", [*LCX, "run", "--rm", "localhost/box", "true"]), ("podman", podman("crun", "run", "--rm", "box", "true"))],
     [("podman", 1 / 25)]),
]


def measure(command):
    began = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = (time.perf_counter() - began) * 1000
    if done.returncode:
        raise RuntimeError("status %d: %s" % (done.returncode, done.stderr.decode(errors="replace").strip()[:300]))
    return took


def compare(what, rows, aims):
    print(what)
    times, lost = {name: [] for name, _ in rows}, {}
    for number in range(rounds + 1):  # the first round warms up
        for name, command in rows:
            if name in lost:
                continue
            if not shutil.which(command[0]):
                lost[name] = "absent: not installed"
                continue
            try:
                took = measure(command)
            except RuntimeError as error:
                lost[name] = "fails here: %s" % error
                continue
            if number:
                times[name].append(took)
    ours = rows[0][0]
    medians = {name: statistics.median(taken) for name, taken in times.items() if taken and name not in lost}
    for name, _ in rows:
        ratio = ", ours is %.2f of it" % (medians[ours] / medians[name]) if name != ours and name in medians and ours in medians else ""
        print("  %-24s %s" % (name, lost.get(name) or "%8.2f ms%s" % (medians[name], ratio)))
    for peer, part in aims:
        if peer in medians and ours in medians:
            ratio = medians[ours] / medians[peer]
            print("  aim: at most %.2f of %s: %s, %.2f" % (part, peer, "reached" if ratio <= part else "missed", ratio))
    return medians


def main():
    if shutil.which("podman"):
        for command in (podman("crun", "import", "-q", top + "/box.tar", "box"), podman("crun", "save", "-q", "-o", top + "/saved", "box"),
                        [*LCX, "load", "-i", top + "/saved"]):
            subprocess.run(command, stdout=subprocess.DEVNULL)
        # Podman leaves its bridge when the last container has gone; ours stays with a container that runs.
        subprocess.run([*LCX, "run", "-d", "--name", "keeper", "localhost/box", "sleep", "1000"], stdout=subprocess.DEVNULL)
    runtimes = [(RUNTIME, "lcx"), ("crun", "crun"), ("runc", "runc")]
    for path, name in runtimes:
        if shutil.which(path):
            subprocess.run([path, "--root", "/run/bench-" + name, "run", "-d", "--bundle", sleeps, name + "-sleeps"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        medians = [compare(*row) for row in TABLE]
        if all("podman" in each and "lcx" in each for each in medians[-2:]):
            network = {name: medians[-1][name] - medians[-2][name] for name in ("lcx", "podman")}
            print("  of it bridge and address: lcx %.2f ms, podman %.2f ms, ours is %.2f of it" % (
                network["lcx"], network["podman"], network["lcx"] / network["podman"]))
    finally:
        subprocess.run([*LCX, "rm", "-f", "keeper"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for path, name in runtimes:
            if shutil.which(path):
                subprocess.run([path, "--root", "/run/bench-" + name, "delete", "--force", name + "-sleeps"], stderr=subprocess.DEVNULL)


main()
