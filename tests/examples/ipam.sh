#!/bin/sh
# SPDX-License-Identifier: MIT
# examples/ipam.c: a pool from the command line.
. "${SRC:?}/tests/system/lib.sh"

ipam() { "$BUILD/examples/ipam" "$T" "$@"; }

check 'creates a pool' ipam create front 10.88.0.0/29
check_eq 'allocates the first address' '10.88.0.2/29 10.88.0.1' "$(ipam allocate front web)"
check_eq 'allocates a wanted one' '10.88.0.6/29 10.88.0.1' "$(ipam allocate front db 10.88.0.6)"
check_fails 'names the owner of a taken one' 1 "leased to 'db'" ipam allocate front web 10.88.0.6
check 'reserves one' ipam reserve front old 10.88.0.3
check_eq 'lists them' '10.88.0.2 web lease;10.88.0.3 old reserved;10.88.0.6 db lease;' \
	"$(ipam list front | cut -d' ' -f1-3 | sort | tr '\n' ';')"
check_eq 'gives the reserved one to its owner' '10.88.0.3/29 10.88.0.1' "$(ipam allocate front old)"
ipam allocate front web >"$T/out" && ipam allocate front web >"$T/out"
check_fails 'says when it is full' 1 'full: all 5 addresses' ipam allocate front late
check_fails 'does not destroy a pool in use' 1 "in use by 'web'" ipam destroy front
check_eq 'releases all of an owner' 3 "$(ipam release front web)"
ipam release front db >"$T/out" && ipam release front old >"$T/out"
check 'destroys an empty pool' ipam destroy front
check_fails 'misses a pool that is not there' 1 "no address pool 'front'" ipam list front
