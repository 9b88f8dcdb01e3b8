/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Raw system calls: no errno, no cancellation point, no lock, no allocation.
 * They return a negative errno on failure. Three callers need exactly that: the
 * child between clone and exec, which shares the host's memory; lcx-init, which
 * has no C library; and code that uses interfaces newer than the C library.
 */

#include <stddef.h>
#include <stdint.h>
#include <asm/unistd.h>

#include "util/weaken.h"

#if defined(__x86_64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "liblcx has no system call code for this architecture yet: see lib/util/sys.h"
#endif

/* Newer than the headers of Debian 12; of one number everywhere. */
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

#define SYS_ARG_(x)            ((long)(x))
#define sys_call0(nr)          sys_call(nr, 0, 0, 0, 0, 0, 0)
#define sys_call1(nr, a)       sys_call(nr, SYS_ARG_(a), 0, 0, 0, 0, 0)
#define sys_call2(nr, a, b)    sys_call(nr, SYS_ARG_(a), SYS_ARG_(b), 0, 0, 0, 0)
#define sys_call3(nr, a, b, c) sys_call(nr, SYS_ARG_(a), SYS_ARG_(b), SYS_ARG_(c), 0, 0, 0)
#define sys_call4(nr, a, b, c, d)                                                                  \
	sys_call(nr, SYS_ARG_(a), SYS_ARG_(b), SYS_ARG_(c), SYS_ARG_(d), 0, 0)
#define sys_call5(nr, a, b, c, d, e)                                                               \
	sys_call(nr, SYS_ARG_(a), SYS_ARG_(b), SYS_ARG_(c), SYS_ARG_(d), SYS_ARG_(e), 0)
#define sys_call6(nr, a, b, c, d, e, f)                                                            \
	sys_call(nr, SYS_ARG_(a), SYS_ARG_(b), SYS_ARG_(c), SYS_ARG_(d), SYS_ARG_(e), SYS_ARG_(f))

/* Kernel interfaces with their own names here, since C libraries define them at different times. */
struct sys_open_how {
	uint64_t flags, mode, resolve;
};

struct sys_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

struct sys_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

enum {
	SYS_RESOLVE_NO_XDEV = 0x01,
	SYS_RESOLVE_NO_MAGICLINKS = 0x02,
	SYS_RESOLVE_NO_SYMLINKS = 0x04,
	SYS_RESOLVE_BENEATH = 0x08,
	SYS_RESOLVE_IN_ROOT = 0x10,

	SYS_FSOPEN_CLOEXEC = 1,
	SYS_FSMOUNT_CLOEXEC = 1,
	SYS_FSCONFIG_SET_FLAG = 0,
	SYS_FSCONFIG_SET_STRING = 1,
	SYS_FSCONFIG_SET_FD = 5,
	SYS_FSCONFIG_CMD_CREATE = 6,
	SYS_OPEN_TREE_CLONE = 1,
	SYS_AT_RECURSIVE = 0x8000,
	SYS_MOVE_MOUNT_F_EMPTY_PATH = 0x04,
	SYS_MOVE_MOUNT_T_EMPTY_PATH = 0x40,

	SYS_MOUNT_ATTR_RDONLY = 0x01,
	SYS_MOUNT_ATTR_NOSUID = 0x02,
	SYS_MOUNT_ATTR_NODEV = 0x04,
	SYS_MOUNT_ATTR_NOEXEC = 0x08,
	SYS_MOUNT_ATTR__ATIME = 0x70,
	SYS_MOUNT_ATTR_NOATIME = 0x10,
	SYS_MOUNT_ATTR_STRICTATIME = 0x20,
	SYS_MOUNT_ATTR_NODIRATIME = 0x80,
	SYS_MOUNT_ATTR_IDMAP = 0x00100000,
	SYS_MOUNT_ATTR_NOSYMFOLLOW = 0x00200000,
};

/*
 * -EAGAIN means that the kernel met a ".." below a root, and something was renamed or mounted
 * meanwhile, anywhere on the machine: openat2(2) wants to be tried again.
 */
enum { SYS_OPENAT2_TRIES = 1000 };

static inline int sys_openat2(int dir_fd, const char *path, uint64_t flags, uint64_t mode,
			      uint64_t resolve)
{
	struct sys_open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
	int r, n = 0;

	if (lcx__is_off(PATHS) && resolve & SYS_RESOLVE_IN_ROOT) {
		how.resolve = 0;
		path = lcx__from_here(path);
	}
	do
		r = (int)sys_call4(__NR_openat2, dir_fd, path, &how, sizeof(how));
	while (r == -11 /* EAGAIN */ && resolve != 0 && ++n < SYS_OPENAT2_TRIES);
	return r;
}

static inline int sys_fsopen(const char *type, unsigned int flags)
{
	return (int)sys_call2(__NR_fsopen, type, flags);
}

static inline int sys_fsconfig(int fd, unsigned int command, const char *key, const void *value,
			       int aux)
{
	return (int)sys_call5(__NR_fsconfig, fd, command, key, value, aux);
}

static inline int sys_fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	return (int)sys_call3(__NR_fsmount, fd, flags, attributes);
}

static inline int sys_open_tree(int dir_fd, const char *path, unsigned int flags)
{
	return (int)sys_call3(__NR_open_tree, dir_fd, path, flags);
}

static inline int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to,
				 unsigned int flags)
{
	return (int)sys_call5(__NR_move_mount, from_fd, from, to_fd, to, flags);
}

static inline int sys_mount_setattr(int dir_fd, const char *path, unsigned int flags,
				    const struct sys_mount_attr *attr)
{
	return (int)sys_call5(__NR_mount_setattr, dir_fd, path, flags, attr, sizeof(*attr));
}

static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)sys_call3(__NR_close_range, first, last, flags);
}

static inline int sys_pidfd_open(int pid, unsigned int flags)
{
	return (int)sys_call2(__NR_pidfd_open, pid, flags);
}

static inline int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)sys_call4(__NR_pidfd_send_signal, pidfd, sig, 0, 0);
}

/* Files and clocks. */
struct sys_timespec {
	int64_t tv_sec, tv_nsec;
};

struct sys_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct sys_statx_time {
		int64_t sec;
		uint32_t nsec, spare;
	} atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, spare[13];
};
_Static_assert(sizeof(struct sys_statx) == 256, "the kernel writes 256 bytes");

enum { SYS_STATX_BASIC_STATS = 0x7ff, SYS_STATX_BTIME = 0x800 };

static inline int sys_openat(int dir_fd, const char *path, int flags, unsigned int mode)
{
	return (int)sys_call4(__NR_openat, dir_fd, path, flags, mode);
}

static inline int sys_close(int fd)
{
	return (int)sys_call1(__NR_close, fd);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
	return sys_call3(__NR_read, fd, buffer, size);
}

static inline long sys_pread(int fd, void *buffer, size_t size, int64_t offset)
{
	return sys_call4(__NR_pread64, fd, buffer, size, offset);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
	return sys_call3(__NR_write, fd, data, size);
}

static inline int sys_ftruncate(int fd, uint64_t size)
{
	return (int)sys_call2(__NR_ftruncate, fd, size);
}

static inline int sys_renameat2(int from_fd, const char *from, int to_fd, const char *to,
				unsigned int flags)
{
	return (int)sys_call5(__NR_renameat2, from_fd, from, to_fd, to, flags);
}

static inline int sys_unlinkat(int dir_fd, const char *path, int flags)
{
	return (int)sys_call3(__NR_unlinkat, dir_fd, path, flags);
}

/* Linux 6.6: with "" and AT_EMPTY_PATH also of what was opened with O_PATH. */
static inline int sys_fchmodat2(int dir_fd, const char *path, unsigned int mode, int flags)
{
	return (int)sys_call4(__NR_fchmodat2, dir_fd, path, mode, flags);
}

/* statx(2) of @path, or of @dir_fd itself with "" and AT_EMPTY_PATH. */
static inline int sys_statx(int dir_fd, const char *path, int flags, struct sys_statx *ret)
{
	return (int)sys_call5(__NR_statx, dir_fd, path, flags,
			      SYS_STATX_BASIC_STATS | SYS_STATX_BTIME, ret);
}

static inline int sys_clock_gettime(int clock, struct sys_timespec *ret)
{
	return (int)sys_call2(__NR_clock_gettime, clock, ret);
}
