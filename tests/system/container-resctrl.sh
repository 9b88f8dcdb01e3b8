# SPDX-License-Identifier: MIT
# build: plain
# guest: no, a directory stands for what neither kernel has
# Classes of service of whole containers: see container-resctrl.c.
. "${SRC:?}/tests/system/lib.sh"
need busybox
make_rootfs "$T/rootfs"
tree=$T/tree
mkdir -p "$tree/info" "$tree/mon_groups" "$tree/shared/mon_groups"
: >"$tree/tasks"
: >"$tree/shared/tasks"
printf '    L3:0=7f0\n' >"$tree/shared/schemata"
"$BUILD/tests/container-resctrl" "$T/lcx-root" "$T/lcx-run" "$T/rootfs" "$tree" || failures=1
check_eq 'nothing is left of what was made' 'info mon_groups shared tasks ' "$(ls "$tree" | tr '\n' ' ')"
check_eq 'nor of what is measured' '' "$(ls "$tree/shared/mon_groups")"
check_eq 'no container is left' '' "$(lcx ps -aq)"
