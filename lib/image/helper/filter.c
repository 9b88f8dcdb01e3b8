/* SPDX-License-Identifier: MIT */
/*
 * The system calls that remain, written as BPF by hand: it is a list and two conditions,
 * and libseccomp would be larger than the rest of the helper.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "image/helper/confine.h"
#include "util/cleanup.h"
#include "util/sys.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

static const uint32_t allowed[] = {
	/* the archive, the caller */
	__NR_read,
	__NR_pread64,
	__NR_recvfrom,
	__NR_sendmsg,
	/* files below the root */
	__NR_openat,
	__NR_openat2,
	__NR_close,
	__NR_write,
	__NR_pwrite64,
	__NR_lseek,
	__NR_ftruncate,
	__NR_fallocate,
	__NR_fstat,
	__NR_newfstatat,
	__NR_statx,
	__NR_fstatfs,
	__NR_getdents64,
	__NR_mkdirat,
	__NR_mknodat,
	__NR_symlinkat,
	__NR_linkat,
	__NR_unlinkat,
#ifdef __NR_renameat
	__NR_renameat,
#endif
	__NR_renameat2,
	__NR_fchown,
	__NR_fchownat,
	__NR_fchmod,
	__NR_fchmodat,
	__NR_utimensat,
	__NR_fsetxattr,
	__NR_lsetxattr,
	__NR_fremovexattr,
	__NR_fchdir,
	__NR_fcntl,
	__NR_fchmodat2,
	/* memory and the process itself */
	__NR_brk,
	__NR_munmap,
	__NR_mremap,
	__NR_madvise,
	__NR_futex,
	__NR_getrandom,
	__NR_clock_gettime,
	__NR_getpid,
	__NR_sysinfo, /* glibc's qsort() asks how much memory there is */
	__NR_rt_sigreturn,
	__NR_restart_syscall,
	__NR_exit,
	__NR_exit_group,
};

/* Allowed only without PROT_EXEC: nothing new becomes code. */
static const uint32_t allowed_without_exec[] = {__NR_mmap, __NR_mprotect};

enum { MAX_CODE = 8 + 2 * ARRAY_SIZE(allowed) + 5 * ARRAY_SIZE(allowed_without_exec) };

struct program {
	struct sock_filter code[MAX_CODE];
	unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->code[p->n++] = (struct sock_filter){code, jt, jf, k};
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void finish(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The protection is the third argument of both; it has no bits in the upper half. */
static void compile(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	finish(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		finish(p, SECCOMP_RET_ALLOW);
	}
	for (size_t i = 0; i < ARRAY_SIZE(allowed_without_exec); i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, allowed_without_exec[i], 0, 4);
		load(p, offsetof(struct seccomp_data, args[2]));
		emit(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
		finish(p, SECCOMP_RET_KILL_PROCESS);
		finish(p, SECCOMP_RET_ALLOW);
	}
	finish(p, SECCOMP_RET_KILL_PROCESS);
}

int lcx__confine_system_calls(struct lcx_error **err)
{
	struct program p = {.n = 0};
	struct sock_fprog filter = {.filter = p.code};
	long r;

	compile(&p);
	filter.len = p.n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return lcx__fail_sys(err, errno, "confine the extraction: no new privileges");
	r = sys_call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
	if (r != 0) /* or the number of a thread that has a filter of its own, which none has */
		return lcx__fail_sys(err, r < 0 ? (int)-r : EPROTO,
				     "confine the extraction: seccomp; the kernel needs "
				     "CONFIG_SECCOMP_FILTER, or see lcx_layer_set_in_process()");
	return 0;
}
