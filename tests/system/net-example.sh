#!/bin/sh
# SPDX-License-Identifier: MIT
# guest: no, net-matrix, net-traffic and net-kill tell that kernel from this one
# The example of lib/net: a web server of busybox, attached and published, with no container around it.
. "${SRC:?}/tests/system/lib.sh"
need ip nft busybox curl

net() {
	"$BUILD/examples/net" "$T/root" "$@"
}

mkdir "$T/www"
echo hello >"$T/www/index.html"
check_match 'create' '^10\.99\.0\.0/24 10\.99\.0\.1 lcxn' "$(net create web 10.99.0.0/24)"
check_eq 'ls' web "$(net ls)"
"$BUILD/examples/net" "$T/root" run web server 8080:80 -- busybox httpd -f -p 80 -h "$T/www" 2>"$T/run.err" &
server=$!
defer "kill $server"
check 'the server answers on the published port' wait_for 10 curl -sf -o "$T/answer" http://127.0.0.1:8080/
check_eq 'with its page' hello "$(cat "$T/answer")"
check_eq 'and at its own address' hello "$(curl -s "http://$(net inspect web | jq -r '.containers[0].address')/")"
check_fails 'the network is in use' 1 "in use by 'server'" net rm web
check_fails 'its port, too' 1 "8080/tcp is already published by 'server'" net run web other 8080:80 -- true
kill "$(pgrep -P "$server" busybox)"
r=0
wait "$server" || r=$?
check_eq 'the end of the program is told' 143 "$r"
check_eq 'no interface is left' '' "$(ip -o link | grep lcx || :)"
check_eq 'no table is left' '' "$(nft list tables)"
check_eq 'a program sees its interface' 1 "$(net run web one -- ip -o -4 addr show eth0 2>"$T/run.err" | grep -c 10.99.0)"
check 'rm' net rm web
check_fails 'rm once more' 1 "no network 'web'" net rm web
