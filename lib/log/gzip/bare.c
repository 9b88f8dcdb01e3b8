/* SPDX-License-Identifier: MIT */

/* What zlib's compressor needs of a C library, for a program that has none: less than it seems. */

#include <stddef.h>
#include <stdint.h>

#include "util/sys.h"

int main(void);
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
void *malloc(size_t size);
void free(void *memory);
_Noreturn void __stack_chk_fail(void);
_Noreturn void bare_main(void);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	char *out = to;
	const char *at = from;

	while (n-- > 0)
		*out++ = *at++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	char *out = to;
	const char *at = from;

	if (out <= at)
		return memcpy(to, from, n);
	while (n-- > 0)
		out[n] = at[n];
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	char *out = to;

	while (n-- > 0)
		*out++ = (char)byte;
	return to;
}

/* zlib is given functions of ours instead. */
void *malloc(size_t size)
{
	(void)size;
	return NULL;
}

void free(void *memory)
{
	(void)memory;
}

_Noreturn void __stack_chk_fail(void)
{
	for (;;)
		sys_call1(__NR_exit_group, 2);
}

/* Where a compiler's stack protector looks for its word. */
#if defined(__x86_64__)
enum { ARCH_SET_FS_CODE = 0x1002 };

static void set_guard(void)
{
	static uint64_t thread[16];

	thread[0] = (uint64_t)(uintptr_t)thread;
	(void)sys_call2(__NR_arch_prctl, ARCH_SET_FS_CODE, thread);
	(void)sys_call3(__NR_getrandom, &thread[5], sizeof(thread[5]), 0);
}
#elif defined(__aarch64__)
uintptr_t __stack_chk_guard;

static void set_guard(void)
{
	(void)sys_call3(__NR_getrandom, &__stack_chk_guard, sizeof(__stack_chk_guard), 0);
}
#endif

_Noreturn void bare_main(void)
{
	int status;

	set_guard();
	status = main();
	for (;;)
		sys_call1(__NR_exit_group, status);
}

#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	and $-16, %rsp\n"
	"	call bare_main\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	bl bare_main\n");
#endif
