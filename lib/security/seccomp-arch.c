/* SPDX-License-Identifier: MIT */
#include "security/seccomp-arch.h"

#include <linux/audit.h>
#include <string.h>

#include "util/cleanup.h"

enum { X32_BIT = 0x40000000, NO_BASE = -1 };

/* Since Linux 5.15; older headers lack it. */
#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#endif

static const struct lcx__arch archs[] = {
	{"SCMP_ARCH_X86", "x86", "386", AUDIT_ARCH_I386, 0},
	{"SCMP_ARCH_X86_64", "x86_64", "amd64", AUDIT_ARCH_X86_64, 0},
	{"SCMP_ARCH_X32", "x32", NULL, AUDIT_ARCH_X86_64, X32_BIT},
	{"SCMP_ARCH_ARM", "arm", NULL, AUDIT_ARCH_ARM, 0},
	{"SCMP_ARCH_AARCH64", "aarch64", "arm64", AUDIT_ARCH_AARCH64, 0},
	{"SCMP_ARCH_LOONGARCH64", "loongarch64", "loong64", AUDIT_ARCH_LOONGARCH64, 0},
	{"SCMP_ARCH_M68K", "m68k", NULL, AUDIT_ARCH_M68K, NO_BASE},
	{"SCMP_ARCH_MIPS", "mips", NULL, AUDIT_ARCH_MIPS, 4000},
	{"SCMP_ARCH_MIPS64", "mips64", NULL, AUDIT_ARCH_MIPS64, 5000},
	{"SCMP_ARCH_MIPS64N32", "mips64n32", NULL, AUDIT_ARCH_MIPS64N32, 6000},
	{"SCMP_ARCH_MIPSEL", "mipsel", "mipsle", AUDIT_ARCH_MIPSEL, 4000},
	{"SCMP_ARCH_MIPSEL64", "mipsel64", "mips64le", AUDIT_ARCH_MIPSEL64, 5000},
	{"SCMP_ARCH_MIPSEL64N32", "mipsel64n32", NULL, AUDIT_ARCH_MIPSEL64N32, 6000},
	{"SCMP_ARCH_PPC", "ppc", NULL, AUDIT_ARCH_PPC, 0},
	{"SCMP_ARCH_PPC64", "ppc64", NULL, AUDIT_ARCH_PPC64, 0},
	{"SCMP_ARCH_PPC64LE", "ppc64le", NULL, AUDIT_ARCH_PPC64LE, 0},
	{"SCMP_ARCH_S390", "s390", NULL, AUDIT_ARCH_S390, 0},
	{"SCMP_ARCH_S390X", "s390x", NULL, AUDIT_ARCH_S390X, 0},
	{"SCMP_ARCH_SH", "sh", NULL, AUDIT_ARCH_SHEL, NO_BASE},
	{"SCMP_ARCH_SHEB", "sheb", NULL, AUDIT_ARCH_SH, NO_BASE},
	{"SCMP_ARCH_PARISC", "parisc", NULL, AUDIT_ARCH_PARISC, NO_BASE},
	{"SCMP_ARCH_PARISC64", "parisc64", NULL, AUDIT_ARCH_PARISC64, NO_BASE},
	{"SCMP_ARCH_RISCV64", "riscv64", NULL, AUDIT_ARCH_RISCV64, 0},
};

/*
 * The kernel gives a new system call the same number everywhere since 5.0
 * (scripts/syscall.tbl). libseccomp 2.5.4, as Debian 12 has it, ends at 450.
 */
static const struct {
	const char *name;
	uint32_t number;
} modern[] = {
	{"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
	{"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
	{"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
	{"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
	{"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
	{"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
	{"file_setattr", 469},
};

const struct lcx__arch *lcx__arch_by_oci_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
		if (strcmp(archs[i].oci_name, name) == 0)
			return &archs[i];
	return NULL;
}

const struct lcx__arch *lcx__arch_native(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
	return lcx__arch_by_oci_name("SCMP_ARCH_X32");
#elif defined(__x86_64__)
	return lcx__arch_by_oci_name("SCMP_ARCH_X86_64");
#elif defined(__aarch64__)
	return lcx__arch_by_oci_name("SCMP_ARCH_AARCH64");
#else
#error "name this architecture here, see also lib/util/sys.h"
#endif
}

int64_t lcx__arch_modern_syscall(const struct lcx__arch *arch, const char *name)
{
	/* The one that is not the same everywhere: a trampoline of x86-64. */
	if (strcmp(name, "uretprobe") == 0)
		return strcmp(arch->short_name, "x86_64") == 0 ? 335 : -1;
	for (size_t i = 0; arch->base >= 0 && i < ARRAY_SIZE(modern); i++)
		if (strcmp(modern[i].name, name) == 0)
			return arch->base + modern[i].number;
	return -1;
}
