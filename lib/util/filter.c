/* SPDX-License-Identifier: MIT */
#include "util/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>

#include "util/sys.h"

/* Raw system calls only: one of the programs has no C library. */

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

enum { MAX_CODE = 512 };

struct program {
	struct sock_filter code[MAX_CODE];
	unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (p->n < MAX_CODE)
		p->code[p->n] = (struct sock_filter){code, jt, jf, k};
	p->n++;
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void finish(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The upper half of a domain is never looked at by the kernel, either. */
static void allow_domains(struct program *p, const struct lcx__filter *filter)
{
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, (uint8_t)(2 + 2 * filter->n_domains));
	load(p, offsetof(struct seccomp_data, args[0]));
	for (size_t i = 0; i < filter->n_domains; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, filter->domains[i], 0, 1);
		finish(p, SECCOMP_RET_ALLOW);
	}
	finish(p, SECCOMP_RET_KILL_PROCESS);
}

/* The protection is the third argument; it has no bits in the upper half. */
static void compile(struct program *p, const struct lcx__filter *filter)
{
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	finish(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < filter->n_allowed; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, filter->allowed[i], 0, 1);
		finish(p, SECCOMP_RET_ALLOW);
	}
	for (size_t i = 0; i < filter->n_without_exec; i++) {
		emit(p, BPF_JMP | BPF_JEQ | BPF_K, filter->without_exec[i], 0, 4);
		load(p, offsetof(struct seccomp_data, args[2]));
		emit(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
		finish(p, SECCOMP_RET_KILL_PROCESS);
		finish(p, SECCOMP_RET_ALLOW);
	}
	if (filter->n_domains > 0)
		allow_domains(p, filter);
	finish(p, SECCOMP_RET_KILL_PROCESS);
}

int lcx__filter_install(const struct lcx__filter *filter)
{
	struct program p = {.n = 0};
	struct sock_fprog program = {.filter = p.code};
	long r;

	compile(&p, filter);
	if (p.n > MAX_CODE)
		return -E2BIG;
	program.len = p.n;
	r = sys_call5(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (r < 0)
		return (int)r;
	r = sys_call3(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
	/* Or the number of a thread that has a filter of its own, which none has. */
	return r > 0 ? -EPROTO : (int)r;
}
