/* SPDX-License-Identifier: MIT */

/*
 * Compresses one rotated file of a log: a program that the library carries along, and so lcx-init
 * for a container whose host is gone. It has three descriptors, no more rights than they give, some
 * memory of its own, and no more system calls than it takes to copy: what a container wrote is
 * hostile, and what it does here is nobody's haste.
 *
 * The new file's header tells which file it was (gzip/header.h), for readers that hold that one
 * open, and its time is that file's. It is on the disk before that is said: the old file is removed
 * then.
 */
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <sys/resource.h>
#include <zlib.h>

#include "log/gzip/header.h"
#include "log/writer.h"
#include "util/filter.h"
#include "util/sys.h"

enum {
	OLD_FD,
	NEW_FD,
	RESULT_FD,
	PIECE_SIZE = 64 * 1024,
	ARENA_SIZE = 1024 * 1024, /* zlib takes 270 KiB; what is not touched is no memory */
	NICE = 19,
};

/* There is no more memory than this, and none is given back. */
static struct {
	_Alignas(16) unsigned char bytes[ARENA_SIZE];
	size_t used;
} arena;

static unsigned char in[PIECE_SIZE], out[PIECE_SIZE];

static void *take(void *data, unsigned int n, unsigned int size)
{
	size_t length = ((size_t)n * size + 15) & ~(size_t)15;
	void *memory = arena.bytes + arena.used;

	(void)data;
	if (length > sizeof(arena.bytes) - arena.used)
		return NULL;
	arena.used += length;
	return memory;
}

static void leave(void *data, void *memory)
{
	(void)data;
	(void)memory;
}

/* ---- confined ---------------------------------------------------------------- */

static const uint32_t allowed[] = {
	__NR_read, __NR_write, __NR_fsync, __NR_utimensat, __NR_exit_group, __NR_restart_syscall,
};

static int lower_limit(int resource, uint64_t value)
{
	const uint64_t limit[2] = {value, value};

	return (int)sys_call4(__NR_prlimit64, 0, resource, limit, 0);
}

/* The result is no file, and what does not become smaller is not worth it. */
static int confine(const struct sys_statx *old)
{
	const struct lcx__filter filter = {.allowed = allowed,
					   .n_allowed = sizeof(allowed) / sizeof(allowed[0])};
	int r;

	(void)sys_call5(__NR_prctl, PR_SET_NAME, "lcx-gzip", 0, 0, 0);
	(void)sys_call5(__NR_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)sys_call3(__NR_setpriority, 0 /* this process */, 0, NICE);
	r = lower_limit(RLIMIT_CORE, 0);
	if (r == 0)
		r = lower_limit(RLIMIT_FSIZE, old->size + PIECE_SIZE);
	return r < 0 ? r : lcx__filter_install(&filter);
}

/* ---- at work ------------------------------------------------------------------ */

static int write_all(const unsigned char *at, size_t length)
{
	while (length > 0) {
		long n = sys_write(NEW_FD, at, length);

		if (n <= 0)
			return -1;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static int pack_piece(z_stream *z, size_t length, int flush)
{
	int r;

	z->next_in = in;
	z->avail_in = (unsigned int)length;
	do {
		z->next_out = out;
		z->avail_out = sizeof(out);
		r = deflate(z, flush);
		if (r == Z_STREAM_ERROR || write_all(out, sizeof(out) - z->avail_out) < 0)
			return -1;
	} while (z->avail_out == 0);
	return flush != Z_FINISH || r == Z_STREAM_END ? 0 : -1;
}

static int pack(z_stream *z)
{
	long n;

	while ((n = sys_read(OLD_FD, in, sizeof(in))) > 0)
		if (pack_piece(z, (size_t)n, Z_NO_FLUSH) < 0)
			return -1;
	return n < 0 ? -1 : pack_piece(z, 0, Z_FINISH);
}

static int set_times(const struct sys_statx *old)
{
	const struct sys_timespec times[2] = {{old->mtime.sec, old->mtime.nsec},
					      {old->mtime.sec, old->mtime.nsec}};

	return (int)sys_call4(__NR_utimensat, NEW_FD, 0, times, 0);
}

int main(void)
{
	static z_stream z = {.zalloc = take, .zfree = leave};
	static struct lcx__log_gzip_extra extra;
	static gz_header header = {.extra = (unsigned char *)&extra, .extra_len = sizeof(extra)};
	static struct sys_statx old;
	const char word = LCX__LOG_PACKED;

	(void)sys_close_range(RESULT_FD + 1, ~0u, 0);
	if (sys_statx(OLD_FD, "", AT_EMPTY_PATH, &old) < 0 || confine(&old) < 0)
		return 1;
	extra = lcx__log_gzip_extra(old.ino, old.size, old.mtime.sec, old.mtime.nsec);
	header.time = (unsigned long)old.mtime.sec;
	header.os = 3; /* Unix */
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflateSetHeader(&z, &header) != Z_OK)
		return 1;
	if (pack(&z) < 0 || set_times(&old) < 0 || sys_call1(__NR_fsync, NEW_FD) < 0)
		return 1;
	return sys_write(RESULT_FD, &word, 1) != 1;
}
