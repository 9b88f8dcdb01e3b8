# SPDX-License-Identifier: MIT
# guest: no, the words are the same there
# The command line itself: options, and input that is wrong on purpose.
. "${SRC:?}/tests/system/lib.sh"
need busybox
make_rootfs "$T/rootfs"
run() { lcx run --rm --network none --rootfs "$T/rootfs" "$@"; }
plain() { lcx run --rm --network none "$@"; }

# --- usage: everything that is wrong is named, with what was probably meant, and exits 125

check 'help' lcx --help
for command in pull push images import rmi run exec ps logs stop kill rm inspect stats network version gc; do
	check_match "help lists $command" "^  $command " "$(lcx --help)"
	[ "$command" = network ] || check "help for $command" lcx "$command" --help
done
for command in ls create inspect rm; do
	check "help for network $command" lcx network "$command" --help
done
check_match 'no command: the list of them' '^  run ' "$(lcx)"
check_fails 'an unknown command, with the nearest' 125 "did you mean 'run'" lcx rnu
check_fails 'an unknown long option, with the nearest' 125 "'--nmae'; did you mean '--name'" lcx run --nmae x y
check_fails 'an unknown letter' 125 "unknown option '-Z'" lcx run -itZ x
check_fails 'an option without its value' 125 "'--name' needs a value" lcx run --name
check_fails 'a flag that is neither true nor false' 125 "true or false, not 'maybe'" lcx run --rm=maybe x
check_fails 'a missing argument' 125 'is missing' lcx rm
check_fails 'one argument too many' 125 'too many' lcx pull a b
check_fails 'an argument where there are none' 125 'takes no arguments' lcx gc x
check_fails 'no image' 125 'image is missing' lcx run --rm
check_fails 'an unknown format' 125 "format 'xml' is unknown" lcx ps --format xml
check_fails 'where to read more' 125 "See 'lcx run --help'" lcx run --nmae x
check_fails 'a wrong network command' 125 "did you mean 'ls'" lcx network sl

# --- values

check_fails 'memory that is no size' 125 "memory limit '5q'" run -m 5q true
check_fails 'memory that is negative' 125 "memory limit" run -m -5 true
check_fails 'memory beyond all bounds' 125 "memory limit" run -m 99999999999t true
check_fails 'no processors' 125 "'0' processors" run --cpus 0 true
check_fails 'processors by name' 125 "'two' processors" run --cpus two true
check_fails 'tasks by name' 125 "limit of tasks 'many'" run --pids-limit many true
check_fails 'a stop signal that ends nothing' 125 "stop signal '0'" run --stop-signal 0 true
check_fails 'an unknown stop signal' 125 "stop signal 'SIGFOO'" run --stop-signal SIGFOO true
check_fails 'an unknown capability' 125 'CAP_FOO\|FOO' run --cap-add FOO true
check_fails 'an unknown security option' 125 "'selinux=off' is unknown" run --security-opt selinux=off true
check_fails 'a missing seccomp profile' 125 'No such file' run --security-opt "seccomp=$T/none" true
check_fails 'an unknown log driver' 125 'carrier-pigeon' run --log-driver carrier-pigeon true
check_fails 'an unknown log option' 125 'max-weight' run --log-opt max-weight=3 true
check_fails 'an unknown network' 125 'nowhere' lcx run --rm --network nowhere --rootfs "$T/rootfs" true
check_fails 'a volume whose place is no path' 125 'must be' run -v tmp true
check_fails 'a volume whose source is not there' 125 "$T/none" run -v "$T/none:/x" true
check_fails 'a port that is none' 125 '99999' run -p 99999:80 true
check_fails 'a name that is a path' 125 '\.\./x' run --name ../x true
check_fails 'a root file system that is not there' 125 "$T/none" plain --rootfs "$T/none" true
check_fails 'a user that is not there' 125 'nobody-here' run -u nobody-here true
check_fails 'an environment variable without a name' 125 '=x' run -e =x true
check_fails 'an environment variable that is nothing' 125 "environment ''" run -e '' true
check_fails '-t without a terminal' 125 'not a terminal' run -it true
check_fails 'detach keys without a terminal' 125 'give -t' run -i --detach-keys ctrl-a true
check_fails 'start -a of two' 125 'one container' lcx start -a one two
check_fails 'a time that is none' 125 "time 'yesterday'" lcx logs --since yesterday x
check_fails 'a time of events that is none' 125 "time 'yesterday'.*--until" lcx events --since 1h --until yesterday
check_fails 'a pod that is not there is called so' 1 "no pod 'nowhere'" lcx pod rm nowhere
check_fails 'what cannot name a pod' 1 "cannot name a pod; use letters" lcx pod create 'a b'
check_fails 'what cannot name a network' 1 "cannot name a network; use letters" lcx network create a/b
check_fails 'a subnet with an address in it, and what was meant' 1 'write 10.9.8.0/24' lcx network create --subnet 10.9.8.7/24 n
check_fails 'lines by name' 125 "'few' is no number" lcx logs --tail few x
check_fails 'a filter that is none' 125 "filter 'size=1'" lcx ps --filter size=1
check_fails 'an unknown signal' 125 "signal 'FOO'" lcx kill -s FOO x
check_fails 'seconds by name' 125 "'soon' is no number" lcx stop -t soon x
check_fails 'a reference that is none' 125 'UPPER' lcx run --pull never UPPER/case true
check_fails 'an image that is not here' 125 'missing-image' lcx run --rm --pull never missing-image true
check_eq 'all of these left no container' '' "$(lcx ps -aq)"

for command in 'rm nope' 'rm -f nope' 'stop nope' 'kill nope' 'logs nope' 'rmi nope' 'inspect nope' \
	'stats nope' 'network inspect nope' 'network rm nope' "import $T/none x"; do
	# shellcheck disable=SC2086
	check_fails "$command" 1 'nope\|none' lcx $command
done
check_fails 'exec in no container' 125 'nope' lcx exec nope true
check_fails 'an identifier that is a path' 1 'etc' lcx rm ../../etc
check_fails 'a root directory that others may write to' 125 "$T/open" sh -c \
	'mkdir -m 777 "$T/open"; "$BUILD/examples/lcx/lcx" --root "$T/open" run --rm --rootfs / true'
