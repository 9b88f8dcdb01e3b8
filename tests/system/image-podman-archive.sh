# SPDX-License-Identifier: MIT
# By way of an archive: podman runs what we save, committed layers included, and we run what podman saves.
# guest: no, podman takes minutes there
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/system/podman.sh"
need umoci

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
lcx import --ref env "$T/layout" box:env >/dev/null
lcx run --name work --network none --user 0 box:env sh -c 'echo committed >/srv/file; rm /etc/issue; ln -s file /srv/link' 
lcx commit -c 'USER 1000:50' -c 'CMD ["sh", "-c", "id -u; cat /srv/link; ls /etc/issue 2>/dev/null; echo $GREETING"]' work box:made >/dev/null
lcx rm work >/dev/null
lcx save -o "$T/ours.tar" box:env box:made

said='1000 50 /srv/work hello from the image '
made='1000 committed hello from the image '
check 'podman loads what we save' podman_ load --signature-policy "$T/policy.json" -i "$T/ours.tar"
podman_ run --cgroups=disabled --rm --network none --pull never docker.io/library/box:env >"$T/out" 2>"$T/err" || cat "$T/err"
check_eq 'and runs it' "$said" "$(tr '\n' ' ' <"$T/out")"
podman_ run --cgroups=disabled --rm --network none --pull never docker.io/library/box:made >"$T/out" 2>"$T/err" || cat "$T/err"
check_eq 'also what we have committed' "$made" "$(tr '\n' ' ' <"$T/out")"
other() {
	"$BUILD/examples/lcx/lcx" --root "$T/other" --run-dir "$T/other-run" "$@"
}
for form in docker-archive oci-archive; do
	check "podman saves as $form" podman_ save -q --format "$form" -o "$T/$form.tar" docker.io/library/box:made
	rm -rf "$T/other"
	check "we load its $form" other load -i "$T/$form.tar"
	check_eq "and run it, from $form" "$made" "$(other run --rm --network none box:made | tr '\n' ' ')"
done
