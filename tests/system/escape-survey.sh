#!/bin/sh
# SPDX-License-Identifier: MIT
# build: plain
# guest: no, the other runtimes are not there
# What a container is given, thing by thing (survey.c), beside what podman (with crun) and bwrap give: what we
# give and one of them does not has a reason here, or is a defect.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/podman.sh"
need bwrap

# PEER, what (an extended regular expression for the whole line), why.
reasons='
podman|call 278|vmsplice: Docker has it in its profile, which is ours; podman has it among what nobody needs
podman|call 333|io_pgetevents: the same; io_getevents, of which it is a form, podman allows too
podman|call (449|45[0-9]|46[0-9])|newer than that podman: each is a form of a call that it allows, or tells of oneself
podman|file /sys/fs/cgroup/(blkio|cpu|cpuacct|cpuset|freezer|systemd|hugetlb|net_cls|net_prio|perf_event|misc|rdma)/.* r|no group is made where nothing is limited, so all groups are seen, by name and figure; nothing can be written, and the release agent is covered. A group in each costs every start, and Java takes no limit from a machine where one is not mounted
podman|mount /sys/fs/cgroup/unified cgroup2|podman wants no hybrid of cgroups and was shown none
podman|file /sys/fs/cgroup/unified/.* r|the same: the files of its own cgroup
bwrap|file /sys/.*|bwrap has no /sys
bwrap|mount /sys.*|the same
bwrap|file /proc/sys/net/(core/xfrm_.*|ipv6/route/.*) r|of its own network namespace; hidden by the kernel from a user namespace
bwrap|call 116|setgroups: bwrap gives its user namespace one user and no groups
bwrap|mount / (suid|dev)|images have programs that set the user (su, ping); no-new-privileges is an option. Nodes are decided by the device rules
bwrap|mount /dev dev|nodes are there instead of mounts of single nodes
bwrap|mount /dev/(mqueue|shm) (mqueue|tmpfs|w)|namespaced; part of the OCI description of a Linux container
bwrap|mount /proc/(fs|sys) proc|read-only mounts over what bwrap leaves as it is
bwrap|self new-privileges|an option, as of Docker and podman: images have programs that set the user
'

make_rootfs "$T/rootfs"
cp "$BUILD/tests/survey" "$T/rootfs/bin"
lcx run --rm --network none --rootfs "$T/rootfs" survey >"$T/of-lcx"
podman_ run --rm --network none --rootfs "$T/rootfs" survey >"$T/of-podman"
bwrap --unshare-all --bind "$T/rootfs" / --proc /proc --dev /dev survey >"$T/of-bwrap"
for of in lcx podman bwrap; do
	sort -u "$T/of-$of" >"$T/$of"
	# A survey that was cut short would excuse everything, or nothing.
	check_match "what $of gives, to the last line" 'call keyctl\|call setns\|call ptrace\|call socket' "$(tail -n 60 "$T/of-$of")"
done
check_eq 'no descriptor, no key and no abstract socket' 0 "$(grep -cE '^(fd|key|socket) ' "$T/lcx" || :)"
check_eq 'no release agent' 0 "$(grep -c release_agent "$T/lcx" || :)"
check_eq 'no capability is inheritable or ambient' 0 "$(grep -cE '^cap Cap(Inh|Amb)' "$T/lcx" || :)"
for peer in podman bwrap; do
	echo "$reasons" | awk -F'|' -v peer="$peer" '$1 == peer { sub(/^[^|]*\|/, ""); sub(/\|[^|]*$/, ""); print }' >"$T/reasons"
	comm -23 "$T/lcx" "$T/$peer" >"$T/more"
	grep -vxE -f "$T/reasons" "$T/more" >"$T/unexplained" || :
	echo "# more than $peer: $(wc -l <"$T/more") things, for $(wc -l <"$T/reasons") reasons"
	if [ -s "$T/unexplained" ]; then
		fail "what $peer refuses we refuse, or say why not" "$T/unexplained"
	else
		pass "what $peer refuses we refuse, or say why not"
	fi
done
