# SPDX-License-Identifier: MIT
"""usage: run.py RUNTIME ROOTFS SCHEMAS DIRECTORY

Run the table (table.py) with a runtime: rows of a group in one container, groups side by side. Prints a line
of TAP for each row, and one for each way in which the table and the schemas may differ.
"""
import array
import concurrent.futures
import copy
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading

import table

runtime, rootfs, schemas, top = sys.argv[1:5]
shared = os.path.join(top, "shared")
LIMIT = 60  # seconds: only what hangs takes as long


def first_disk():
    for name in sorted(os.listdir("/sys/block")):
        if not name.startswith("zram"):
            return open("/sys/block/%s/dev" % name).read().strip()
    return "7:0"


def says_yes(path):
    try:
        return open(path).read().startswith("Y")
    except OSError:
        return False


kernel = {
    "apparmor": says_yes("/sys/module/apparmor/parameters/enabled"),
    "numa": os.path.exists("/sys/devices/system/node"),
    "x86 compat": subprocess.run([rootfs + "/bin/probe", "compat"], capture_output=True).returncode == 0,
}
version = "v2" if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else "v1"
disk = first_disk()
# Namespaces to join. It is a child of what made them: only that is in the time namespace.
maker = subprocess.Popen(["unshare", "--uts", "--ipc", "--net", "--cgroup", "--time", "--fork", "--kill-child", "sh", "-c",
                          "echo $$; exec sleep 1000"], stdout=subprocess.PIPE)
holder = int(maker.stdout.readline())


def link(pid, name):
    return os.readlink("/proc/%s/ns/%s" % (pid, name))


def filled(value):
    """With the names of what was made here in the place of the table's words."""
    if isinstance(value, dict):
        return {filled(key): filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if value in ("MAJOR", "MINOR"):
        return int(disk.split(":")[value == "MINOR"])
    if not isinstance(value, str):
        return value
    return (value.replace("SHARED", shared).replace("NS/", "/proc/%d/ns/" % holder)
            .replace("oci.PID", "oci.%d" % os.getpid()))


def put(config, path, value):
    *places, last = path.split(".")
    at = config
    while places:
        at = at.setdefault(places.pop(0), {})
    if last.endswith("[]"):
        at.setdefault(last[:-2], []).extend(value if isinstance(value, list) else [value])
    else:
        at[last] = value



class Group:
    def __init__(self, name, rows):
        self.name, self.rows = name, rows
        self.id = "oci-" + re.sub(r"\W", "-", name)
        self.bundle = os.path.join(top, self.id)
        os.makedirs(self.bundle, exist_ok=True)
        self.later = rows[0].later
        self.refused = rows[0].refused if rows[0].refused and not kernel.get(rows[0].needs) else None
        self.results = []

    def write(self):
        config = copy.deepcopy(table.BASE)
        seen = []
        for row in self.rows:
            for path, value in row.edit.items():
                if (path, value) not in seen:
                    seen.append((path, value))
                    put(config, path, filled(copy.deepcopy(value)))
        if self.name != "user":
            config["root"]["path"] = rootfs
        if self.later:
            config["process"]["args"] = ["sleep", "1000"]
        else:
            config["process"]["args"] = ["sh", "-c", self.script(), "sh", "one"]
        with open(self.bundle + "/config.json", "w") as f:
            json.dump(config, f)

    def script(self):
        if len(self.rows) == 1:
            return "exec 2>&1\necho @@0\n%s" % (self.rows[0].command or "true")
        return "\n".join("echo @@%d\n(%s) 2>&1" % (i, row.command) for i, row in enumerate(self.rows)) + "\nexit 0"

    def call(self, *args, **more):
        return subprocess.run([runtime, "--root", top + "/runtime", *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=LIMIT, **more)

    def run(self):
        self.write()
        if self.name == "terminal":
            return self.run_on_terminal()
        if self.name == "listener":
            threading.Thread(target=self.listen, args=(listening(shared + "/listener"),)).start()
        if not self.later:
            return self.call("run", "--bundle", self.bundle, self.id)
        # What it has for standard output it keeps: no pipe that somebody reads to the end.
        with open(self.bundle + "/output", "w+b") as output:
            done = subprocess.run([runtime, "--root", top + "/runtime", "run", "-d", "--bundle", self.bundle, self.id],
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=LIMIT)
            output.seek(0)
            done.stdout = output.read()
        if done.returncode == 0:
            done = self.call("exec", self.id, "sh", "-c", self.script())
        self.call("delete", "--force", self.id)
        return done

    def run_on_terminal(self):
        server = listening(self.bundle + "/console")
        made = self.call("create", "--bundle", self.bundle, "--console-socket", self.bundle + "/console", self.id)
        if made.returncode:
            return made
        connection, _ = server.accept()
        _, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
        master = array.array("i", ancillary[0][2])[0]
        self.call("start", self.id)
        text = b""
        while True:
            try:
                part = os.read(master, 4096)
            except OSError:
                break
            text += part
        self.call("delete", "--force", self.id)
        return subprocess.CompletedProcess([], 0, text.replace(b"\r", b""))

    def listen(self, server):
        connection, _ = server.accept()
        text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
        while not text.endswith(b"}"):
            text += connection.recv(65536)
        for fd in fds:
            os.close(fd)
        told = json.loads(text)
        self.results.append(("the listener gets its metadata and the state", (told["metadata"], told["state"]["id"]),
                             ("for you", self.id)))

    def check(self):
        """Results: (name, found, expected)."""
        try:
            done = self.run()
        except subprocess.TimeoutExpired:
            self.call("delete", "--force", self.id)
            return [(name_of(row), "no end after %d seconds" % LIMIT, row.expect) for row in self.rows]
        text = done.stdout.decode(errors="replace")
        if self.refused:
            row = self.rows[0]
            left = self.call("state", self.id).returncode == 0
            return [(name_of(row) + ": refused by name", "%d: %s%s" % (done.returncode, text, " and left" if left else ""),
                     re.compile("^1: .*(%s)(?!.* and left$)" % self.refused, re.S))]
        parts = dict(re.findall(r"^@@(\d+)\n(.*?)(?=^@@|\Z)", text, re.S | re.M))
        for i, row in enumerate(self.rows):
            found = parts[str(i)].rstrip("\n ") if str(i) in parts else "[%d] %s" % (done.returncode, text)
            self.results.append((name_of(row), found, expected(row)))
        if self.name == "hooks":
            self.results.append(check_hooks())
        return self.results


def listening(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    server.settimeout(LIMIT)
    return server


def check_hooks():
    with open(shared + "/hooks") as f:
        lines = [line.split(" ", 3) for line in f]
    found = [(kind, name, home, json.loads(state)["status"]) for kind, name, home, state in lines]
    return ("hooks of the host: their order, arguments, environment and state", found,
            [(kind, "named", "clean", status) for kind, status in
             (("prestart", "creating"), ("createRuntime", "creating"), ("createContainer", "creating"),
              ("poststart", "running"), ("poststop", "stopped"))])


def name_of(row):
    more = len(row.covers) - 1
    return getattr(row, "name", None) or "%s%s%s" % (row.covers[0], " and %d more" % more if more else "",
                                                     ", in a later process" if row.later else "")


def expected(row):
    """The table's words that only the moment gives."""
    expect = row.expect
    if expect == "NEW":
        mine = {name: link("self", name) for name in table.KINDS.values()}

        def all_new(text):
            pairs = dict(line.split() for line in text.splitlines())
            return len(pairs) == 7 and all(value != mine[name] for name, value in pairs.items())
        return all_new
    if isinstance(expect, str) and expect.startswith("NS "):
        return link(holder, expect[3:])
    if isinstance(expect, str) and expect.startswith("HOST "):
        return "\n".join(link("self", name) for name in expect.split()[1:])
    if isinstance(expect, str):
        with open("/sys/devices/system/cpu/online") as f:
            return expect.replace("DISK", disk).replace("ONLINE", f.read().strip())
    return expect


def holds(found, expect):
    if isinstance(expect, re.Pattern):
        return bool(expect.search(found))
    return expect(found) if callable(expect) else found == expect


def report(name, found, expect):
    good = holds(found, expect)
    print("%sok - %s" % ("" if good else "not ", name))
    if not good:
        wanted = expect.pattern if isinstance(expect, re.Pattern) else expect
        print("\n".join("# " + line for line in ("expected: %s\nfound:    %s" % (wanted, found)).splitlines()))
    return good


# --- the schemas


def properties():
    """Every path to a value in the schema of a config.json, but those of other systems."""
    documents, found = {}, set()

    def document(name):
        if name not in documents:
            with open(os.path.join(schemas, name)) as f:
                documents[name] = json.load(f)
        return documents[name]

    def walk(name, node, path):
        if path.split(".")[0] in ("windows", "solaris", "vm", "zos", "freebsd"):
            return
        if "$ref" in node:
            file, _, fragment = node["$ref"].partition("#")
            file = os.path.basename(file) or name
            target = document(file)
            for part in filter(None, fragment.split("/")):
                target = target[part]
            return walk(file, target, path)
        for key in ("allOf", "anyOf", "oneOf"):
            for item in node.get(key, []):
                walk(name, item, path)
        below = {"[]": node["items"]} if "items" in node else {}
        for key, item in node.get("properties", {}).items():
            below[(path and ".") + key] = item
        if not node.get("properties"):
            for key, item in node.get("patternProperties", {}).items():
                below[".*"] = item
        for key, item in below.items():
            walk(name, item, path + key)
        if not below and not any(key in node for key in ("allOf", "anyOf", "oneOf")):
            found.add(path)

    walk("config-schema.json", document("config-schema.json"), "")
    return found


def check_coverage(rows):
    covered = {path for row in rows for path in row.covers} | set(table.REASONS)
    every = properties()
    yield "every property of the schema is in the table, or has a reason", sorted(every - covered), []
    yield "the table names no other", sorted(covered - every), []
    options = {option for row in rows for option in getattr(row, "options", [])}
    features = json.loads(subprocess.check_output([runtime, "features"]))
    yield "every option of a mount that features lists is in the table", sorted(set(features["mountOptions"]) - options), []


def check_examples():
    """What is wrong is named by its path in the document, and nothing is left of the try."""
    for kind in ("bad", "good"):
        directory = os.path.join(schemas, "test/config", kind)
        for name in sorted(os.listdir(directory)):
            bundle = os.path.join(top, "%s-%s" % (kind, name))
            os.mkdir(bundle)
            shutil.copy(os.path.join(directory, name), bundle + "/config.json")
            done = subprocess.run([runtime, "--root", top + "/runtime", "create", "--bundle", bundle, "example"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
            yield ("the %s example %s" % (kind, name), "%d: %s" % (done.returncode, done.stderr),
                   re.compile("^1: .*" + (table.BAD[name] if kind == "bad" else table.GOOD)))
    left = subprocess.check_output([runtime, "--root", top + "/runtime", "list", "--quiet"], text=True)
    yield "nothing is left of any container", left, ""


def main():
    rows = [row for row in table.ROWS if getattr(row, "version", version) == version]
    names = {}
    for number, row in enumerate(rows):
        if row.same and os.environ.get("LCX_TEST_GUEST"):
            continue
        alone = row.group is None or (row.needs and not kernel[row.needs])
        names.setdefault("alone %d" % number if alone else row.group, []).append(row)
    groups = [Group(name, members) for name, members in names.items()]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        results = [result for found in pool.map(Group.check, groups) for result in found]
    results += check_coverage(rows)
    results += check_examples()
    bad = [result for result in results if not report(*result)]
    sys.exit(1 if bad else 0)


try:
    main()
finally:
    maker.kill()
    maker.wait()
