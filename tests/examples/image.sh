#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/image.c: an image out of a layout, and the same out of a registry.
. "${SRC:?}/tests/system/lib.sh"
. "$SRC/tests/registry/registry.sh"

image() { "$BUILD/examples/image" "$T/root" "$@"; }

sh "$SRC/tests/registry/mkimage.sh" busybox "$T/layout"
check 'imports a layout' image import "$T/layout" layers here:1
registry_start plain
registry_push "$T/layout:layers" there:1
check 'pulls from a registry' image "$REGISTRY/there:1" --plain-http
check_eq 'both have the same layers' "$(image import "$T/layout" layers here:1)" "$(image "$REGISTRY/there:1" --plain-http 2>"$T/progress")"
check_eq 'five of them' 5 "$(image import "$T/layout" layers here:1 | wc -l)"
check_match 'tells of each' 'sha256:.* done' "$(cat "$T/progress")"
check_fails 'says what is missing' 1 'not found' image "$REGISTRY/nowhere:1" --plain-http
