# SPDX-License-Identifier: MIT
"""Every property of a config.json that Linux has, with what it does: the table of the suite.

A row edits a small config.json, runs a command in that container and compares what it says. Rows with the
same group share one container, so their edits must not meet. To test a property is to add a row.
"""
import re

MIB = 1 << 20


class Row:
    """What it shows: `covers` (paths as in the schema), `edit` ({path: value}, "x[]" appends), `command`
    (shell code, in the container), `expect` (all that it prints, a pattern, or a function of the text).

    group:    the container that it shares; None: one of its own
    later:    the command is executed in the running container, by `exec`
    needs:    a name in run.py's `kernel`; where that is false, `refused` must be what the start fails with
    refused:  words of the error (a pattern); without `needs` it must always fail
    same:     on every kernel: not again in the guest, which is slow
    """

    def __init__(self, covers, edit=None, command=None, expect=None, group="plain", later=False, needs=None,
                 refused=None, same=False):
        self.covers = covers.split()
        self.edit = edit or {}
        self.command, self.expect = command, expect
        self.group, self.later = group, later
        self.needs, self.refused, self.same = needs, refused, same


def pattern(text):
    return re.compile(text, re.S)


BASE = {
    "ociVersion": "1.3.0",
    "root": {"path": "rootfs"},
    "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": [], "env": ["PATH=/bin"]},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
               {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]}],
    "linux": {"namespaces": [{"type": kind} for kind in ("pid", "mount", "uts", "ipc", "network")]},
}

# --- the process

CAPABILITIES = "process.capabilities."
ALL_SETS = {CAPABILITIES + kind: ["CAP_CHOWN", "CAP_KILL", "CAP_SYS_ADMIN"] for kind in ("bounding", "permitted")}

process = [
    Row("ociVersion process.args[]", {}, "echo $0 $1", "sh one"),
    Row("process.cwd", {"process.cwd": "/usr/bin"}, "pwd", "/usr/bin"),
    Row("process.env[]", {"process.env[]": "A=b c"}, 'echo "$A"', "b c"),
    Row("process.user.umask", {"process.user.umask": 0o27}, "umask", "0027"),
    Row("process.user.additionalGids[]", {"process.user.additionalGids": [50, 77]},
        "grep ^Groups /proc/self/status | tr -s '\\t ' ' '", pattern("Groups: 50 77 ?")),
    Row("process.user.uid process.user.gid", {"process.user": {"uid": 1000, "gid": 1001}}, "echo $(id -u):$(id -g)",
        "1000:1001", group="user"),
    Row("process.noNewPrivileges", {"process.noNewPrivileges": True}, "grep NoNewPrivs /proc/self/status | cut -f2", "1"),
    Row("process.noNewPrivileges", {}, "grep NoNewPrivs /proc/self/status | cut -f2", "0", group="user"),
    Row("process.oomScoreAdj", {"process.oomScoreAdj": 321}, "cat /proc/self/oom_score_adj", "321"),
    Row("process.scheduler.policy process.scheduler.nice", {"process.scheduler": {"policy": "SCHED_BATCH", "nice": 7}},
        "probe scheduler", "policy 3 nice 7"),
    Row("process.scheduler.priority process.scheduler.flags[]",
        {"process.scheduler": {"policy": "SCHED_FIFO", "priority": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}},
        "exec probe scheduler", "policy 1 priority 5 reset", group=None),
    Row("process.scheduler.runtime process.scheduler.deadline process.scheduler.period",
        {"process.scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 20000000, "period": 30000000}},
        "exec probe scheduler", "policy 6 1000000 20000000 30000000", group=None),
    Row("process.ioPriority.class process.ioPriority.priority",
        {"process.ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}}, "probe io", "class 2 priority 6"),
    Row("process.execCPUAffinity.initial process.execCPUAffinity.final",
        {"process.execCPUAffinity": {"initial": "0", "final": "0"}}, "probe cpus", "cpus 0", group="later", later=True),
    Row("process.execCPUAffinity.final", {"process.execCPUAffinity": {"final": "0"}}, "probe cpus",
        "cpus ONLINE",
        group="user"),
    Row("process.apparmorProfile", {"process.apparmorProfile": "lcx-oci"}, "cat /proc/self/attr/current", "lcx-oci (enforce)",
        group=None, needs="apparmor", refused="process.apparmorProfile: .*CONFIG_SECURITY_APPARMOR"),
    Row("process.selinuxLabel", {"process.selinuxLabel": "system_u:system_r:container_t:s0"}, group=None,
        refused="process.selinuxLabel: .*CONFIG_SECURITY_SELINUX"),
    Row("process.terminal process.consoleSize.height process.consoleSize.width",
        {"process.terminal": True, "process.consoleSize": {"height": 30, "width": 90},
         "mounts[]": {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance"]}},
        "tty; stty size; test -c /dev/console && echo console", "/dev/pts/0\n30 90\nconsole", group="terminal"),
    Row("process.capabilities.bounding[] process.capabilities.permitted[] process.capabilities.effective[]"
        " process.capabilities.inheritable[] process.capabilities.ambient[]",
        {CAPABILITIES + "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], CAPABILITIES + "permitted": ["CAP_CHOWN", "CAP_KILL"],
         CAPABILITIES + "effective": ["CAP_CHOWN", "CAP_KILL"], CAPABILITIES + "inheritable": ["CAP_KILL"],
         CAPABILITIES + "ambient": ["CAP_KILL"], "process.user": {"uid": 1000, "gid": 1000}},
        # An ordinary user's program keeps what is ambient.
        "grep ^Cap /proc/self/status | cut -f2 | sed s/^0*// | tr '\\n' ' '", "20 20 20 a1 20", group=None),
]

RLIMITS = {  # of the specification: what /proc/self/limits calls it, a value that any limit allows
    "CPU": ("Max cpu time", 1000), "FSIZE": ("Max file size", 1 << 30), "DATA": ("Max data size", 1 << 31),
    "STACK": ("Max stack size", 1 << 20), "CORE": ("Max core file size", 0), "RSS": ("Max resident set", 1 << 30),
    "NPROC": ("Max processes", 200), "NOFILE": ("Max open files", 64), "MEMLOCK": ("Max locked memory", 65536),
    "AS": ("Max address space", 1 << 32), "LOCKS": ("Max file locks", 100), "SIGPENDING": ("Max pending signals", 100),
    "MSGQUEUE": ("Max msgqueue size", 1000), "NICE": ("Max nice priority", 0), "RTPRIO": ("Max realtime priority", 0),
    "RTTIME": ("Max realtime timeout", 1000000),
}
process += [Row("process.rlimits[].type process.rlimits[].soft process.rlimits[].hard",
                {"process.rlimits[]": {"type": "RLIMIT_" + name, "soft": value // 2, "hard": value}},
                "sed -n 's/^%s  *\\([0-9]*\\)  *\\([0-9]*\\).*/\\1 \\2/p' /proc/self/limits" % words,
                "%d %d" % (value // 2, value), group="limits")
            for name, (words, value) in RLIMITS.items()]

# --- the root and the mounts


def line_of(place):
    """What the container sees of a mount: its options, propagation, type and its file system's options."""
    return "while read -r id parent dev root at rest; do [ $at != %s ] || echo $rest; done </proc/self/mountinfo" % place


files = [
    Row("root.path", {}, "cat /etc/marker", "this root", group="user"),
    Row("root.readonly", {"root.readonly": True}, "touch /x", pattern("Read-only file system"), group="read-only"),
    Row("hostname", {"hostname": "named"}, "hostname", "named"),
    Row("domainname", {"domainname": "domain.example"}, "cat /proc/sys/kernel/domainname", "domain.example"),
    Row("mounts[].destination mounts[].type mounts[].source mounts[].options[]",
        {"mounts[]": {"destination": "/data/new", "type": "tmpfs", "source": "named", "options": ["size=64k", "ro"]}},
        line_of("/data/new"), pattern(r"^ro,relatime - tmpfs named r[ow],size=64k")),
    Row("mounts[].source", {"mounts[]": {"destination": "/file", "type": "bind", "source": "SHARED/file", "options": ["bind"]}},
        "cat /file", "of the host"),
    Row("mounts[].uidMappings[].containerID mounts[].uidMappings[].hostID mounts[].uidMappings[].size"
        " mounts[].gidMappings[].containerID mounts[].gidMappings[].hostID mounts[].gidMappings[].size",
        {"mounts[]": {"destination": "/mapped", "type": "bind", "source": "SHARED/owned", "options": ["bind"],
                      "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}],
                      "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]}},
        "stat -c %u:%g /mapped/owned", "1005:2006"),
    Row("linux.maskedPaths[]", {"linux.maskedPaths": ["/etc/secret", "/etc/secrets", "/nowhere"]},
        "wc -c </etc/secret; ls -A /etc/secrets | wc -l; touch /etc/secrets/x", pattern("^0\n0\n.*Read-only")),
    Row("linux.readonlyPaths[]", {"linux.readonlyPaths": ["/var/log", "/nowhere"]}, "touch /var/log/x; touch /var/x && echo other",
        pattern("Read-only.*other")),
    Row("linux.mountLabel", {"linux.mountLabel": "system_u:object_r:container_file_t:s0"}, group=None,
        refused="linux.mountLabel: .*CONFIG_SECURITY_SELINUX"),
]
files += [Row("linux.rootfsPropagation", {"linux.rootfsPropagation": kind}, line_of("/") + " | tail -n 1", pattern(words), group=None)
          for kind, words in (("private", r"^rw,\S+ - "), ("shared", r"shared:\d+"), ("slave", r"^rw,\S+ (master:\d+ )?- "),
                              ("unbindable", "unbindable"))]

# Every word of the specification's table: on which mount, and what is then seen of it. {} is the mount's place.
TMPFS = {"type": "tmpfs", "source": "tmpfs"}
TREE = {"type": "bind", "source": "SHARED/tree"}
OPTIONS = [  # (options, mount, where below it, pattern)
    ("async", TMPFS, "", "^rw"), ("sync", TMPFS, "", "- tmpfs tmpfs rw,sync"), ("dirsync", TMPFS, "", "- tmpfs tmpfs rw,dirsync"),
    ("lazytime", TMPFS, "", "- tmpfs tmpfs rw,lazytime"), ("nolazytime", TMPFS, "", "- tmpfs tmpfs rw(?!,lazytime)"),
    ("mand", TMPFS, "", "^rw"), ("nomand", TMPFS, "", "^rw"), ("silent", TMPFS, "", "^rw"), ("loud", TMPFS, "", "^rw"),
    ("noiversion", TMPFS, "", "^rw"),
    ("defaults", TMPFS, "", "^rw,relatime "), ("ro", TMPFS, "", "^ro,"), ("rw", TMPFS, "", "^rw,"),
    ("atime", TMPFS, "", "^rw,relatime "), ("noatime", TMPFS, "", "^rw,noatime "),
    ("norelatime", TMPFS, "", "^rw"), ("relatime", TMPFS, "", "^rw,relatime "),
    ("strictatime", TMPFS, "", "^rw "), ("nostrictatime", TMPFS, "", "^rw,relatime "),
    ("diratime", TMPFS, "", "^rw,relatime "), ("nodiratime", TMPFS, "", "^rw,nodiratime"),
    ("dev", TMPFS, "", "^rw,relatime "), ("nodev", TMPFS, "", "^rw,nodev,"),
    ("exec", TMPFS, "", "^rw,relatime "), ("noexec", TMPFS, "", "^rw,noexec,"),
    ("suid", TMPFS, "", "^rw,relatime "), ("nosuid", TMPFS, "", "^rw,nosuid,"),
    ("symfollow", TMPFS, "", "^rw,relatime "), ("nosymfollow", TMPFS, "", "nosymfollow"),
    ("bind ro", TREE, "", "^ro,"), ("rbind ro", TREE, "/sub", "^ro,nosuid,nodev,noexec,noatime"),
    ("rbind rro", TREE, "/sub", "^ro,nosuid,nodev,noexec,noatime"), ("rbind rrw", TREE, "/sub", "^rw,nosuid,nodev,noexec,noatime"),
    ("rbind rsuid", TREE, "/sub", "^ro,nodev,noexec,noatime"), ("rbind rnosuid", TREE, "/other", "^rw,nosuid,relatime"),
    ("rbind rdev", TREE, "/sub", "^ro,nosuid,noexec,noatime"), ("rbind rnodev", TREE, "/other", "^rw,nodev,relatime"),
    ("rbind rexec", TREE, "/sub", "^ro,nosuid,nodev,noatime"), ("rbind rnoexec", TREE, "/other", "^rw,noexec,relatime"),
    ("rbind ratime", TREE, "/sub", "^ro,nosuid,nodev,noexec,relatime"), ("rbind rnoatime", TREE, "/other", "^rw,noatime"),
    ("rbind rrelatime", TREE, "/sub", "^ro,nosuid,nodev,noexec,relatime"), ("rbind rnorelatime", TREE, "/other", "^rw"),
    ("rbind rstrictatime", TREE, "/other", "^rw "), ("rbind rnostrictatime", TREE, "/other", "^rw,relatime"),
    ("rbind rdiratime", TREE, "/other", "^rw,relatime "), ("rbind rnodiratime", TREE, "/other", "^rw,nodiratime"),
    ("rbind rsymfollow", TREE, "/other", "^rw,relatime "), ("rbind rnosymfollow", TREE, "/other", "nosymfollow"),
    ("rbind private", TREE, "", r"^rw,\S+ - "), ("rbind rprivate", TREE, "/other", r"^rw,\S+ - "),
    ("rbind shared", TREE, "", "shared:"), ("rbind rshared", TREE, "/other", "shared:"),
    ("rbind slave", TREE, "", r"master:"), ("rbind rslave", TREE, "/other", r"master:"),
    ("rbind unbindable", TREE, "", "unbindable"), ("rbind runbindable", TREE, "/other", "unbindable"),
    ("tmpcopyup", TMPFS, "", "^rw"), ("bind remount nosuid", TMPFS, "", "^rw,nosuid"),
]


def option_row(number, options, mount, below, words):
    place = "/m/%d" % number
    mounts = [dict(mount, destination=place, options=options.split())]
    if "remount" in options:
        mounts.insert(0, dict(mount, destination=place))
    row = Row("mounts[].options[]", {"mounts[]": mounts}, line_of(place + below), pattern(words), group="mounts")
    row.name = "the option " + options
    row.options = options.split()
    return row


files += [option_row(number, *given) for number, given in enumerate(OPTIONS)]
MAP = {"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}], "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]}
for word in ("idmap", "ridmap"):
    files.append(Row("mounts[].options[]", {"mounts[]": dict(MAP, destination="/" + word, type="bind", source="SHARED/owned",
                                                            options=["rbind", word])},
                     "stat -c %%u:%%g /%s/owned" % word, "1005:2006", group="mapped"))
    files[-1].options = [word]
files.append(Row("mounts[].options[]", {"mounts[]": dict(TMPFS, destination="/x", options=["iversion"])}, group=None,
                 refused="mounts: iversion", same=True))
files[-1].options = ["iversion"]

# --- namespaces

KINDS = {"pid": "pid", "mount": "mnt", "uts": "uts", "ipc": "ipc", "network": "net", "cgroup": "cgroup", "time": "time",
         "user": "user"}
USER = {"linux.uidMappings": [{"containerID": 0, "hostID": 100000, "size": 5000}],
        "linux.gidMappings": [{"containerID": 0, "hostID": 200000, "size": 6000}]}
namespaces = [
    Row("linux.namespaces[].type", {"linux.namespaces": [{"type": kind} for kind in KINDS if kind != "user"]},
        "for n in %s; do echo $n $(readlink /proc/self/ns/$n); done" % " ".join(n for n in KINDS.values() if n != "user"),
        "NEW", group="namespaces"),
    Row("linux.uidMappings[].containerID linux.uidMappings[].hostID linux.uidMappings[].size linux.gidMappings[].containerID"
        " linux.gidMappings[].hostID linux.gidMappings[].size linux.namespaces[].type",
        dict(USER, **{"linux.namespaces[]": {"type": "user"}}),
        "cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; readlink /proc/self/ns/user",
        pattern(r"^ 0 100000 5000\n 0 200000 6000\nuser:\["),
        group="user namespace"),
    Row("linux.timeOffsets.boottime.secs linux.timeOffsets.boottime.nanosecs linux.timeOffsets.monotonic.secs"
        " linux.timeOffsets.monotonic.nanosecs",
        {"linux.timeOffsets": {"boottime": {"secs": 86400, "nanosecs": 5}, "monotonic": {"secs": 7200, "nanosecs": 6}}},
        "tr -s ' ' </proc/self/timens_offsets", "monotonic 7200 6\nboottime 86400 5", group="namespaces"),
    Row("linux.sysctl.*", {"linux.sysctl": {"net.core.somaxconn": "123", "kernel.msgmax": "9000", "net/ipv4/ip_forward": "1"}},
        "cd /proc/sys; cat net/core/somaxconn kernel/msgmax net/ipv4/ip_forward", "123\n9000\n1"),
    Row("linux.netDevices", {"linux.netDevices": {"lcx-oci0": {"name": "given"}, "lcx-oci1": {}}},
        "ls /sys/class/net | grep -v lo", "given\nlcx-oci1", group="plain"),
    Row("linux.personality.domain", {"linux.personality": {"domain": "LINUX32"}}, "probe personality", "personality 8"),
    Row("linux.personality.flags[]", {"linux.personality": {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}}, group=None,
        refused="linux.personality.flags", same=True),
    Row("linux.memoryPolicy.mode linux.memoryPolicy.nodes linux.memoryPolicy.flags[]",
        {"linux.memoryPolicy": {"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}},
        "probe memory", "mode 32771 nodes 1", group="numa", needs="numa", refused="CONFIG_NUMA"),
    Row("linux.intelRdt.closID linux.intelRdt.enableMonitoring linux.intelRdt.l3CacheSchema linux.intelRdt.memBwSchema"
        " linux.intelRdt.schemata[]",
        {"linux.intelRdt": {"closID": "a", "l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=70", "schemata": ["L3:0=f"],
                            "enableMonitoring": True}}, group=None, refused="linux.intelRdt", same=True),
]
namespaces += [Row("linux.namespaces[].type", {"linux.namespaces": [{"type": "pid"}, {"type": "network"}]},
                   "for n in mnt uts ipc cgroup; do readlink /proc/self/ns/$n; done", "HOST mnt uts ipc cgroup", group=None)]
namespaces += [Row("linux.namespaces[].path", {"linux.namespaces": [{"type": kind, "path": "NS/" + KINDS[kind]}, *[
    {"type": other} for other in ("mount", "network", "pid") if other != kind]]},
    "readlink /proc/self/ns/%s" % KINDS[kind], "NS " + KINDS[kind], group=None)
    for kind in ("uts", "ipc", "network", "cgroup", "time")]

# --- devices

devices = [
    Row("linux.devices[].path linux.devices[].type linux.devices[].major linux.devices[].minor linux.devices[].fileMode"
        " linux.devices[].uid linux.devices[].gid",
        {"linux.devices": [{"path": "/dev/sub/n", "type": "c", "major": 1, "minor": 5, "fileMode": 0o620, "uid": 7, "gid": 8},
                           {"path": "/dev/blk", "type": "b", "major": 7, "minor": 200},
                           {"path": "/dev/fifo", "type": "p", "fileMode": 0o600}]},
        "stat -c '%a %t:%T %u:%g %F' /dev/sub/n; stat -c '%t:%T %F' /dev/blk; stat -c '%a %F' /dev/fifo",
        "620 1:5 7:8 character special file\n7:c8 block special file\n600 fifo"),
    Row("linux.devices[].path", {}, "cd /dev; ls -d console null zero full random urandom tty ptmx | tr '\\n' ' '; head -c 3 zero | wc -c",
        "console full null ptmx random tty urandom zero 3", group="terminal"),
    Row("linux.resources.devices[].allow linux.resources.devices[].access linux.resources.devices[].type"
        " linux.resources.devices[].major linux.resources.devices[].minor",
        dict({"linux.resources.devices": [{"allow": False, "access": "rwm"},
                                          {"allow": True, "access": "rm", "type": "c", "major": 10, "minor": 237}]},
             **{CAPABILITIES + kind: ["CAP_MKNOD"] for kind in ("bounding", "permitted", "effective")}),
        "cd /dev; mknod loops c 10 237 && : <loops && echo read; echo x >loops; mknod port c 1 4; echo x >port; echo x >null && echo default",
        pattern("^read\n.*loops.*not permitted\n.*port.*not permitted\ndefault"), group="devices"),
]

# --- hooks: what they do is asserted by run.py, which knows their order

HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def hook_edit():
    edit = {}
    for kind in HOOKS:
        inside = "/hooks" if kind == "startContainer" else "SHARED/hooks"
        edit["hooks." + kind] = [{"path": "/bin/sh", "timeout": 20, "env": ["K=" + kind, "PATH=/bin:/usr/bin"],
                                  "args": ["sh", "-c", "echo $K $0 ${HOME-clean} $(cat | tr -d '\\n\\t ') >>" + inside, "named"]}]
    return edit


hooks = [Row(" ".join("hooks.%s[].%s" % (kind, field) for kind in HOOKS for field in ("path", "args[]", "env[]")),
             hook_edit(), "cat /hooks", pattern(r'^startContainer named clean .*"status":"created"'), group="hooks")]
hooks += [Row("hooks.%s[].timeout" % kind, {"hooks." + kind: [{"path": "/bin/sleep", "args": ["sleep", "20"], "timeout": 1}]},
              group=None, refused="%s.*its timeout is 1000 ms" % kind, same=True)
          for kind in HOOKS if kind != "poststop"]
hooks.append(Row("hooks.poststop[].timeout", {"hooks.poststop": [{"path": "/bin/sleep", "args": ["sleep", "20"], "timeout": 1}]},
                 "echo over", pattern("^over"), group=None, same=True))
hooks.append(Row("annotations.*", {"annotations": {"org.example.key": "value"}}, "cat /hooks",
                 pattern(r'"annotations":\{"org.example.key":"value"\}'), group="hooks"))

# --- seccomp

ARG = "linux.seccomp.syscalls[].args[]."


def rule(names, action, args=None, errno=None):
    made = {"names": names.split(), "action": "SCMP_ACT_" + action}
    if args:
        made["args"] = [dict(zip(("index", "op", "value", "valueTwo"), arg)) for arg in args]
    if errno is not None:
        made["errnoRet"] = errno
    return made


SECCOMP = "linux.seccomp"
seccomp = [
    Row("linux.seccomp.defaultAction linux.seccomp.syscalls[].names[] linux.seccomp.syscalls[].action"
        " linux.seccomp.syscalls[].errnoRet",
        {SECCOMP: {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            rule("mkdir mkdirat", "ERRNO", errno=28), rule("rmdir", "ERRNO"), rule("symlink", "KILL_PROCESS"),
            rule("sync", "TRAP"), rule("link", "KILL_THREAD"), rule("mknod mknodat", "LOG"), rule("sethostname", "KILL"),
            rule("swapon", "TRACE", errno=5),
            rule("fchmodat chmod", "ERRNO", [(1, "SCMP_CMP_EQ", 0o731)], 29),
            rule("ftruncate", "ERRNO", [(1, "SCMP_CMP_LT", 10)], 31), rule("kill", "ERRNO", [(1, "SCMP_CMP_GE", 60)], 32),
            rule("umask", "ALLOW"), rule("ioprio_set", "ERRNO", [(2, "SCMP_CMP_MASKED_EQ", 0xf, 7)], 33),
            rule("lchown chown fchownat", "ERRNO", [(1, "SCMP_CMP_GT", 50), (2, "SCMP_CMP_LE", 5)], 34),
            rule("setpriority", "ERRNO", [(2, "SCMP_CMP_NE", 19)], 7),
        ]}, **{CAPABILITIES + kind: ["CAP_CHOWN"] for kind in ("bounding", "permitted", "effective")}},
        "grep ^Seccomp: /proc/self/status | cut -f2; cd /tmp; mkdir x; rmdir /usr/bin", pattern("^2\n.*No space left.*not permitted"),
        group="seccomp"),
    Row("linux.seccomp.syscalls[].action", {}, "for c in 'ln -s a b' sync 'ln /etc/passwd x' 'hostname x'; do $c; echo $?; done 2>/dev/null",
        "159\n159\n159\n159", group="seccomp"),
    Row("linux.seccomp.syscalls[].action", {}, "mknod /tmp/p p && echo logged", "logged", group="seccomp"),
    Row(ARG + "index " + ARG + "op " + ARG + "value", {}, "cd /tmp; : >f; chmod 730 f && echo yes; chmod 731 f", pattern("^yes\n.*Illegal seek"),
        group="seccomp"),
    Row(ARG + "op", {}, "cd /tmp; : >f; truncate -s 10 f && echo ten; truncate -s 9 f", pattern("^ten\n.*Too many links"), group="seccomp"),
    Row(ARG + "op", {}, "kill -59 99999; kill -60 99999", pattern("No such process.*Broken pipe"), group="seccomp"),
    Row(ARG + "op " + ARG + "valueTwo", {}, "ionice -c 2 -n 6 true && echo six; ionice -c 2 -n 7 true",
        pattern("^six\n.*Numerical argument"), group="seccomp"),
    Row(ARG + "op", {}, "cd /tmp; : >f; chown 50:5 f && chown 51:6 f && echo two; chown 51:5 f",
        pattern("^two\n.*Numerical result"), group="seccomp"),
    # The one priority that anybody may take, whatever the caller's is.
    Row(ARG + "op", {}, "renice 19 $$ && echo nineteen; renice 18 $$", pattern("^nineteen\n.*Argument list too long"), group="seccomp"),
    Row("linux.seccomp.defaultErrnoRet linux.seccomp.flags[]",
        {SECCOMP: {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 42,
                   "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
                   "syscalls": [rule("read write openat open close exit exit_group execve brk mmap munmap mprotect rt_sigaction"
                                     " rt_sigprocmask rt_sigreturn fstat stat newfstatat lstat arch_prctl set_tid_address set_robust_list"
                                     " prlimit64 getrandom readlink readlinkat rseq ioctl fcntl getpid getppid geteuid getuid getgid"
                                     " getegid wait4 vfork fork clone clone3 pipe pipe2 dup2 umask access uname getcwd prctl poll"
                                     " futex lseek sendfile execveat sendmsg recvmsg close_range ppoll", "ALLOW")]}, "process.noNewPrivileges": True},
        "grep ^Seccomp: /proc/self/status | cut -f2; sync; mkdir /tmp/y", pattern("^2\n.*No message of desired type"), group=None),
    Row("linux.seccomp.architectures[]",
        {SECCOMP: {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [rule("swapon", "ERRNO")]}},
        "probe compat; echo $?", pattern("^(Bad system call\n)?159$"), group=None, needs="x86 compat", refused="."),
    Row("linux.seccomp.architectures[]",
        {SECCOMP: {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                   "syscalls": [rule("getppid", "ERRNO", errno=77)]}},
        "probe compat; echo $?", "compat -77\n0", group=None, needs="x86 compat", refused="."),
    Row("linux.seccomp.listenerPath linux.seccomp.listenerMetadata linux.seccomp.syscalls[].action",
        {SECCOMP: {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "SHARED/listener", "listenerMetadata": "for you",
                   "syscalls": [rule("mkdir mkdirat", "NOTIFY")]}},
        "mkdir /tmp/y", pattern("Function not implemented"), group="listener"),
]

# --- limits, read where the container sees its own cgroup; (version 1, version 2, the same there)

CGROUP = {"mounts[]": {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
          "linux.namespaces[]": {"type": "cgroup"}}
RESOURCES = "linux.resources."


def limit(covers, edit, one, two, group="cgroup"):
    """one and two: {file: content} of each version, or the words of a refusal, or None for "nothing to see"."""
    rows = []
    for version, seen in (("v1", one), ("v2", two)):
        covered = " ".join(RESOURCES + name for name in covers.split())
        edited = {RESOURCES + name: value for name, value in edit.items()}
        if isinstance(seen, str):
            rows.append(Row(covered, edited, group=None, refused=seen))
        else:
            files = " ".join(seen)
            values = list(seen.values())
            expect = values[0] if len(values) == 1 else "\n".join(values)
            rows.append(Row(covered, edited, "cd /sys/fs/cgroup; cat %s </dev/null" % files, expect, group=group))
        rows[-1].version = version
    return rows


limits = [Row("linux.cgroupsPath", dict(CGROUP, **{"linux.cgroupsPath": "/lcx-oci.PID/one"}), "cat /proc/1/cgroup",
              lambda text: ":/" in text and "lcx-oci" not in text, group="cgroup"),
          Row("linux.cgroupsPath", {"linux.cgroupsPath": "/lcx-oci.PID/two"}, "cat /proc/1/cgroup", pattern(r"/lcx-oci\.\d+/two"), group=None)]
limits += limit("memory.limit memory.reservation memory.swap",
                {"memory.limit": 64 * MIB, "memory.reservation": 32 * MIB, "memory.swap": 96 * MIB},
                {"memory/memory.limit_in_bytes": str(64 * MIB), "memory/memory.soft_limit_in_bytes": str(32 * MIB),
                 "memory/memory.memsw.limit_in_bytes": str(96 * MIB)},
                {"memory.max": str(64 * MIB), "memory.low": str(32 * MIB), "memory.swap.max": str(32 * MIB)})
limits += limit("memory.swappiness", {"memory.swappiness": 7}, {"memory/memory.swappiness": "7"}, "swappiness")
limits += limit("memory.disableOOMKiller", {"memory.disableOOMKiller": True},
                {"memory/memory.oom_control": pattern("oom_kill_disable 1")}, "oom_kill_disable")
limits += limit("memory.kernelTCP", {"memory.kernelTCP": MIB}, {"memory/memory.kmem.tcp.limit_in_bytes": str(MIB)}, "kernel TCP memory")
limits += limit("memory.kernel", {"memory.kernel": MIB}, "memory.kernel: .*memory.limit", "memory.kernel: .*memory.limit")
limits += limit("memory.useHierarchy", {"memory.useHierarchy": True}, {"memory/memory.use_hierarchy": "1"}, {})
limits += limit("memory.checkBeforeUpdate", {"memory.checkBeforeUpdate": True}, {}, {})
limits += limit("cpu.shares cpu.quota cpu.period", {"cpu.shares": 512, "cpu.quota": 40000, "cpu.period": 80000},
                {"cpu/cpu.shares": "512", "cpu/cpu.cfs_quota_us": "40000", "cpu/cpu.cfs_period_us": "80000"},
                {"cpu.weight": "59", "cpu.max": "40000 80000"})
limits += limit("cpu.burst", {"cpu.burst": 9000}, {"cpu/cpu.cfs_burst_us": "9000"}, {"cpu.max.burst": "9000"})
limits += limit("cpu.idle", {"cpu.idle": 1}, {"cpu/cpu.idle": "1"}, {"cpu.idle": "1"}, group="idle")
limits += limit("cpu.cpus cpu.mems", {"cpu.cpus": "0", "cpu.mems": "0"}, {"cpuset/cpuset.cpus": "0", "cpuset/cpuset.mems": "0"},
                {"cpuset.cpus": "0", "cpuset.mems": "0"})
limits += limit("cpu.realtimeRuntime cpu.realtimePeriod", {"cpu.realtimeRuntime": 9000, "cpu.realtimePeriod": 900000},
                "cpu.rt_runtime_us", "cpu real-time period")
limits += limit("pids.limit", {"pids.limit": 33}, {"pids/pids.max": "33"}, {"pids.max": "33"})
limits += limit("blockIO.weight", {"blockIO.weight": 300}, {"blkio/blkio.bfq.weight": "300"}, {"io.weight": "default 2930"})
limits += limit("blockIO.leafWeight blockIO.weightDevice[].leafWeight blockIO.weightDevice[].major blockIO.weightDevice[].minor"
                " blockIO.weightDevice[].weight",
                {"blockIO": {"leafWeight": 300, "weightDevice": [{"major": 7, "minor": 0, "weight": 300, "leafWeight": 300}]}},
                "[wW]eight", "[wW]eight")
DEVICE = {"major": "MAJOR", "minor": "MINOR"}
for number, (name, old, new) in enumerate((("throttleReadBpsDevice", "read_bps", "rbps"), ("throttleWriteBpsDevice", "write_bps", "wbps"),
                                           ("throttleReadIOPSDevice", "read_iops", "riops"), ("throttleWriteIOPSDevice", "write_iops", "wiops"))):
    limits += limit(" ".join("blockIO.%s[].%s" % (name, field) for field in ("major", "minor", "rate")),
                    {"blockIO." + name: [dict(DEVICE, rate=5000 + number)]},
                    {"blkio/blkio.throttle.%s_device" % old: "DISK %d" % (5000 + number)},
                    {"io.max": pattern(r"%s=%d\b" % (new, 5000 + number))})
limits += limit("unified.*", {"unified": {"memory.high": str(48 * MIB)}}, "unified", {"memory.high": str(48 * MIB)})
limits += limit("hugepageLimits[].pageSize hugepageLimits[].limit", {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]},
                {"unified/hugetlb.2MB.max": str(4 * MIB)}, {"hugetlb.2MB.max": str(4 * MIB)})
limits += limit("rdma", {"rdma": {"mlx5_1": {"hcaHandles": 3}}}, "rdma", "rdma")
limits += limit("network.classID", {"network.classID": 0x100001}, "net_cls", "net_cls")
limits += limit("network.priorities[].name network.priorities[].priority", {"network.priorities": [{"name": "lo", "priority": 5}]},
                "net_prio", "net_prio")

for row in limits:
    if row.group in ("cgroup", "idle"):
        row.edit = dict(row.edit, **CGROUP)

ROWS = process + files + namespaces + devices + hooks + seccomp + limits

# In the schema, but of no container of Linux: (path, why).
REASONS = {
    "process.commandLine": "of Windows alone: config.md, Windows process",
    "process.user.username": "of Windows alone: config.md, Windows process user",
}

# The bad examples of the schemas: what the error says of each. A good one fails for its root at the earliest.
BAD = {
    "invalid-json.json": "not JSON",
    "linux-hugepage.json": r"linux\.resources\.hugepageLimits\[0\]\.pageSize: ",
    "linux-netdevice.json": r"linux\.netDevices\.eth0\.name: ",
    "linux-rdma.json": r"linux\.resources\.rdma\.mlx5_1\.hcaHandles: ",
}
GOOD = "root file system '[^']*': No such file"
