/* SPDX-License-Identifier: MIT */
#include "util/rseq.h"

#include <stddef.h>

#include "util/sys.h"

extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

#if defined(__x86_64__)
enum { RSEQ_SIGNATURE = 0x53053053 };
#elif defined(__aarch64__)
#define RSEQ_SIGNATURE 0xd428bc00u
#endif

enum { RSEQ_UNREGISTER = 1, RSEQ_LEAST_SIZE = 32 };

/* The length is that of the registration: __rseq_size may be that of the used part alone. */
static bool call(int flags)
{
	if (!&__rseq_offset || !&__rseq_size || __rseq_size == 0)
		return false;
	return sys_call4(__NR_rseq, (char *)__builtin_thread_pointer() + __rseq_offset,
			 __rseq_size > RSEQ_LEAST_SIZE ? __rseq_size : RSEQ_LEAST_SIZE, flags,
			 RSEQ_SIGNATURE) == 0;
}

bool lcx__rseq_end(void)
{
	return call(RSEQ_UNREGISTER);
}

void lcx__rseq_begin(void)
{
	(void)call(0);
}
