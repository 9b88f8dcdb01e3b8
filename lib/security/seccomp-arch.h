/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

/* One row for each architecture that the OCI's specification names. */
struct lcx__arch {
	const char *oci_name;   /* "SCMP_ARCH_X86_64" */
	const char *short_name; /* libseccomp's "x86_64" */
	const char *go_name;    /* Docker's "amd64"; NULL: the same as short_name */
	uint32_t audit;         /* AUDIT_ARCH_x, which the kernel's seccomp_data has */
	/*
	 * What is added to the numbers of the system calls since 424, which are the
	 * same on all of these but for that; -1: not written down here.
	 */
	int64_t base;
};

/* NULL: unknown. */
const struct lcx__arch *lcx__arch_by_oci_name(const char *name);

/* The one that this library runs on. */
const struct lcx__arch *lcx__arch_native(void);

/* The number of a system call newer than libseccomp 2.5, on @arch; -1: unknown. */
int64_t lcx__arch_modern_syscall(const struct lcx__arch *arch, const char *name);
