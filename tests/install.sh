#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: sh tests/install.sh SECTION...
# Install what the named sections of tests/packages list and this machine lacks.
# With everything present it neither calls the network nor needs root.
# shellcheck disable=SC2086
set -eu
list=$(dirname "$0")/packages

wanted=$(for section; do
	awk -v want="[$section]" '
		/^\[/ { on = $1 == want; found = found || on; next }
		on && NF && $1 !~ /^#/ { print $1 }
		END { exit !found }' "$list" ||
		{ echo "install.sh: no section [$section] in $list" >&2; exit 2; }
done)

missing=
for package in $wanted; do
	case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
	installed) ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "install.sh: missing packages, run as root: apt-get install$missing" >&2
	exit 1
fi
echo "install.sh: installing$missing"
export DEBIAN_FRONTEND=noninteractive
# A package list that is a few weeks old names files the mirror no longer has: then refresh it.
install() { apt-get install -y -qq --no-install-recommends $missing; }
if ! apt-cache show $missing >/dev/null 2>&1; then
	apt-get update -qq
	install
else
	install || { apt-get update -qq && install; }
fi </dev/null
