# SPDX-License-Identifier: MIT
# Containers of an ordinary user, who has no capability: his own root in there, and clear words for what he can't have.
. "${SRC:?}/tests/system/lib.sh"
need busybox setpriv tar python3
U=65534

# A place that he can reach, with the command, a root file system and an image.
place_for_user
python3 - "$SRC" $at <<'END'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout
out = io.BytesIO()
tar = tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT)
tar.add(sys.argv[2] + '/rootfs', '.')
for name, uid in ('daemon-file', 1), ('root-file', 0):
    entry = tarfile.TarInfo(name)
    entry.uid = entry.gid = uid
    entry.mode = 0o4755
    tar.addfile(entry)
tar.close()
layout.write(sys.argv[2] + '/layout', [(out.getvalue(), out.getvalue(), '')])
END
chmod -R a+rX $at
chown -R $U:$U $at/home $at/run $at/rootfs
cat >$at/as <<END
#!/bin/sh
export HOME=$at/home XDG_RUNTIME_DIR=$at/run LD_LIBRARY_PATH=$at ASAN_OPTIONS=detect_leaks=0
cd /
exec setpriv --reuid $U --regid $U --clear-groups --inh-caps=-all --no-new-privs "\$@"
END
chmod 755 $at/as
lcx_() { $at/as $at/lcx "$@"; }
in_() { lcx_ run --rm --network none --rootfs $at/rootfs "$@"; }

check_eq 'he is root in there' '0 0' "$(in_ sh -c 'echo $(id -u) $(id -g)')"

# Cgroups: those that were delegated to him, or none.
if in_guest; then
	group=/sys/fs/cgroup/lcx-test-$$
	# A cgroup that holds processes can have no limits below it, so his shell has a leaf of its own.
	mkdir $group $group/his $group/his/shell
	defer "rmdir $group/his/shell $group/his $group"
	echo '+memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
	echo '+memory +pids' >$group/cgroup.subtree_control
	chown -R $U $group/his
	delegated() { sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh $group/his/shell $at/as $at/lcx "$@"; }
	check_eq 'a limit in a cgroup that was delegated' 33554432 \
		"$(delegated run --rm -m 32m --network none --rootfs $at/rootfs cat /sys/fs/cgroup/memory.max)"
	check 'with statistics' delegated run -d --name counted --network none --rootfs $at/rootfs sleep 1000
	check_match 'of its memory' 'counted' "$(delegated stats counted)"
	check 'and its end' delegated rm -f counted
	check_eq 'nothing runs any more' '' "$(lcx_ ps -aq)"
	exit 0 # the rest is the same there
fi
check_fails 'a limit without one' 125 'need a cgroup that was delegated' in_ -m 32m true
check_eq "the host's cgroups are out of sight" '' "$(in_ ls /sys/fs/cgroup)"

check_eq 'and alone' "0 $U 1" "$(in_ sh -c 'echo $(cat /proc/self/uid_map)')"
check_eq 'he can do nothing outside' "$U" "$(in_ touch /made; stat -c %u $at/rootfs/made)"
check_eq 'his own processes only' 1 "$(in_ sh -c 'echo $$')"
check_eq 'no file of the host becomes his' 'denied' "$(in_ -v /etc:/e sh -c 'echo x >>/e/passwd || echo denied' 2>/dev/null)"
check_eq 'devices are there' 0 "$(in_ sh -c 'head -c 5 /dev/zero >/dev/null; echo $?')"
check_fails 'no device can be made' 1 '' in_ mknod /made2 c 1 3
check_eq 'privileged is nothing more' "$U" "$(in_ --privileged sh -c 'cat /proc/self/uid_map' | awk '{print $2}')"

check 'an image' lcx_ import $at/layout
image=$(lcx_ images -q)
check_eq 'owners that he cannot give are his' '0 4755 0 4755' \
	"$(lcx_ run --rm --network none "$image" stat -c '%u %a' /daemon-file /root-file | xargs)"
# Overlay keeps a directory that nobody has rights to.
check 'a volatile container' lcx_ run --name fleeting --network none --storage-opt volatile=on "$image" true
check 'is started again' lcx_ start fleeting
wait_for 5 sh -c "[ -z \"\$($at/as $at/lcx ps -q)\" ]"
check 'and removed' lcx_ rm fleeting
check_eq 'nothing of it stays' '' "$(ls -A $at/home/.local/share/lcx/containers)"
check 'a container that stays' lcx_ run -d --name stays --network none "$image" sh -c 'echo said; echo changed >/root-file; rm /daemon-file; sleep 1000'
wait_for 10 sh -c "HOME=$at/home $at/as $at/lcx logs stays | grep -q said"
check_eq 'a further process' 0 "$(lcx_ exec stays id -u)"
check_eq 'what it has changed' 'C /root-file D /daemon-file' "$(lcx_ diff stays | sort | xargs)"
check_match 'what runs in it' 'sleep 1000' "$(lcx_ top stays)"
check 'a copy out' lcx_ cp stays:/root-file $at/home/copied
check_eq 'of its content' changed "$(cat $at/home/copied)"
check 'a copy in' lcx_ cp $at/home/copied stays:/copied
check_eq 'for all to read' changed "$(lcx_ exec stays cat /copied)"
check 'an image of it' lcx_ commit --pause=false stays again:1
check_eq 'has the change' changed "$(lcx_ run --rm --network none again:1 cat /root-file)"
check 'stop' lcx_ stop -t 0 stays
check_eq 'what a stopped one has changed' 'A /copied D /daemon-file C /root-file' "$(lcx_ diff stays | sort -k 2 | xargs)"
check 'a copy out of a stopped one' lcx_ cp stays:/copied $at/home/again
check 'one with a volume' lcx_ create --name bound --network none -v $at/home:/home "$image" true
check_fails 'whose volume is out of reach' 1 'start it first' lcx_ cp $at/home/copied bound:/home/x
check 'and its removal' lcx_ rm bound
check_eq 'a volume with a name, filled by the image' busybox "$(lcx_ run --rm --network none -v his:/bin "$image" ls /bin/busybox | xargs -n 1 basename)"
check_eq 'is his on the disk' "$U" "$(stat -c %u $at/home/.local/share/lcx/volumes/his/data/busybox)"
check 'it goes' lcx_ volume rm his
lcx_ run --name more --network none "$image" sh -c 'mkdir /two && echo of-two >/two/file' >/dev/null
lcx_ commit more two >/dev/null
lcx_ rm more >/dev/null
check_eq 'one of several layers, too' of-two "$(lcx_ run --rm --network none -v /two two cat /two/file)"
lcx_ rmi two >/dev/null
check_eq 'all of its files' changed "$(lcx_ export stays | tar -xO root-file ./root-file 2>/dev/null)"
check 'start' lcx_ start stays
check 'rm -f' lcx_ rm -f stays
check_eq 'a terminal' 'tty 0' "$($at/as script -qec "$at/lcx run --rm -it --network none --rootfs $at/rootfs sh -c 'tty >/dev/null && echo tty \$(id -u)'" /dev/null </dev/null | grep -o 'tty 0')"
check_match "the host's network" 'lo' "$(lcx_ run --rm --network host "$image" ls /sys/class/net)"

check_fails 'a bridge' 125 "only root makes bridges" lcx_ run --rm "$image" true
check_fails 'another user' 125 'user 1000:1000 is nobody' in_ --user 1000 true

check_eq 'nothing runs any more' '' "$(lcx_ ps -aq)"
check_eq 'nothing is mounted' '' "$(grep $at/home /proc/self/mountinfo || :)"
for image in $(lcx_ images -q | sort -u); do lcx_ rmi "$image" >/dev/null || :; done
check 'gc' lcx_ gc
