# SPDX-License-Identifier: MIT
# guest: no, archives are the same there
# An image out of a container's changes: the layer says all of them, the same bytes each time.
. "${SRC:?}/tests/system/lib.sh"
need busybox setcap getcap setfattr jq skopeo umoci python3

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref latest "$T/layout" box >/dev/null

# All that matters of a tree, from outside.
attributes() { # DIR
	(cd "$1" && find . -mindepth 1 \( -path ./proc -o -path ./sys -o -path ./dev \) -prune -o \
		-printf '%P %y %m %U:%G %s %n %T@ %l\n' | sed 's/^\([^ ]* d [^ ]* [^ ]*\) [0-9]* [0-9]*/\1/' | LC_ALL=C sort
	find . -type f -perm /0111 -exec getcap {} + | LC_ALL=C sort
	find . -type f \( -path ./proc -o -path ./sys \) -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort)
}
unpack() { # IMAGE DIR: by another tool
	lcx save -o "$T/unpack.tar" "$1"
	rm -rf "$T/unpack" && mkdir "$T/unpack"
	tar xf "$T/unpack.tar" -C "$T/unpack"
	rm -rf "$2"
	umoci unpack --image "$T/unpack:${1##*:}" "$2.bundle" >"$T/umoci.out" 2>&1 || cat "$T/umoci.out" >&2
	mv "$2.bundle/rootfs" "$2"
	rm -rf "$2.bundle"
}

# --- every kind of change

mkdir "$T/src"
echo capable >"$T/src/capable"
chmod 755 "$T/src/capable"
setcap cap_net_raw+ep "$T/src/capable"
truncate -s 1M "$T/src/sparse"
python3 -c 'open("'"$T"'/src/" + "long" * 50, "w"); open(b"'"$T"'/src/byte\xff", "w")'
touch -d '2001-02-03 04:05:06.123456789' "$T/src/sparse"
touch -d '1960-02-03 04:05:06' "$T/src/capable"
lcx run -d --name work --network none -e GIVEN=1 -w /srv/work box sh -c '
	echo new >/new; ln /new /linked; mkdir -p /dir/sub; chmod 1777 /dir; chown 1:2 /dir/sub
	ln -s ../new /dir/link; mkfifo /dir/pipe; mknod /dir/node c 1 3
	rm /etc/issue; rm -r /www; mkdir /www; echo again >/www/again; rm -r /var/log; echo file >/var/log; rm /usr/bin; mkdir /usr/bin
	echo more:x:9:9::/: >>/etc/passwd; chmod 700 /tmp; touch /ready
	trap exit TERM; while :; do sleep 0.1; done' >/dev/null
defer 'lcx rm -f work'
wait_for 10 lcx exec work test -e /ready
lcx cp -a "$T/src" work:/src

check 'commits a running container' lcx commit -a me -m 'a message' work made:1
lcx export work >"$T/expected.tar"
check_eq 'it runs on' running "$(lcx --format json inspect work | jq -r '.[0].state.status')"
lcx run --name from --network none made:1 true
check_eq 'commit, then run, then diff is empty' '' "$(lcx diff from)"
mkdir "$T/expected" "$T/found"
tar xf "$T/expected.tar" --warning=no-timestamp --xattrs --xattrs-include='*' -C "$T/expected"
lcx export from | tar xf - --warning=no-timestamp --xattrs --xattrs-include='*' -C "$T/found"
attributes "$T/expected" >"$T/expected.list"
attributes "$T/found" >"$T/found.list"
# The directory of the files that are mounted has the time of the last mount.
check 'the new container has the same files, attribute by attribute' sh -c '
	grep -a -v "^etc d\|^etc/host\|^etc/resolv\|etc/host\|etc/resolv" "$T/expected.list" >"$T/1"; grep -a -v "^etc d\|^etc/host\|^etc/resolv\|etc/host\|etc/resolv" "$T/found.list" >"$T/2"; diff "$T/1" "$T/2"'
check_match 'file capabilities are among them' 'capable cap_net_raw=ep' "$(cat "$T/found.list")"
check_match 'and fractions of a second' '^src/sparse .*981173106.1234567890' "$(cat "$T/found.list")"
check_match 'and hard links' '^linked f 644 0:0 4 2' "$(cat "$T/found.list")"
unpack made:1 "$T/umoci"
check_eq 'umoci unpacks the same tree' "$(cd "$T/found" && find . -path ./dev -prune -o -path './etc/host*' -prune -o -path ./etc/resolv.conf -prune -o -print | LC_ALL=C sort | sha256sum)" \
	"$(cd "$T/umoci" && find . -path ./dev -prune -o -path './etc/host*' -prune -o -path ./etc/resolv.conf -prune -o -print | LC_ALL=C sort | sha256sum)"
check_eq 'deletions are deletions to umoci, too' 'again' "$(ls "$T/umoci/www")"

# --- the same bytes

digest() { # IMAGE: of its last layer
	lcx --format json inspect "$1" | jq -r '.[0].RootFS.Layers[-1]'
}
lcx commit work made:2 >/dev/null
check_eq 'the same files give the same layer' "$(digest made:1)" "$(digest made:2)"
lcx commit --compression zstd work made:zstd >/dev/null
lcx commit --compression none work made:none >/dev/null
check_eq 'whatever it is compressed with' "$(digest made:1) $(digest made:1)" "$(digest made:zstd) $(digest made:none)"
types() {
	lcx save "$1" | tar xO "blobs/sha256/$(lcx --format json inspect "$1" | jq -r '.[0].Digest' | cut -d: -f2)" | jq -r '.layers[-1].mediaType'
}
check_eq 'and says what that is' 'application/vnd.oci.image.layer.v1.tar+gzip application/vnd.oci.image.layer.v1.tar+zstd application/vnd.oci.image.layer.v1.tar' \
	"$(types made:1) $(types made:zstd) $(types made:none)"
check_eq 'and runs' again "$(lcx run --rm --network none made:zstd cat /www/again)"
blob=$(lcx save made:2 | tar t | sha256sum)
check_eq 'names of an archive are sorted' "$blob" "$(lcx save made:2 | tar t | sha256sum)"

# --- the configuration

lcx commit -c 'CMD ["sh", "-c", "echo $A $B; pwd; id -u"]' -c 'ENV A=1 B="two words"' -c 'WORKDIR /tmp' -c 'USER 7:8' -c 'LABEL k=v' \
	-c 'EXPOSE 80 53/udp' -c 'VOLUME /data' -c 'STOPSIGNAL SIGINT' work made:config >/dev/null
check_eq 'changes are the defaults of a container' '1 two words /tmp 7' "$(lcx run --rm --network none made:config | tr '\n' ' ' | sed 's/ $//')"
check_eq 'the configuration says all of them' '{"env":["PATH=/bin:/sbin:/usr/bin","GIVEN=1","A=1","B=two words"],"labels":{"k":"v"},"ports":["53/udp","80/tcp"],"volumes":["/data"],"stop":"SIGINT","user":"7:8"}' \
	"$(lcx --format json inspect made:config | jq -c '.[0].Config | {env: .Env, labels: .Labels, ports: (.ExposedPorts | keys), volumes: (.Volumes | keys), stop: .StopSignal, user: .User}')"
lcx commit -c 'ENTRYPOINT ["echo", "entry"]' work made:entry >/dev/null
check_eq 'an entry point drops the command' entry "$(lcx run --rm --network none made:entry)"
check_eq 'what the container was told to run is the command' '["sh","-c"]' "$(lcx --format json inspect made:1 | jq -c '.[0].Config.Cmd[0:2]')"
check_eq 'history says who and why' 'a message' "$(lcx --format json history made:1 | jq -r '.[0].Comment')"
for bad in 'FROM x' 'ENV' 'ENV A=$B' 'ENV A="open' 'EXPOSE x' 'EXPOSE 70000' 'VOLUME data' 'CMD [1]' 'CMD ["a"' 'LABEL =x' 'USER a b'; do
	check_fails "refused: $bad" 1 'change ' lcx commit -c "$bad" work made:bad
done
check_fails 'a bad name' 1 '' lcx commit work 'Bad Name'
check_fails 'a compression that is not known' 1 'not known' lcx commit --compression xz work made:bad
lcx run --name wh --network none box touch /.wh.passwd
check_fails 'a file that would be a deletion' 1 'is a deletion' lcx commit wh made:bad
check_fails 'none of them made an image' 1 '' lcx inspect made:bad

# --- on top of each other, and elsewhere

lcx run --name again --network none made:1 sh -c 'rm /new; echo 2 >/dir/two'
lcx commit again made:3 >/dev/null
check_eq 'a layer on a layer' 'link node pipe sub two again' "$(lcx run --rm --network none made:3 sh -c 'ls /dir; cat /www/again; cat /new 2>/dev/null' | tr '\n' ' ' | sed 's/ $//')"
lcx save made:3 >"$T/made.tar"
check_eq 'skopeo reads it' 3 "$(skopeo inspect "docker-archive:$T/made.tar" | jq '.Layers | length')"
check 'another store loads it' sh -c '"$BUILD/examples/lcx/lcx" --root "$T/other" --run-dir "$T/other-run" load <"$T/made.tar"'
check_eq 'and runs it' again "$("$BUILD/examples/lcx/lcx" --root "$T/other" --run-dir "$T/other-run" run --rm --network none made:3 cat /www/again)"

# --- the base has lost its name, and the sweep has been by

lcx run --name first --network none box sh -c 'echo first >/srv/first'
lcx commit first base:moves >/dev/null
lcx rm first >/dev/null
lcx create --name held --network none --user 0 base:moves sh -c 'echo kept >/srv/kept' >/dev/null
base=$(lcx --format json inspect held | jq -r '.[0].imageId')
lcx tag box base:moves
lcx gc >/dev/null
lcx start -a held
check 'a container keeps what its image is made of, so that it can be committed' lcx commit -c 'CMD ["cat", "/srv/first", "/srv/kept"]' held made:held
check_eq 'and the new image runs' 'first kept' "$(lcx run --rm --network none made:held | xargs)"
check 'and is saved' lcx save -o "$T/held.tar" made:held
check 'so is the image itself, by its identifier' lcx save -o "$T/base.tar" "$base"
check 'what is in the store is whole' lcx image verify
lcx rmi made:held >/dev/null
lcx rm held >/dev/null
lcx gc >/dev/null
check_fails 'with the container it goes' 1 'no image' lcx save -o "$T/base.tar" "$base"
lcx rm -f work from again wh >/dev/null

# --- what is mounted takes no place in its layer

lcx run --name empty --network none box sh -c 'test -s /etc/hosts'
id=$(lcx inspect empty | jq -r '.[0].id')
check_eq 'who changes nothing has nothing in his layer' '' "$(ls -A "$T/lcx-root/containers/$id/upper")"
lcx create --name other --network none box >/dev/null
check_eq 'two hold their image by two names of one file' '1 3' "$(cd "$T/lcx-root/images/holds" && stat -c '%i %h' "$id" "$(lcx inspect other | jq -r '.[0].id')" | sort -u | awk '{ n++; links = $2 } END { print n, links }')"
elsewhere() { "$BUILD/examples/lcx/lcx" --root "$T/lcx-root" --run-dir "$T/other-run" "$@"; }
check_eq 'one is started with another run directory than it was made with' "$id" "$(elsewhere start -a empty && elsewhere inspect empty | jq -r '.[0].id')"
lcx run -d --name writer --network none --read-only box sleep 1000 >/dev/null
check_eq 'what it can write to is not in the run directory, which is in memory' '' "$(find "$T/lcx-run/containers" -name 'hosts*' -o -name resolv.conf)"
check 'rm' lcx rm -f empty other writer
id=$(lcx create --network none box)
truncate -s 0 "$T/lcx-root/images/holds/$id"
check_fails 'whose hold is damaged loses its image to no sweep' 1 'hold of container' lcx gc
lcx create --name next --network none box >/dev/null
check 'nor is the damage handed on' grep -q '^image sha256:' "$T/lcx-root/images/holds/$(lcx inspect next | jq -r '.[0].id')"
lcx rm "$id" next >/dev/null
check 'without it all is swept' lcx gc
