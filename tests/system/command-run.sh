# SPDX-License-Identifier: MIT
# guest: no, oci-cgroup and container-life see containers of version 2
# `lcx run`: exit codes, streams, and what its options do.
. "${SRC:?}/tests/system/lib.sh"
need busybox jq
make_rootfs "$T/rootfs"
run() { lcx run --rm --network none --rootfs "$T/rootfs" "$@"; }
echo text >"$T/rootfs/etc/text"

# --- exit codes and streams

check 'a program that succeeds' run true
check_fails 'its own code' 7 '' run sh -c 'exit 7'
check_fails 'a code above 128' 200 '' run sh -c 'exit 200'
check_fails 'a code as the shell gives it for a signal' 137 '' run sh -c 'sh -c "kill -9 \$\$"; exit $?'
check_fails 'a program that is not there' 127 'no-such-program' run no-such-program
check_fails 'a path that is not there' 127 '/no/such' run /no/such
check_fails 'a directory' 126 '/etc' run /etc
chmod +x "$T/rootfs/etc/text"
check_fails 'a file without magic' 126 '/etc/text' run /etc/text
chmod -x "$T/rootfs/etc/text"
check_fails 'a file that is not executable' 126 '/etc/text' run /etc/text
check_eq 'these left no container either' '' "$(lcx ps -aq)"
check_eq 'standard output' out "$(run sh -c 'echo out; echo err >&2' 2>"$T/err")"
check_eq 'standard error, apart' err "$(cat "$T/err")"
check_eq 'standard input with -i' 'through' "$(echo through | run -i cat)"
check_eq 'standard input from a file' "$(md5sum <"$BUILD/examples/lcx/lcx")" "$(run -i md5sum <"$BUILD/examples/lcx/lcx")"
check_eq 'no standard input without -i' '' "$(echo through | run cat)"
check_eq 'a megabyte through both ways' 1048576 "$(head -c 1048576 /dev/zero | run -i cat | wc -c)"
check_eq 'a reader that goes away' 1 "$(run sh -c 'yes | head -n 100000' | head -n 1 | wc -l)"

# --- options of run

check_eq 'two dashes end the options' '-n' "$(run -- printf %s -n)"
check_eq 'letters and an attached value' '/tmp' "$(run -iw/tmp pwd)"
check_eq 'a value behind =' 'v=1' "$(run --env=A=v=1 sh -c 'echo $A')"
check_eq 'a variable of the caller' there "$(HERE=there run -e HERE sh -c 'echo $HERE')"
printf '\357\273\277# what it needs\r\n\r\nONE=from file\n  TWO=a=b "q" \nHERE\nNOT_HERE\nTHREE=3' >"$T/variables"
check_eq 'variables from a file, and what comes after them' '[from file][a=b "q" ][there][][last]' \
	"$(HERE=there run --env-file "$T/variables" -e THREE=last sh -c 'echo "[$ONE][$TWO][$HERE][$NOT_HERE][$THREE]"')"
printf 'ONE=1\nT WO=2\n' >"$T/variables"
check_fails 'a file whose line is none' 125 "variables', line 2: a blank in the name" run --env-file "$T/variables" true
check_fails 'a file that is not there' 125 "No such file" run --env-file "$T/none" true
check_fails 'a limit that is none' 125 "no limit 'files'" run --ulimit files=1 true
check_fails 'a limit without a number' 125 'nofile=SOFT' run --ulimit nofile=x true
check_fails 'a limit above the highest' 125 'above the highest' run --ulimit nofile=3:2 true
mkdir -p "$T/a,b" "$T/under"
echo here >"$T/a,b/file"
check_eq 'a mount of a directory, read-only' 'here Read-only' "$(run --mount "type=bind,\"source=$T/a,b\",target=/mnt,readonly" sh -c 'echo $(cat /mnt/file) $(echo x 2>&1 >/mnt/file | grep -o Read-only)')"
mount -t tmpfs under "$T/under"
mkdir "$T/under/sub"
mount -t tmpfs sub "$T/under/sub"
echo below >"$T/under/sub/file"
check_eq 'a mount with those below it' below "$(run --mount "type=bind,src=$T/under,dst=/mnt" cat /mnt/sub/file)"
check_eq 'a mount alone' '' "$(run --mount "type=bind,src=$T/under,dst=/mnt,bind-nonrecursive" ls /mnt/sub)"
umount "$T/under/sub" "$T/under"
check_eq 'a volume, by its name' 'kept' "$(run --mount source=named,target=/mnt sh -c 'echo kept >/mnt/file'; run --mount type=volume,src=named,dst=/mnt,ro=true cat /mnt/file)"
lcx volume rm named >/dev/null
check_eq 'a mount of memory' '1024 700' "$(run --mount type=tmpfs,dst=/mnt,tmpfs-size=1m,tmpfs-mode=0700 sh -c 'echo $(df -k /mnt | tail -n 1 | tr -s " " | cut -d " " -f 2) $(stat -c %a /mnt)')"
check_fails 'a mount of no type' 125 "not nfs" run --mount type=nfs,target=/mnt true
check_fails 'a mount to nowhere' 125 'target=/PATH is missing' run --mount type=tmpfs true
check_fails 'a field of another type' 125 'this type has no tmpfs-size' run --mount type=bind,src=/,dst=/mnt,tmpfs-size=1m true
check_fails 'a field that is none' 125 'no field volume-driver' run --mount src=x,dst=/mnt,volume-driver=nfs true
check_fails 'a directory that is not there' 125 "$T/none" run --mount "type=bind,src=$T/none,dst=/mnt" true
check_fails 'too little memory for what it does' 137 'memory limit was reached' run -m 6m --memory-swap 6m sh -c 'x=$(head -c 30000000 /dev/zero | tr "\0" x)'
check_fails 'too little memory for any program' 125 '512k is the least' run -m 1k true
check_eq 'a user by number' '5:6' "$(run -u 5:6 sh -c 'echo $(id -u):$(id -g)')"
check_eq 'a user by name' '1000:1000' "$(run -u user sh -c 'echo $(id -u):$(id -g)')"
check_eq 'a host name' box "$(run -h box hostname)"
check_fails 'a read-only root' 1 'Read-only' run --read-only touch /x
lcx create --name fixed --read-only --network none --rootfs "$T/rootfs" touch /x >/dev/null
check_fails 'also when it is started later' 1 'Read-only' lcx start -a fixed
mkdir "$T/volume"
check 'a volume' run -v "$T/volume:/data" touch /data/made
check 'is the host directory' test -f "$T/volume/made"
check_fails 'a read-only volume' 1 'Read-only' run -v "$T/volume:/data:ro" touch /data/no
check_fails 'a dropped capability' 1 'not permitted' run --cap-drop CHOWN chown 1 /etc/text
check_eq 'no new privileges' 1 "$(run --security-opt no-new-privileges sed -n 's/NoNewPrivs:[[:space:]]*//p' /proc/self/status)"
check_eq 'no seccomp filter' 0 "$(run --security-opt seccomp=unconfined sed -n 's/Seccomp:[[:space:]]*//p' /proc/self/status)"
check_eq 'the default seccomp filter' 2 "$(run sed -n 's/Seccomp:[[:space:]]*//p' /proc/self/status)"
check_eq 'a kernel parameter of its own' 77 "$(run --sysctl net.core.somaxconn=77 cat /proc/sys/net/core/somaxconn)"
check_fails 'but none of the machine' 125 'belongs to no namespace' run --sysctl vm.swappiness=1 true
check_eq 'killed early' 500 "$(run --oom-score-adj 500 cat /proc/self/oom_score_adj)"
check_match 'memory on a directory' 'rw,nosuid,nodev,relatime.*size=64k,mode=750' "$(run --tmpfs /tmp:size=64k,mode=750,exec sh -c "grep ' /tmp ' /proc/self/mountinfo")"
check_match 'and on /dev/shm' 'size=128k' "$(run --shm-size 128k sh -c "grep ' /dev/shm ' /proc/self/mountinfo")"
check_eq 'a note' value "$(lcx create --network none --name noted --annotation key=value --rootfs "$T/rootfs" true >/dev/null; lcx inspect noted | jq -r '.[0].config.annotations.key'; lcx rm noted >/dev/null)"
for wrong in oom-score-adj=x shm-size=0 blkio-weight=5 tmpfs=relative device-read-bps=/dev/null; do
	check_fails "--$wrong" 125 "${wrong%%=*} '.*must be" run "--${wrong%%=*}" "${wrong#*=}" true
done
check_fails 'what is no disk' 125 "'/dev/null' is no disk" run --device-write-bps /dev/null:1m true
check_match 'steps with --debug' 'process.* ms' "$(run --debug true 2>&1)"
