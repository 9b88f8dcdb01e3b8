# SPDX-License-Identifier: MIT
# What the tests of networks share, to be sourced after lib.sh: net-tool on the test's own root directory.
need ip nft ss

tool() {
	"$BUILD/tests/net-tool" "$T/root" "$@"
}

inside() { # NETNS VERB...
	netns=$1
	shift
	ip netns exec "$netns" "$BUILD/tests/net-tool" "$T/root" "$@"
}

listens() { # NETNS PROTOCOL PORT
	ip netns exec "$1" ss -Hln -A "$2" "sport = :$3" | grep -q .
}

# Comes back when the server can be asked.
serve() { # NETNS PROTOCOL PORT
	# No function in between: it would be a shell whose end is not the server's.
	ip netns exec "$1" "$BUILD/tests/net-tool" "$T/root" serve "$2" "$3" 2>"$T/serve.err" &
	defer "kill $!"
	wait_for 10 listens "$@"
}

# What the server saw, or "refused". An answer that is due is awaited, however busy the machine is.
ask() { # NETNS|host PROTOCOL ADDRESS PORT
	ask_for 10 "$@"
}

# The same where nothing is expected to come back, and waiting for it takes time.
ask_briefly() { # NETNS|host PROTOCOL ADDRESS PORT
	ask_for 1 "$@"
}

ask_for() { # SECONDS NETNS|host PROTOCOL ADDRESS PORT
	seconds=$1 from=$2
	shift 2
	case $from in
	host) tool ask "$@" "$seconds" 2>"$T/ask.err" || echo refused ;;
	*) inside "$from" ask "$@" "$seconds" 2>"$T/ask.err" || echo refused ;;
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
