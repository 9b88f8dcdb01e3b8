/* SPDX-License-Identifier: MIT */
/* The system calls that remain. */
#include "util/filter.h"

#include "image/helper/confine.h"
#include "util/cleanup.h"
#include "util/sys.h"

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
	__NR_geteuid,
	__NR_sysinfo, /* glibc's qsort() asks how much memory there is */
	__NR_rt_sigreturn,
	__NR_restart_syscall,
	__NR_exit,
	__NR_exit_group,
};

static const uint32_t allowed_without_exec[] = {__NR_mmap, __NR_mprotect};

int lcx__confine_system_calls(struct lcx_error **err)
{
	const struct lcx__filter filter = {
		.allowed = allowed,
		.n_allowed = ARRAY_SIZE(allowed),
		.without_exec = allowed_without_exec,
		.n_without_exec = ARRAY_SIZE(allowed_without_exec),
	};
	int r = lcx__filter_install(&filter);

	return r < 0 ? lcx__fail_sys(err, -r,
				     "confine the extraction: seccomp; the kernel needs "
				     "CONFIG_SECCOMP_FILTER, or see lcx_layer_set_in_process()")
		     : 0;
}
