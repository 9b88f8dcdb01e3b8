/* SPDX-License-Identifier: MIT */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "security/seccomp-arch.h"
#include "security/seccomp-decide.h"
#include "security/seccomp.h"

/*
 * The start itself goes on behind the filter, for a while: without no_new_privs a filter is for
 * root to install, who is somebody else afterwards. A profile that forbids what is called till
 * then could never start anything, and what failed would be a step that nobody asked for.
 */

static const struct {
	const char *name;
	uint32_t number;
	uint32_t steps; /* enum lcx__seccomp_step, each a bit */
} needs[] = {
	{"setgroups", __NR_setgroups, LCX__SECCOMP_BECOME},
	{"setresgid", __NR_setresgid, LCX__SECCOMP_BECOME},
	{"setresuid", __NR_setresuid, LCX__SECCOMP_BECOME},
	{"prctl", __NR_prctl, LCX__SECCOMP_BECOME},
	{"capset", __NR_capset, LCX__SECCOMP_BECOME},
	{"sendmsg", __NR_sendmsg, LCX__SECCOMP_WAIT | LCX__SECCOMP_LISTEN},
	{"read", __NR_read, LCX__SECCOMP_WAIT},
	{"close", __NR_close, LCX__SECCOMP_WAIT},
	{"execve", __NR_execve, LCX__SECCOMP_EXECUTE},
};

static bool is_forbidden(const struct sock_filter *filter, size_t n, uint32_t number)
{
	uint32_t verdict;

	if (!lcx__bpf_decide(filter, n, lcx__arch_native()->audit, number, &verdict))
		return false;
	switch (verdict & SECCOMP_RET_ACTION_FULL) {
	case LCX__ACT_ALLOW:
	case LCX__ACT_LOG:
	case LCX__ACT_NOTIFY: /* the listener's decision */
		return false;
	default:
		return true;
	}
}

int lcx__seccomp_check_start(const void *bpf, size_t size, uint32_t steps, struct lcx_error **err)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(*needs); i++)
		if (needs[i].steps & steps &&
		    is_forbidden(bpf, size / sizeof(struct sock_filter), needs[i].number))
			return lcx__fail(err, EPERM,
					 "linux.seccomp: forbids '%s', which the start itself "
					 "calls once the filter is there; allow it%s",
					 needs[i].name,
					 steps & LCX__SECCOMP_BECOME &&
							 needs[i].steps != LCX__SECCOMP_EXECUTE
						 ? ", or set process.noNewPrivileges, with which "
						   "the filter comes later"
						 : "");
	return 0;
}
