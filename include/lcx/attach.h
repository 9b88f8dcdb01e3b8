/* SPDX-License-Identifier: MIT */
#ifndef LCX_ATTACH_H
#define LCX_ATTACH_H

#include <stdint.h>

#include <lcx/error.h>
#include <lcx/process.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lcx_container; /* lcx/container.h */

/**
 * struct lcx_attach - a connection to the standard streams of a container with a monitor
 *
 * Any number of programs, up to sixteen at once, may be attached to a container that was started
 * with lcx_container_start_detached(), with or without its input. Each gets every byte
 * that the container writes from that moment on. The container waits for a program that is slow
 * to fetch them, but not longer than two seconds: from then on that one loses bytes, which are
 * counted, until it fetches again.
 *
 * Freeing the handle detaches; the container goes on. One thread at a time per handle.
 */
struct lcx_attach;

/**
 * lcx_container_attach() - connect to a running container
 * @stdio: what is copied where, by lcx_stdio_set_attach(): without an input descriptor,
 *         nothing can be typed. lcx_stdio_set_terminal() gives the size of its terminal,
 *         lcx_stdio_set_detach_keys() the way out. The descriptors are duplicated.
 *
 * Return: 0, -ESRCH if it does not run, -EBUSY if it is paused, -EOPNOTSUPP if the program that
 * started it owns it (and so has its streams), -EUSERS if too many are attached.
 */
int lcx_container_attach(struct lcx_container *c, const struct lcx_stdio *stdio,
			 struct lcx_attach **ret, struct lcx_error **err);

/**
 * lcx_container_start_attached() - lcx_container_start_detached(), and attached to its first byte
 *
 * With lcx_stdio_set_terminal() it gets a terminal. Its standard input is open if there is an
 * input descriptor, or lcx_container_set_stdin_open() was called before it was created.
 */
int lcx_container_start_attached(struct lcx_container *c, const struct lcx_stdio *stdio,
				 struct lcx_attach **ret, struct lcx_error **err);

/** lcx_container_has_terminal() - 1 if it runs on a terminal, or will */
int32_t lcx_container_has_terminal(struct lcx_container *c);

/** lcx_container_stdin_open() - 1 if its standard input, or terminal, takes what is typed */
int32_t lcx_container_stdin_open(struct lcx_container *c);

/** lcx_attach_fd() - borrow a descriptor that is readable when there is work for
 * lcx_attach_dispatch() */
int lcx_attach_fd(const struct lcx_attach *attach);

/**
 * lcx_attach_dispatch() - copy what is there to be copied
 *
 * Never blocks. The end of the attached input ends the container's standard input, once for
 * all; to its terminal it is a Ctrl-D.
 *
 * Return: 1 while it goes on; 0 when it is over: detached by its keys
 * (lcx_attach_is_detached()), or the container has ended, its last byte was
 * delivered and its exit status is recorded; -ECONNRESET if the monitor died, or another negative
 * errno.
 */
int lcx_attach_dispatch(struct lcx_attach *attach, struct lcx_error **err);

/** lcx_attach_wait() - dispatch until it is over; -ETIMEDOUT after @timeout_ms, unless it is -1 */
int lcx_attach_wait(struct lcx_attach *attach, int32_t timeout_ms, struct lcx_error **err);

/** lcx_attach_resize() - tell its terminal a new size. Return: 0, -ENOTTY without one, -EPERM
 * if attached with neither an input nor lcx_stdio_set_terminal() */
int lcx_attach_resize(struct lcx_attach *attach, uint16_t rows, uint16_t columns,
		      struct lcx_error **err);

/** lcx_attach_is_detached() - 1 if the detach keys were pressed */
int32_t lcx_attach_is_detached(const struct lcx_attach *attach);

/** lcx_attach_has_terminal() - 1 if the container has a terminal */
int32_t lcx_attach_has_terminal(const struct lcx_attach *attach);

/** lcx_attach_lost_bytes() - how many bytes of output were not fetched in time */
uint64_t lcx_attach_lost_bytes(const struct lcx_attach *attach);

/** lcx_attach_free() - detach; NULL is accepted, NULL is returned */
struct lcx_attach *lcx_attach_free(struct lcx_attach *attach);

#ifdef __cplusplus
}
#endif

#endif /* LCX_ATTACH_H */
