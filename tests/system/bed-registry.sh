# SPDX-License-Identifier: MIT
# The bed's own registries do what tests of the library rely on.
# guest: no, it tests the bed itself
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"
need curl skopeo umoci htpasswd

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/busybox"
sh "$SRC/tests/registry/mkimage.sh" debian "$T/debian"

status_of() { # URL [CURL-OPTION...]
	curl -s -o "$T/answer" -w '%{http_code}' "$@" || :
}

registry_start plain
registry_push "$T/busybox:layers" public/busybox:layers
registry_push "$T/debian:bookworm-zstd" debian:bookworm-zstd
check_eq 'plain HTTP serves a manifest' 200 "$(status_of "http://$REGISTRY/v2/public/busybox/manifests/layers" \
	-H 'Accept: application/vnd.oci.image.manifest.v1+json')"
status_of "http://$REGISTRY/v2/debian/manifests/bookworm-zstd" -H 'Accept: application/vnd.oci.image.manifest.v1+json' >/dev/null
check_eq 'three zstd layers arrive as they were made' 3 "$(grep -o 'tar+zstd' "$T/answer" | wc -l)"
registry_stop plain
check_eq 'a stopped registry does not answer' 000 "$(status_of "http://$REGISTRY/v2/")"

registry_start secure tls
registry_push "$T/busybox:latest" public/busybox:latest
check_eq 'TLS is trusted by the CA' 200 "$(status_of "https://$REGISTRY/v2/" --cacert "$REGISTRY_CA")"
check_eq 'TLS is not trusted without the CA' 000 "$(status_of "https://$REGISTRY/v2/")"

registry_start tokens tls token
registry_push "$T/busybox:latest" public/busybox:latest
registry_push "$T/busybox:latest" private/busybox:latest
for repository in public private; do
	url=https://$REGISTRY/v2/$repository/busybox/tags/list
	check_eq "$repository: no token, no answer" 401 "$(status_of "$url" --cacert "$REGISTRY_CA")"
	status_of "$url" --cacert "$REGISTRY_CA" -D "$T/headers" >/dev/null
	realm=$(sed -n 's/.*realm="\([^"]*\)".*/\1/p' "$T/headers")
	ask="$realm?service=liblcx-test&scope=repository:$repository/busybox:pull"
	token=$(curl -s --cacert "$REGISTRY_CA" "$ask" | jq -r .token)
	case $repository in public) wanted=200 ;; *) wanted=401 ;; esac
	check_eq "$repository: an anonymous token" "$wanted" \
		"$(status_of "$url" --cacert "$REGISTRY_CA" -H "Authorization: Bearer $token")"
	token=$(curl -s --cacert "$REGISTRY_CA" -u "$REGISTRY_CREDS" "$ask" | jq -r .token)
	check_eq "$repository: a user's token" 200 \
		"$(status_of "$url" --cacert "$REGISTRY_CA" -H "Authorization: Bearer $token")"
done
check_eq 'a wrong password gets no token' 401 "$(status_of "$ask" --cacert "$REGISTRY_CA" -u tester:wrong)"

registry_start passwords basic
registry_push "$T/busybox:latest" public/busybox:latest
check_eq 'basic: nobody' 401 "$(status_of "http://$REGISTRY/v2/")"
check_eq 'basic: the user' 200 "$(status_of "http://$REGISTRY/v2/" -u "$REGISTRY_CREDS")"
