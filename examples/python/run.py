#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The whole sequence from Python: an image or a directory, a network, a web server in a container with an
address from the pool, an event loop over its descriptor, a second process, statistics, the log, and its end.

    run.py --root DIR (--layout OCI-LAYOUT [--ref NAME] | --rootfs DIR)
"""

import argparse
import os
import selectors
import signal
import sys
import time
import urllib.request

import lcx

SERVER = ("echo ready; echo 'no page yet' >&2; mkdir -p /tmp/www; "
          "echo \"hello from $(hostname)\" >/tmp/www/index.html; exec httpd -f -p 80 -h /tmp/www")


def say(step, words=""):
    print(f"{step:10} {words}", flush=True)


def describe(context, options):
    container = lcx.Container(context, "python-web")
    if options.layout:
        container.set_image("python-example")
    else:
        container.set_rootfs(os.path.abspath(options.rootfs))
    container.set_command(["sh", "-c", SERVER])
    container.set_network("python-net")
    container.spec.set_hostname("web")
    container.spec.set_memory_limit(64 << 20)
    container.spec.set_pids_limit(32)
    return container


def fetch(address):
    """The server needs a moment until it listens."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(100):
        try:
            return direct.open(f"http://{address}/", timeout=2).read().decode().strip()
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"run.py: nothing answers at {address}")


def run_to_its_end(process):
    """An event loop; a real one would watch more than one thing."""
    with selectors.DefaultSelector() as selector:
        selector.register(process, selectors.EVENT_READ)
        while process.dispatch():
            selector.select()
    return process.wait()


def execute(container, words):
    """Run a second process and return its status and output."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as output:
        process = container.exec(words, lcx.Stdio().attach(out_fd=write_end))
        status = run_to_its_end(process)
        process.close()
        os.close(write_end)
        return status, output.read().decode().strip()


def look_at(container):
    say("address", container.address)
    say("answer", fetch(container.address))
    status, output = execute(container, ["id", "-u"])
    say("exec", f"id -u: {output} (status {status})")
    status, _ = execute(container, ["sh", "-c", "exit 7"])
    say("exec", f"exit 7: status {status}")
    with container.stats() as stats:
        say("stats", f"{stats.memory_usage_bytes} bytes, {stats.pids_current} tasks, "
                     f"{stats.cpu_usage_ns // 1000} us of cpu")
    say("inspect", container.inspect()["id"][:12])


def end(container, process):
    process.kill(signal.SIGKILL)
    status = run_to_its_end(process)
    container.wait()
    say("ended", f"status {status}, state {container.state}")
    for _, stream, line in container.log():
        say("log", f"{'out' if stream == 1 else 'err'}: {line.decode().strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True)
    parser.add_argument("--layout")
    parser.add_argument("--ref", help="which image of the layout, if it has several")
    parser.add_argument("--rootfs")
    options = parser.parse_args()
    if bool(options.layout) == bool(options.rootfs):
        parser.error("either --layout or --rootfs")

    say("library", lcx.version())
    with lcx.Context(options.root) as context:
        if options.layout:
            say("image", context.import_image(options.layout, "python-example", options.ref))
        say("network", context.create_network("python-net"))
        try:
            with describe(context, options) as container:
                process = container.start()
                try:
                    say("started", container.id[:12])
                    look_at(container)
                    end(container, process)
                finally:
                    container.remove(force=True)
        finally:
            context.remove_network("python-net")
        say("removed", f"{len(context.containers())} containers left")


if __name__ == "__main__":
    try:
        main()
    except lcx.Error as error:
        sys.exit(f"run.py: {error.strerror}" + (f" (step: {error.stage})" if error.stage else ""))
