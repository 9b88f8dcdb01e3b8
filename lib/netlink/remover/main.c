/* SPDX-License-Identifier: MIT */

/*
 * What waits for the kernel, in the place of the library: remove.c tells why. It finds its messages
 * in the control socket and sends each to the kernel in a process of its own; if there are none,
 * one process holds the other socket until the control socket's end, and so closes it last. Each of
 * them is nobody's child by then.
 *
 * It has no C library, as lcx-init has none: there is hardly anything to execute.
 */
#include <asm/signal.h>
#include <linux/prctl.h>

#include "netlink/remover/wire.h"
#include "util/sys.h"

enum { DONTWAIT = 0x40 }; /* MSG_DONTWAIT */

static _Noreturn void end(int status)
{
	for (;;)
		sys_call1(__NR_exit_group, status);
}

static long receive(char *message, int flags)
{
	return sys_call6(__NR_recvfrom, REMOVER_FD_CONTROL, message, REMOVER_MESSAGE_SIZE, flags, 0,
			 0);
}

/* True in a child, whose parent goes on and ends. */
static int leave_child(void)
{
	long pid = sys_call5(__NR_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid < 0)
		end(1);
	if (pid > 0)
		return 0;
	sys_call0(__NR_setsid);
	return 1;
}

_Noreturn void remover_main(void); /* of what stands at the end, in assembly */

_Noreturn void remover_main(void)
{
	char message[REMOVER_MESSAGE_SIZE];
	long n = receive(message, DONTWAIT);

	/* Else a list of processes shows the memfd's name. */
	sys_call2(__NR_prctl, PR_SET_NAME, "lcx-remover");
	/* Whatever directory the caller stood in may be unmounted. */
	sys_call1(__NR_chdir, "/");
	if (n <= 0 && leave_child())
		(void)receive(message, 0);
	for (; n > 0; n = receive(message, DONTWAIT)) {
		if (!leave_child())
			continue;
		sys_call6(__NR_sendto, REMOVER_FD_NETLINK, message, n, 0, 0, 0);
		end(0);
	}
	end(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	and $-16, %rsp\n"
	"	call remover_main\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	bl remover_main\n");
#endif
