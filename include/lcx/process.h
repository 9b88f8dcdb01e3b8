/* SPDX-License-Identifier: MIT */
#ifndef LCX_PROCESS_H
#define LCX_PROCESS_H

#include <stdint.h>

#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lcx_stdio - what a process gets as standard input, output and error
 *
 * A fresh object means: standard input is /dev/null, output and error are
 * captured by the library (and logged, if the container has a log driver).
 * Descriptors named here are borrowed until the process was started
 * (passthrough), or until it ended (attach).
 */
struct lcx_stdio;

/** lcx_stdio_new() - a fresh object, owned by the caller. Return: 0 or -ENOMEM */
int lcx_stdio_new(struct lcx_stdio **ret, struct lcx_error **err);

/**
 * lcx_stdio_set_passthrough() - give the process the caller's own descriptors
 *
 * Nothing is captured or logged. -1 stands for /dev/null. Directories and descriptors of mere paths
 * (O_PATH) are refused, -EBADF, when the process is started: they would lead out of the container.
 */
void lcx_stdio_set_passthrough(struct lcx_stdio *stdio, int in_fd, int out_fd, int err_fd);

/**
 * lcx_stdio_set_attach() - copy between the process and the caller's descriptors
 *
 * What arrives on @in_fd goes to the process; what it writes goes to @out_fd and
 * @err_fd as well as to the log. -1 leaves a stream out. The copying happens in
 * lcx_process_dispatch() and in the blocking calls; the descriptors' flags are
 * left alone, since they may be shared with other programs (open(2)).
 */
void lcx_stdio_set_attach(struct lcx_stdio *stdio, int in_fd, int out_fd, int err_fd);

/**
 * lcx_stdio_set_terminal() - a new pseudo-terminal, the process's controlling one
 *
 * It is made in the container's own devpts instance. Standard error then arrives
 * as output. The end of attached input arrives as Ctrl-D, which a terminal in its
 * usual mode takes for the end of a file: termios(3), VEOF. Combines with lcx_stdio_set_attach(),
 * not with passthrough.
 */
void lcx_stdio_set_terminal(struct lcx_stdio *stdio, uint16_t rows, uint16_t columns);

/**
 * lcx_stdio_set_console_socket() - have somebody else serve the terminal
 * @socket_fd: a connected AF_UNIX stream socket; borrowed until the process was started
 *
 * The description asks for the terminal and gives its size. Its master side is sent there by
 * SCM_RIGHTS, unix(7), and not kept, as container engines want it of an OCI runtime.
 */
void lcx_stdio_set_console_socket(struct lcx_stdio *stdio, int socket_fd);

/**
 * lcx_stdio_set_preserved() - hand the caller's descriptors 3, 4, ... on to the program
 * @count: how many; 0 to 128
 *
 * Under the same numbers, as sd_listen_fds(3) has them. By a directory among them the container
 * gets out of its root: one that is close-on-exec, as all that the library opens are, is not handed
 * on. Not for a detached container. Return: 0; -EINVAL; -EBADF for one that is not open, or is
 * close-on-exec.
 */
int lcx_stdio_set_preserved(struct lcx_stdio *stdio, int32_t count, struct lcx_error **err);

/**
 * lcx_stdio_set_detach_keys() - the keys that end an attachment and leave the container running
 * @keys: "ctrl-p,ctrl-q", Docker's usual ones; "" for none, which is the default
 *
 * For lcx_container_attach() and lcx_container_start_attached() only. They are looked for in what
 * arrives on the attached input; a part of them that was not meant so is passed on.
 * Return: 0 or -EINVAL.
 */
int lcx_stdio_set_detach_keys(struct lcx_stdio *stdio, const char *keys, struct lcx_error **err);

/** lcx_stdio_free() - NULL is accepted, NULL is returned */
struct lcx_stdio *lcx_stdio_free(struct lcx_stdio *stdio);

/** What lcx_process_wait() and lcx_container_wait() say when nobody knows; never 0. */
#define LCX_EXIT_UNKNOWN (-1)

/**
 * struct lcx_process - a process that this program started in a container
 *
 * Freeing the handle does not end the process. One thread at a time per handle.
 */
struct lcx_process;

/** lcx_process_pid() - its number in the caller's pid namespace; for display only */
int32_t lcx_process_pid(const struct lcx_process *process);

/** lcx_process_pidfd() - borrow its pidfd, see pidfd_open(2) */
int lcx_process_pidfd(const struct lcx_process *process);

/**
 * lcx_process_fd() - borrow a descriptor that is readable when there is work
 *
 * For the caller's poll(2) or event loop: whenever it is readable, call
 * lcx_process_dispatch(). Do not read from it.
 */
int lcx_process_fd(const struct lcx_process *process);

/**
 * lcx_process_dispatch() - copy what is there to be copied, notice the end
 *
 * Never blocks. Return: 1 while the process or its output lives, 0 when it has
 * ended *and* its last byte of output was handled, or a negative errno.
 */
int lcx_process_dispatch(struct lcx_process *process, struct lcx_error **err);

/**
 * lcx_process_wait() - dispatch until the process has ended
 * @timeout_ms: how long to wait at most; -1 for ever, 0 to ask only
 * @ret_status: 0 to 255 as exit(3) gave it, 128 + n if signal n ended it, or
 *              LCX_EXIT_UNKNOWN if it was reaped by somebody else and the kernel
 *              (before 6.15) does not tell; untouched on failure
 *
 * Works while the host ignores SIGCHLD and while it reaps with waitpid(-1).
 * Return: 0, or -ETIMEDOUT, or another negative errno.
 */
int lcx_process_wait(struct lcx_process *process, int32_t timeout_ms, int32_t *ret_status,
		     struct lcx_error **err);

/** lcx_process_kill() - send it @signal. Return: 0, or -ESRCH if it has ended */
int lcx_process_kill(struct lcx_process *process, int32_t signal, struct lcx_error **err);

/**
 * lcx_signal_parse() - the number of a signal, as people and images write it
 * @text: "SIGTERM", "term", "15", "RTMIN+3", "SIGRTMAX-1"; every name of signal(7), CLD, IOT and
 *        POLL among them
 *
 * Those from RTMIN up are of this library's C library, which keeps the kernel's first ones for
 * itself: signal(7), "Real-time signals". Return: the number; 0 for "0", by which kill(2) only asks
 * whether a process is there; or -EINVAL.
 */
int32_t lcx_signal_parse(const char *text);

/** lcx_process_resize() - tell its terminal a new size. Return: 0, or -ENOTTY without one */
int lcx_process_resize(struct lcx_process *process, uint16_t rows, uint16_t columns,
		       struct lcx_error **err);

/** lcx_process_free() - NULL is accepted, NULL is returned */
struct lcx_process *lcx_process_free(struct lcx_process *process);

#ifdef __cplusplus
}
#endif

#endif /* LCX_PROCESS_H */
