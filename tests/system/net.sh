# SPDX-License-Identifier: MIT
# What the tests of networks share, to be sourced after lib.sh: net-tool on the test's own root directory.
need ip nft

tool() {
	"$BUILD/tests/net-tool" "$T/root" "$@"
}

inside() { # NETNS VERB...
	netns=$1
	shift
	ip netns exec "$netns" "$BUILD/tests/net-tool" "$T/root" "$@"
}

serve() { # NETNS PROTOCOL PORT
	# No function in between: it would be a shell whose end is not the server's.
	ip netns exec "$1" "$BUILD/tests/net-tool" "$T/root" serve "$2" "$3" 2>"$T/serve.err" &
	defer "kill $!"
}

# What the server saw, or "refused".
ask() { # NETNS|host PROTOCOL ADDRESS PORT
	from=$1
	shift
	case $from in
	host) tool ask "$@" 2>"$T/ask.err" || echo refused ;;
	*) inside "$from" ask "$@" 2>"$T/ask.err" || echo refused ;;
	esac
}

attach() { # NETWORK OWNER [PORT]...
	network=$1 owner=$2
	shift 2
	tool attach "$network" "$owner" "/run/netns/$owner" "$@"
}

forwarding_switches() {
	cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding 2>/dev/null || :
}
switches_before=$(forwarding_switches)

# Everything of ours in this namespace and on this disk, but for the networks' own files.
left() {
	ip -o link | grep -e lcx || :
	nft list tables
	[ ! -d "$T/root/run/net" ] || find "$T/root/run/net" -type f
	[ ! -d "$T/root" ] || find "$T/root" -name '.tmp-*'
	[ "$(forwarding_switches)" = "$switches_before" ] || echo forwarding
}
