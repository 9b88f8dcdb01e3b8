/* SPDX-License-Identifier: MIT */
#include "crash.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#define CALL(name, changes, ...)                                                                   \
	{                                                                                          \
#name, SYS_##name, changes,                                                        \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

static const struct call calls[] = {
	CALL(openat, true, ENOSPC, EMFILE, EIO, ENOMEM),
	CALL(openat2, true, EMFILE, EIO, ENOMEM, EAGAIN),
	CALL(mkdirat, true, ENOSPC, EIO, ENOMEM),
	CALL(mknodat, true, ENOSPC, EIO),
	CALL(linkat, true, ENOSPC, EIO),
	CALL(symlinkat, true, ENOSPC, EIO),
	CALL(renameat, true, ENOSPC, EIO),
	CALL(renameat2, true, ENOSPC, EIO),
	CALL(unlinkat, true, EIO, ENOMEM),
	CALL(ftruncate, true, ENOSPC, EIO),
	CALL(fallocate, true, ENOSPC),
	CALL(fchmod, true, EIO),
	CALL(fchown, true, EIO),
	CALL(fsync, true, EIO, ENOSPC),
	CALL(syncfs, true, EIO),
	CALL(write, true, ENOSPC, EIO, EINTR, EAGAIN),
	CALL(pwrite64, true, ENOSPC, EIO, EINTR),
	CALL(writev, true, ENOSPC, EIO, EINTR),
	CALL(read, false, EIO, EINTR),
	CALL(pread64, false, EIO, EINTR),
	CALL(getdents64, false, EIO, ENOMEM),
	CALL(flock, true, EINTR, ENOMEM),
	CALL(fcntl, true, ENOMEM, EINTR),
	CALL(socket, true, EMFILE, ENOMEM),
	CALL(socketpair, true, EMFILE, ENOMEM),
	CALL(bind, true, ENOMEM),
	CALL(connect, true, EINTR, EAGAIN),
	CALL(sendto, true, ENOMEM, EINTR),
	CALL(sendmsg, true, ENOMEM, EINTR),
	CALL(recvfrom, false, ENOMEM, EINTR),
	CALL(recvmsg, false, ENOMEM, EINTR),
	CALL(ppoll, false, EINTR, ENOMEM),
#ifdef SYS_poll
	CALL(poll, false, EINTR, ENOMEM),
#endif
	CALL(epoll_create1, true, EMFILE, ENOMEM),
	CALL(epoll_ctl, true, ENOMEM, ENOSPC),
	CALL(epoll_pwait, false, EINTR),
#ifdef SYS_epoll_wait
	CALL(epoll_wait, false, EINTR),
#endif
	CALL(inotify_init1, true, EMFILE, ENOMEM),
	CALL(inotify_add_watch, true, ENOSPC, ENOMEM),
	CALL(eventfd2, true, EMFILE),
	CALL(timerfd_create, true, EMFILE),
	CALL(memfd_create, true, EMFILE, ENOMEM),
	CALL(pipe2, true, EMFILE),
	CALL(dup3, false, EMFILE),
	CALL(mmap, false, ENOMEM),
	CALL(clone, true, EAGAIN, ENOMEM),
	CALL(clone3, true, EAGAIN, ENOMEM),
	CALL(execveat, true, ENOMEM),
	CALL(waitid, false, EINTR),
	CALL(pidfd_open, false, EMFILE, ENOMEM),
	CALL(pidfd_send_signal, true, EAGAIN),
	CALL(setns, true, ENOMEM),
	CALL(unshare, true, ENOMEM, ENOSPC),
	CALL(mount, true, ENOMEM, ENOSPC, EIO),
	CALL(umount2, true, ENOMEM),
	CALL(pivot_root, true, ENOMEM),
	CALL(fsopen, true, EMFILE, ENOMEM),
	CALL(fsconfig, true, ENOMEM),
	CALL(fsmount, true, EMFILE, ENOMEM),
	CALL(open_tree, true, EMFILE, ENOMEM),
	CALL(move_mount, true, ENOMEM, ENOSPC),
	CALL(mount_setattr, true, ENOMEM),
	CALL(getrandom, false, EINTR),
};

/* Of fcntl() what makes or locks; the allocator's mmap() is left to FAULT_ALLOC. */
static bool is_of_interest(long number, const uint64_t args[6])
{
	switch (number) {
	case SYS_fcntl:
		return args[1] == F_OFD_SETLK || args[1] == F_OFD_SETLKW ||
		       args[1] == F_DUPFD_CLOEXEC || args[1] == F_ADD_SEALS;
	case SYS_mmap:
		return (int)args[4] >= 0;
	case SYS_write:
		return args[0] != 2; /* complaints */
	default:
		return true;
	}
}

const struct call *call_find(long number, const uint64_t args[6])
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return is_of_interest(number, args) ? &calls[i] : NULL;
	return NULL;
}

uint32_t call_errors(const struct call *call)
{
	uint32_t n = 0;

	while (call && n < CALL_ERRORS && call->errors[n] != 0)
		n++;
	return call ? n : 1;
}

bool call_changes(const struct call *call, const uint64_t args[6])
{
	if (call->number == SYS_openat)
		return (args[2] & (O_CREAT | O_TRUNC)) != 0 || (args[2] & O_TMPFILE) == O_TMPFILE;
	return call->changes;
}
