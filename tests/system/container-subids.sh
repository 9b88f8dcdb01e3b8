# SPDX-License-Identifier: MIT
# guest: no, ranges of ids are kept in files, and who may map them is settled by programs
# An ordinary user with ranges of ids: containers of many users, and all that is done to their files from outside.
. "${SRC:?}/tests/system/lib.sh"
need busybox setpriv tar python3 newuidmap
U=4711

# A place that he can reach, and files of the machine's that give him ranges; both only here.
place_for_user
for file in subuid subgid; do
	printf '%s\n' other:900000:10 "$U:200000:1000" "$U:300000:64536" >"$T/$file"
	[ -f "/etc/$file" ] || : >"/etc/$file"
	mount --bind "$T/$file" "/etc/$file"
	defer "umount /etc/$file"
done
sed "\$a who:x:$U:$U::/:/bin/sh" /etc/passwd >"$T/passwd"
mount --bind "$T/passwd" /etc/passwd
defer 'umount /etc/passwd'
python3 - "$SRC" $at <<'END'
import io, sys, tarfile
sys.path.insert(0, sys.argv[1] + '/tests/layers')
import layout

def layer(names):
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT)
    if names is not first:
        pass
    else:
        tar.add(sys.argv[2] + '/rootfs', '.', filter=root)
    for name, uid, mode, kind in names:
        entry = tarfile.TarInfo(name)
        entry.uid = entry.gid = uid
        entry.mode = mode
        entry.type = kind
        tar.addfile(entry)
    tar.close()
    return out.getvalue()

def root(entry):
    entry.uid = entry.gid = 0
    return entry

D, F = tarfile.DIRTYPE, tarfile.REGTYPE
first = [('secret', 33, 0o700, D), ('secret/inner', 33, 0o700, D), ('secret/inner/file', 33, 0o600, F),
         ('far', 60000, 0o4750, F), ('gone', 7, 0o600, F), ('full', 33, 0o700, D), ('full/old', 33, 0o600, F)]
second = [('.wh.gone', 0, 0o600, F), ('full', 33, 0o700, D), ('full/.wh..wh..opq', 0, 0o600, F), ('secret/inner/more', 34, 0o600, F)]
layout.write(sys.argv[2] + '/layout', [(d, d, '') for d in (layer(first), layer(second))])
beyond = layer([('beyond', 70000, 0o644, F)])
layout.write(sys.argv[2] + '/beyond', [(beyond, beyond, '')])
END
chmod -R a+rX $at
chown -R $U:$U $at/home $at/run
cat >$at/as <<END
#!/bin/sh
export HOME=$at/home XDG_RUNTIME_DIR=$at/run LD_LIBRARY_PATH=$at ASAN_OPTIONS=detect_leaks=0
cd /
exec setpriv --reuid $U --regid $U --clear-groups --inh-caps=-all \${BOUND:-} "\$@"
END
chmod 755 $at/as
lcx_() { $at/as $at/lcx "$@"; }
run() { lcx_ run --rm --network none "$image" "$@"; }
store=$at/home/.local/share/lcx
others() { find $at/home $at/run ! -uid $U -printf '%p %U %m\n' 2>/dev/null | sort; }

# --- words

lcx_bad() { lcx_ --root $at/home/bad --run-dir $at/run/bad --subids on "$@"; }
check_fails 'a program that may not gain rights' 125 "newgidmap.*exit status 1.*no_new_privs" env BOUND=--no-new-privs $at/as $at/lcx --root $at/home/bad --run-dir $at/run/bad --subids on run --rm --rootfs $at/rootfs true
mount --bind /dev/null /usr/bin/newgidmap
check_fails 'a program that is missing' 1 'newgidmap: no such program.*package uidmap' lcx_bad ps
umount /usr/bin/newgidmap
cp -p /usr/bin/newgidmap "$at/newgidmap"
chown $U "$at/newgidmap"
chmod 4755 "$at/newgidmap"
mount --bind "$at/newgidmap" /usr/bin/newgidmap
check_fails 'a program that is not root'\''s' 1 'newgidmap. is not used, for somebody else' lcx_bad ps
chown 0 "$at/newgidmap"
chmod 4775 "$at/newgidmap"
check_fails 'or that others may write to' 1 'newgidmap. is not used, for somebody else' lcx_bad ps
umount /usr/bin/newgidmap
rm "$at/newgidmap"
cp "$T/subgid" "$T/kept"
echo other:900000:10 >"$T/subgid"
check_fails 'a user without a range' 1 "user 'who' (4711) has no subordinate ids in /etc/subgid" lcx_bad ps
check_fails 'and one id of his own is what he has' 125 'use subordinate ids' lcx_ --root $at/home/bad --run-dir $at/run/bad run --rm --network none --rootfs $at/rootfs --user 5 true
cat "$T/kept" >"$T/subgid"
check_fails 'root needs none' 1 'for an ordinary user' lcx --subids on ps
check_fails 'a word that is none' 1 'must be auto, on or off' lcx_ --subids perhaps ps
check_fails 'an owner beyond the range' 1 "entry 'beyond': the owner 70000:70000 has no id here" lcx_ --root $at/home/bad --run-dir $at/run/bad import $at/beyond
check 'all of it goes again' $at/as rm -r $at/home/bad $at/run/bad

# --- images

check 'an image is imported' lcx_ import $at/layout
image=$(lcx_ images -q)
check_eq 'its files have the owners of the range' "299999 4750" "$(stat -c '%u %a' $store/images/layers/*/diff/far | sed s/358999/299999/)"
check_eq 'and are seen with those of the image' '0 33 33 60000 4750' "$(run sh -c 'echo $(stat -c %u /bin /secret /secret/inner/file; stat -c "%u %a" /far)')"
check_eq 'deletions and opaque directories' '/secret/inner/file /secret/inner/more' "$(run sh -c 'ls /gone 2>/dev/null; ls /full; echo /secret/inner/*')"
check 'verify' lcx_ image verify
echo more >>"$(echo $store/images/layers/*/diff/secret/inner/more)"
check_fails 'verify sees a change' 1 "secret/inner/more" lcx_ image verify
check 'which importing again repairs' lcx_ import $at/layout
check 'verify' lcx_ image verify
check_eq 'the map' "0 $U 1 1 200000 1000 1001 300000 64536" "$(run sh -c 'echo $(cat /proc/self/uid_map)')"
check_eq 'a user of the image' '33 0' "$(lcx_ run --rm --network none --user 33 "$image" sh -c 'echo $(id -u) $(id -g)')"
check_eq 'and a group' '33 7' "$(lcx_ run --rm --network none --user 33:7 "$image" sh -c 'echo $(id -u) $(id -G)')"
check_eq 'whose streams are his' said "$(lcx_ run --rm --network none --user 33 "$image" sh -c 'echo said >/dev/stdout')"
check_fails 'a user beyond' 125 'too small' lcx_ run --rm --network none --user 65537 "$image" true
check_eq 'su, as package managers do' '34 65534' "$(run sh -c 'touch /a /b; chown 34:34 /a; chown 65534 /b; echo $(stat -c %u /a /b)')"
check_fails 'nobody else becomes his' 1 '' run sh -c 'touch /a; chown 65537 /a'

# --- volumes

volume() { lcx_ run --rm --network none -v his:/secret "$image" "$@"; }
check_eq 'a volume has what several layers have, with its owners' '33 700 33 34' "$(volume sh -c 'echo $(stat -c "%u %a" /secret) $(stat -c %u /secret/inner/file /secret/inner/more)')"
check_eq 'which are those of the range on the disk' 200032 "$(stat -c %u $store/volumes/his/data)"
check 'it keeps what others write' volume sh -c 'mkdir -m 700 /secret/new && touch /secret/new/file && chown -R 50 /secret/new'
check_eq 'with their owners' 50 "$(volume stat -c %u /secret/new/file)"
check 'it goes, whoever has its files' lcx_ volume rm his
check 'one without a name does at the end' lcx_ run --rm --network none -v /anonymous "$image" sh -c 'mkdir -m 700 /anonymous/d && touch /anonymous/d/f && chown -R 50 /anonymous/d'
check_eq 'nothing is left' '' "$(ls -A $store/volumes)"

# --- a container that stays

check 'run' lcx_ run -d --name stays --network none "$image" sh -c '
	echo new >/secret/inner/new; chown 33:33 /secret/inner/new; chmod 600 /secret/inner/new
	rm /far; mkdir -p /d/e; chown 40:40 /d/e /d; chmod 700 /d /d/e; touch /d/e/f; chown 41:41 /d/e/f
	echo ready; sleep 1000'
wait_for 10 sh -c "$at/as $at/lcx logs stays | grep -q ready"
changes='A /d A /d/e A /d/e/f D /far C /secret C /secret/inner A /secret/inner/new'
for state in running stopped; do
	check_eq "diff, $state" "$changes" "$(lcx_ diff stays | sort -k 2 | xargs)"
	check "cp out, $state" lcx_ cp stays:/secret $at/home/copied
	check_eq "it is his own, $state" "$U new" "$(stat -c %u $at/home/copied/inner/file) $(cat $at/home/copied/inner/new)"
	rm -r $at/home/copied
	check "cp -a out, $state" lcx_ cp -a stays:/secret/inner/file $at/home/copied
	check_eq "it is the range's, $state" 200032 "$(stat -c %u $at/home/copied)"
	check "cp in, $state" lcx_ cp $at/lcx stays:/d/e/f
	check_eq "into what others own, $state" "$(wc -c <$at/lcx)" "$(lcx_ cp stays:/d/e/f - | tar -xO | wc -c)"
	rm $at/home/copied
	check_eq "export, $state" '33/33 40/40 ' "$(lcx_ export stays | tar -tv --numeric-owner | awk '$6 ~ "^(./)?(secret|d)/$" { print $2 }' | sort | tr '\n' ' ')"
	check "commit, $state" lcx_ commit --pause=false stays again:$state
	check_eq "the image of it, $state" '33 33 40' "$(lcx_ run --rm --network none again:$state sh -c 'echo $(stat -c %u /secret /secret/inner/new /d/e)')"
	[ $state = stopped ] || check 'exec as another user' lcx_ exec --user 33 stays sh -c 'cat /secret/inner/new'
	[ $state = stopped ] || check 'stop' lcx_ stop -t 0 stays
done
check 'start' lcx_ start stays
check_match 'top' 'sleep 1000' "$(lcx_ top stays)"
check 'rm -f' lcx_ rm -f stays

# --- what is left

check 'a container whose root is not his any more' lcx_ run --network none --name odd "$image" sh -c 'mkdir /x; chown 5 /x /; chmod 700 /x /'
check 'is removed' lcx_ rm odd
id=$(lcx_ create --network none "$image" true)
mv $store/containers/"$id" $store/containers/.tmp-half
mkdir $store/containers/.tmp-half/upper/z $store/containers/.tmp-half/upper/z/z
chown -R 200040:200040 $store/containers/.tmp-half/upper/z
check 'gc' lcx_ gc
for each in $(lcx_ images -q | sort -u); do lcx_ rmi "$each" >/dev/null || :; done
check 'gc' lcx_ gc
check_eq 'nothing of others is left' '' "$(others)"
check_eq 'nor any container' '' "$(lcx_ ps -aq; ls -A $store/containers)"
check_eq 'nor a layer' '' "$(ls -A $store/images/layers)"

# --- the record

check_eq 'the root directory has it in writing' "u 0 $U 1|u 1 200000 1000|u 1001 300000 64536|g 0 $U 1|g 1 200000 1000|g 1001 300000 64536|" "$(tr '\n' '|' <$store/subids)"
lcx_ import $at/layout >/dev/null
echo "$U:500000:65536" >"$T/subuid"
check_fails 'ranges that were taken away' 125 "newuidmap.*not allowed" lcx_ run --rm --network none "$image" true
check_fails 'others in their place' 1 'has images or containers' lcx_ --subids on ps
cat "$T/kept" >"$T/subuid"
check_fails 'a map of his own' 125 'leave them out' lcx_ run --rm --network none --uidmap 0:$U:1 --gidmap 0:$U:1 "$image" true
$at/as cp -r $at/rootfs $at/home/rootfs
check_eq 'a directory of his own' 33 "$(lcx_ run --rm --network none --rootfs $at/home/rootfs sh -c 'touch /a; chown 33 /a; stat -c %u /a')"
check_eq 'on the host it is the range' 200032 "$(stat -c %u $at/home/rootfs/a)"
cp "$BUILD/tests/image-tool" $at/image-tool
owners() { find "$store/images/layers" -printf '%P %U %G %m\n' | sort; }
before=$(owners)
for each in $(lcx_ images -q | sort -u); do lcx_ rmi "$each" >/dev/null; done
check 'unpacking in the process itself' $at/as $at/image-tool $store --in-process import $at/layout x x
check_eq 'gives the same owners' "$before" "$(owners)"
