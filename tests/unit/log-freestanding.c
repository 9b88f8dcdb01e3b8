/* SPDX-License-Identifier: MIT */

/*
 * The log's writer as lcx-init uses it: this program has no C library. It links only if the
 * writer needs none, and succeeds only if the writer works without one.
 */

#include <asm/fcntl.h>
#include <linux/fcntl.h>

#include "log/writer.h"
#include "util/sys.h"

#define FILE_NAME "unit-log-freestanding.out"

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);
void _start(void);

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	volatile char *out = to; /* lest the compiler makes this a call of memcpy() */
	const char *in = from;

	for (size_t i = 0; i < length; i++)
		out[i] = in[i];
	return to;
}

/* Only towards the front: a queue that closes its gap. */
void *memmove(void *to, const void *from, size_t length)
{
	return memcpy(to, from, length);
}

void *memset(void *to, int byte, size_t length)
{
	volatile char *out = to;

	for (size_t i = 0; i < length; i++)
		out[i] = (char)byte;
	return to;
}

static struct lcx__log_writer writer;

static int run(void)
{
	static const char text[] = "one\ntwo <2>\nrest";
	static const size_t expected =
		3 * sizeof("{\"log\":\"\",\"stream\":\"stdout\",\"time\":\"\"}") +
		3 * LCX__LOG_TIME_LENGTH + sizeof("one\\ntwo \\u003c2\\u003e\\nrest") - 1;
	static const struct lcx__log_config config = {
		.format = LCX_LOG_FORMAT_JSON_FILE,
		.max_size_bytes = 1 << 20,
		.max_files = 3,
		.name = FILE_NAME,
	};
	uint64_t size;

	lcx__log_writer_init(&writer);
	(void)sys_unlinkat(AT_FDCWD, FILE_NAME, 0);
	if (lcx__log_writer_open(&writer, AT_FDCWD, &config, NULL) < 0)
		return 1;
	if (lcx__log_write(&writer, LCX_LOG_STREAM_STDOUT, text, sizeof(text) - 1) < 0 ||
	    lcx__log_end(&writer, LCX_LOG_STREAM_STDOUT) < 0)
		return 2;
	size = writer.size;
	if (lcx__log_writer_close(&writer) < 0 || sys_unlinkat(AT_FDCWD, FILE_NAME, 0) < 0)
		return 3;
	return size == expected ? 0 : 4;
}

#if defined(__x86_64__)
__attribute__((force_align_arg_pointer)) /* nobody has called _start() */
#endif
void _start(void)
{
	sys_call1(__NR_exit_group, run());
	__builtin_unreachable();
}
