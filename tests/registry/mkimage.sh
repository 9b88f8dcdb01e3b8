#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: mkimage.sh busybox LAYOUT     small images of Debian's busybox-static, an OCI layout with tags
#        mkimage.sh debian LAYOUT      a real Debian 12, copied from the cache, made on first use
#        mkimage.sh cache              make both for later: "debian" needs the network, "busybox" gets faster
#
# Tags of the busybox layout, all on one base layer:
#   latest   the command is sh
#   web      httpd on port 80 for the files in /www; exposes 80/tcp, stops by SIGTERM
#   env      variables, the working directory /srv/work, the user 1000:50, a label, a command that shows them
#   entry    the entry point echoes, the command is its default argument
#   layers   four layers: added, changed, removed by a white-out, replaced by an opaque directory
# Tags of the Debian layout: bookworm (gzip, three layers, one of them a white-out) and bookworm-zstd.
#
# Environment: LCX_TEST_CACHE (default /var/tmp/lcx-test-cache), DEBIAN_MIRROR (default: as apt is set up).
set -eu
: "${LCX_TEST_CACHE:=/var/tmp/lcx-test-cache}"

aside=
work=$(mktemp -d "${TMPDIR:-/tmp}/lcx-mkimage.XXXXXX")
trap 'rm -rf --one-file-system "$work" ${aside:+"$aside"}' EXIT
trap 'exit 143' HUP INT TERM

quietly() {
	"$@" >"$work/log" 2>&1 || { echo "mkimage.sh: failed: $*" >&2; cat "$work/log" >&2; exit 1; }
}

image() { # TAG: the current one
	tag=$1
}

config() { # OPTION...
	quietly umoci config --image "$layout:$tag" "$@"
}

insert() { # SOURCE TARGET [OPTION]
	quietly umoci insert --image "$layout:$tag" ${3:+"$3"} "$1" "$2"
}

remove() { # TARGET
	quietly umoci insert --image "$layout:$tag" --whiteout "$1"
}

from() { # TAG BASE
	quietly umoci tag --image "$layout:$2" "$1"
	image "$1"
}

busybox_root() { # DIR
	mkdir -p "$1/bin" "$1/etc" "$1/proc" "$1/sys" "$1/dev" "$1/root" "$1/run" "$1/srv/work" "$1/tmp" "$1/var/log" "$1/www"
	chmod 1777 "$1/tmp"
	chmod 700 "$1/root"
	chown 1000:50 "$1/srv/work"
	cp "$(command -v busybox)" "$1/bin/busybox"
	chroot "$1" /bin/busybox --install -s /bin
	mkdir "$1/usr"
	ln -s bin "$1/sbin"
	ln -s ../bin "$1/usr/bin"
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/srv/work:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nstaff:x:50:\nuser:x:1000:\n' >"$1/etc/group"
	echo 'busybox for liblcx' >"$1/etc/issue"
	echo '<h1>It runs in a container.</h1>' >"$1/www/index.html"
}

make_busybox() { # LAYOUT
	layout=$1
	busybox_root "$work/root"
	quietly umoci init --layout "$layout"
	image latest
	quietly umoci new --image "$layout:$tag"
	insert "$work/root" /
	config --config.cmd sh --config.env PATH=/bin:/sbin:/usr/bin --config.workingdir /

	from web latest
	config --config.entrypoint httpd --config.cmd -f --config.cmd -v --config.cmd -p --config.cmd 80 \
		--config.cmd -h --config.cmd /www --config.exposedports 80/tcp --config.workingdir /www \
		--config.stopsignal SIGTERM

	from env latest
	config --config.env GREETING='hello from the image' --config.env EMPTY= --config.workingdir /srv/work \
		--config.user 1000:50 --config.label org.example.role=test --config.volume /srv/work \
		--config.cmd /bin/sh --config.cmd -c --config.cmd 'id -u; id -g; pwd; echo "$GREETING"'

	from entry latest
	config --config.entrypoint /bin/echo --config.entrypoint entry --config.cmd default

	from layers latest
	mkdir -p "$work/one/dir" "$work/two" "$work/new"
	echo 1 >"$work/one/keep"
	echo 1 >"$work/one/change"
	echo 1 >"$work/one/gone"
	echo 1 >"$work/one/dir/below"
	ln "$work/one/keep" "$work/one/linked"
	insert "$work/one" /data
	echo 2 >"$work/two/change"
	insert "$work/two" /data
	remove /data/gone
	echo 3 >"$work/new/only"
	insert "$work/new" /data/dir --opaque
}

# All that the busybox images are made of.
busybox_key() {
	cat "$0" "$(command -v busybox)" | sha256sum | cut -c1-12
}

# Made aside and renamed: several tests may come at once, and any of them may be killed.
keep_busybox() {
	ready=$LCX_TEST_CACHE/busybox-$(busybox_key)
	[ ! -d "$ready" ] || return 0
	mkdir -p "$LCX_TEST_CACHE"
	rm -rf "$LCX_TEST_CACHE"/busybox-*
	aside=$(mktemp -d "$LCX_TEST_CACHE/making.XXXXXX")
	make_busybox "$aside/layout"
	mv -T "$aside/layout" "$ready" 2>/dev/null || [ -d "$ready" ]
	rm -rf "$aside"
}

# The mirror that this machine's apt uses, as debootstrap does not look there.
mirror() {
	[ -z "${DEBIAN_MIRROR:-}" ] || { echo "$DEBIAN_MIRROR"; return; }
	found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | awk '
		$1 == "URIs:" && $2 ~ /\/debian\/?$/ { print $2; exit }
		$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /:\/\/.*\/debian\/?$/) { print $i; exit } }')
	echo "${found:-http://deb.debian.org/debian}"
}

keep_debian() {
	ready=$LCX_TEST_CACHE/debian-bookworm-1
	[ ! -d "$ready" ] || return 0
	mkdir -p "$LCX_TEST_CACHE"
	aside=$(mktemp -d "$LCX_TEST_CACHE/making.XXXXXX")
	eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
	[ -z "${http_proxy:-}" ] || export http_proxy
	quietly debootstrap --variant=minbase bookworm "$aside/root" "$(mirror)"
	rm -rf "$aside/root/var/cache/apt/archives/"*.deb "$aside/root/var/lib/apt/lists/"*

	layout=$aside/layout
	quietly umoci init --layout "$layout"
	image bookworm
	quietly umoci new --image "$layout:$tag"
	insert "$aside/root" /
	remove /usr/share/doc
	mkdir "$work/added"
	echo 'a file of the third layer' >"$work/added/liblcx"
	insert "$work/added" /usr/local/share/liblcx
	config --config.cmd bash --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

	# skopeo compresses only what is not compressed: unpack the layers on the way.
	quietly skopeo --insecure-policy copy --dest-decompress "oci:$layout:bookworm" "dir:$aside/plain"
	quietly skopeo --insecure-policy copy --dest-compress --dest-compress-format zstd "dir:$aside/plain" "oci:$layout:bookworm-zstd"
	rm -rf "$aside/root" "$aside/plain"
	mv -T "$layout" "$ready" 2>/dev/null || [ -d "$ready" ]
	rm -rf "$aside"
}

[ $# -gt 0 ] || set -- help
case $1 in
busybox)
	ready=$LCX_TEST_CACHE/busybox-$(busybox_key)
	mkdir -p "${2:?where?}"
	if [ -d "$ready" ]; then
		cp -a "$ready/." "$2"
	else
		rmdir "$2"
		make_busybox "$2"
	fi
	;;
debian)
	keep_debian
	mkdir -p "${2:?where?}"
	cp -a "$LCX_TEST_CACHE/debian-bookworm-1/." "$2"
	;;
cache)
	keep_busybox
	keep_debian
	;;
*)
	sed -n '3,16s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
