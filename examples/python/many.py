#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many containers at once on one thread: an asyncio program that goes on with its own work all the while.

    many.py --root DIR --rootfs DIR [--count N]

Each container waits until all are there, says a line, and ends with a status of its own.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import threading

import lcx


class Many:
    def __init__(self, context, options, gate):
        self.context, self.options, self.gate = context, options, gate
        self.containers, self.statuses, self.ticks = {}, {}, 0
        self.ended = asyncio.Event()

    def hear(self):
        """What asyncio calls when the context's descriptor is readable."""
        for kind, container_id, status in self.context.events():
            if kind == "exited" and container_id in self.containers:
                self.statuses[container_id] = status
        if len(self.statuses) == self.options.count:
            self.ended.set()

    async def tick(self):
        """The rest of the program."""
        while True:
            self.ticks += 1
            await asyncio.sleep(0.01)

    def start(self, number):
        container = lcx.Container(self.context, f"many-{number}")
        container.set_rootfs(os.path.abspath(self.options.rootfs))
        container.set_network("none")
        container.add_volume(f"{self.gate}:/gate")
        container.set_command(["sh", "-c", f"read go </gate/fifo; echo line of {number}; exit {number % 100}"])
        container.start()
        self.containers[container.id] = (number, container)

    async def run(self):
        loop = asyncio.get_running_loop()
        # First the descriptor: from then on events are told and containers are served.
        loop.add_reader(self.context.fileno(), self.hear)
        ticker = asyncio.create_task(self.tick())
        for number in range(self.options.count):
            self.start(number)
            await asyncio.sleep(0)
        states = [container.state for _, container in self.containers.values()]
        print(f"running at once: {states.count('running')}, threads: {threading.active_count()}")
        # A line for each; who is late finds his, as the pipe stays open.
        gate = os.open(self.gate + "/fifo", os.O_RDWR)
        os.write(gate, b"\n" * self.options.count)
        await self.ended.wait()
        os.close(gate)
        ticker.cancel()
        loop.remove_reader(self.context.fileno())

    def check(self):
        right = sum(self.statuses[i] == n % 100 for i, (n, _) in self.containers.items())
        lines = sum([line for _, _, line in c.log()] == [b"line of %d\n" % n] for n, c in self.containers.values())
        print(f"right statuses: {right}, whole logs: {lines}, the program went on: {'yes' if self.ticks > 10 else 'no'}")

    def remove(self):
        for _, container in self.containers.values():
            container.remove(force=True)
            container.close()
        print(f"left: {len(self.context.containers())}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", required=True)
    parser.add_argument("--rootfs", required=True)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as gate, lcx.Context(options.root) as context:
        os.mkfifo(gate + "/fifo")
        many = Many(context, options, gate)
        try:
            asyncio.run(many.run())
            many.check()
        finally:
            many.remove()


if __name__ == "__main__":
    try:
        main()
    except lcx.Error as error:
        sys.exit(f"many.py: {error.strerror}" + (f" (step: {error.stage})" if error.stage else ""))
