# SPDX-License-Identifier: MIT
# build: plain
# Every property of the runtime specification that this kernel has, asserted from inside of a container: the
# table in tests/oci.
. "${SRC:?}/tests/system/lib.sh"
need busybox python3 ip apparmor_parser

make_rootfs "$T/rootfs"
cp "$BUILD/tests/probe" "$T/rootfs/bin"
rootfs=$T/rootfs shared=$T/oci/shared
echo secret >"$rootfs/etc/secret"
mkdir "$rootfs/etc/secrets"
echo secret >"$rootfs/etc/secrets/one"
mkdir -p "$shared/owned" "$shared/tree" "$T/oci/oci-user"
# A root that is found by its place in the bundle.
cp -a "$rootfs" "$T/oci/oci-user/rootfs"
echo 'this root' >"$T/oci/oci-user/rootfs/etc/marker"
echo 'of the host' >"$shared/file"
: >"$shared/owned/owned"
chown 5:6 "$shared/owned/owned"

# A tree of mounts that tells recursive options from others, shared so that there can be slaves.
mount -t tmpfs t "$shared/tree"
mkdir "$shared/tree/sub" "$shared/tree/other"
mount -t tmpfs -o ro,nosuid,nodev,noexec,noatime t "$shared/tree/sub"
mount -t tmpfs t "$shared/tree/other"
mount --make-rshared "$shared/tree"
defer "umount -R $shared/tree"

ip link add lcx-oci0 type veth peer name lcx-oci1
defer 'ip link del lcx-oci0'
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
	echo 'profile lcx-oci flags=(attach_disconnected,mediate_deleted) { file, capability, signal, }' >"$T/profile"
	apparmor_parser --skip-cache -r "$T/profile"
	defer "apparmor_parser --skip-cache -R $T/profile"
fi
tops=$(if has_cgroup2; then echo /sys/fs/cgroup; else echo '/sys/fs/cgroup/*'; fi)
# shellcheck disable=SC2016
defer 'rmdir $(find $tops -maxdepth 1 -name "lcx-oci.*")'

PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/oci/run.py" "$BUILD/examples/lcx-runtime/lcx-runtime" "$rootfs" \
	"$SRC/tests/data/oci/runtime-spec" "$T/oci" || failures=1
