/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * criu(8), which writes processes into files and makes them again. It is a program of the
 * administrator's, executed only when somebody asks for a checkpoint or a restore, and spoken to as
 * `criu swrk FD` wants it: protocol buffers, one message a packet, on a SOCK_SEQPACKET socket that
 * it inherits.
 *
 * libcriu speaks the same, but forks the calling process, which here may be a host with dozens of
 * threads and gigabytes of memory, keeps its options in a global variable and waits for SIGCHLD's
 * status with waitpid(). So the program is started as all others are, by lcx-init, with the
 * descriptors that it needs and no other; and the few messages are put together and taken
 * apart by tables (wire.c): that is less than a library for protocol buffers and its generated
 * code.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "init/launch.h"
#include "util/error.h"
#include "util/str.h"

/* ---- wire.c: rpc.proto of criu, as far as it is used ---- */

enum lcx__criu_type {
	LCX__CRIU_DUMP = 1,
	LCX__CRIU_RESTORE = 2,
	LCX__CRIU_PRE_DUMP = 4,
	LCX__CRIU_NOTIFY = 6,
	LCX__CRIU_VERSION = 10,
	LCX__CRIU_SINGLE_PRE_DUMP = 13,
};

/* Members of criu_opts. */
enum lcx__criu_option {
	LCX__CRIU_IMAGES_DIR_FD = 1,
	LCX__CRIU_PID = 2,
	LCX__CRIU_LEAVE_RUNNING = 3,
	LCX__CRIU_EXT_UNIX_SK = 4,
	LCX__CRIU_TCP_ESTABLISHED = 5,
	LCX__CRIU_SHELL_JOB = 7,
	LCX__CRIU_FILE_LOCKS = 8,
	LCX__CRIU_LOG_LEVEL = 9,
	LCX__CRIU_LOG_FILE = 10,
	LCX__CRIU_PAGE_SERVER = 11,
	LCX__CRIU_NOTIFY_SCRIPTS = 12,
	LCX__CRIU_ROOT = 13,
	LCX__CRIU_PARENT_IMG = 14,
	LCX__CRIU_TRACK_MEM = 15,
	LCX__CRIU_AUTO_DEDUP = 16,
	LCX__CRIU_WORK_DIR_FD = 17,
	LCX__CRIU_LINK_REMAP = 18,
	LCX__CRIU_RST_SIBLING = 26,
	LCX__CRIU_INHERIT_FD = 27,
	LCX__CRIU_MANAGE_CGROUPS_MODE = 34,
	LCX__CRIU_EXTERNAL = 37,
	LCX__CRIU_FREEZE_CGROUP = 44,
	LCX__CRIU_TCP_SKIP_IN_FLIGHT = 46,
	LCX__CRIU_LAZY_PAGES = 48,
	LCX__CRIU_ORPHAN_PTS_MASTER = 50,
	LCX__CRIU_CONFIG_FILE = 51,
	LCX__CRIU_TCP_CLOSE = 52,
	LCX__CRIU_LSM_PROFILE = 53,
	LCX__CRIU_LSM_MOUNT_CONTEXT = 63,
};

/* criu_cg_mode */
enum lcx__criu_cgroups { LCX__CRIU_CGROUPS_IGNORE = 0 };

void lcx__criu_put_number(struct lcx__strbuf *options, enum lcx__criu_option option, int64_t value);
void lcx__criu_put_text(struct lcx__strbuf *options, enum lcx__criu_option option,
			const char *text);
/* Descriptor @fd of criu's stands for what was @key when it was dumped. */
void lcx__criu_put_inherited(struct lcx__strbuf *options, int fd, const char *key);
/* Where memory is sent to, or is fetched from; @address may be NULL, for every one of its own. */
void lcx__criu_put_page_server(struct lcx__strbuf *options, const char *address, uint16_t port);

/* A whole request; @options may be NULL. The caller looks at ->failed. */
void lcx__criu_put_request(struct lcx__strbuf *message, enum lcx__criu_type type,
			   const struct lcx__strbuf *options);
/* The answer to a notification. */
void lcx__criu_put_notified(struct lcx__strbuf *message, bool success);

/* One of criu's messages. What it didn't say is 0 or empty. */
struct lcx__criu_answer {
	int64_t type, success;
	int64_t pid;          /* of the restored process */
	int64_t notify_pid;   /* likewise, in a notification */
	int64_t error;        /* a positive errno */
	int64_t major, minor; /* its version */
	char script[32];      /* what a notification is about */
	char words[512];      /* why it failed; printable */
};

/* Return: 0, or -EBADMSG for what is no such message. */
int lcx__criu_decode(const void *data, size_t length, struct lcx__criu_answer *ret);

/* ---- program.c ---- */

/*
 * Its path, a literal or @wanted, which may be NULL or "criu" for wherever it is installed; NULL in
 * words (-EOPNOTSUPP, -EINVAL) if it isn't there.
 */
const char *lcx__criu_find(const char *wanted, struct lcx_error **err);

/* The two ends of the line: the caller's and criu's. */
int lcx__criu_open_line(int *ret_ours, int *ret_theirs, struct lcx_error **err);

/*
 * Append to a plan what executes it: @fds, of which the first is its end of the line, become
 * its descriptors LCX__CRIU_FD_FIRST and following.
 */
enum { LCX__CRIU_FD_FIRST = 3, LCX__CRIU_MAX_FDS = 48 };
void lcx__criu_compile(struct lcx__plan *plan, const char *path, const int *fds, size_t n);

/*
 * The same as a process of its own, which also holds @held_fd (-1: nothing) open as long as it
 * lives; *ret_line is the caller's end.
 */
int lcx__criu_start(const char *wanted, struct lcx__plan *plan, int held_fd, struct lcx__child *ret,
		    int *ret_line, struct lcx_error **err);

/* Whether it can be executed and is new enough. Return: 0 or -EOPNOTSUPP in words. */
int lcx__criu_check_version(const char *wanted, struct lcx_error **err);
/* And whether it gets on with this kernel, as it says. */
int lcx__criu_check(struct lcx_error **err);

/* ---- log.c ---- */

/* The first error of its log, printable; "" if there is none. */
void lcx__criu_read_log(int dir_fd, const char *file, char *words, size_t size);

/* ---- talk.c ---- */

struct lcx__criu_hooks {
	void *data;
	int work_fd; /* where its log is, for the words of a failure; -1: there is none */
	const char *log;
	/*
	 * criu waits with what it does; @fd (-1: none) is borrowed. A negative result, with *err
	 * set, has it give up: it puts back what it has changed.
	 */
	int (*on_notify)(void *data, const char *script, int64_t pid, int fd,
			 struct lcx_error **err);
};

/*
 * Ask, answer what it asks meanwhile, and wait for the end, however long that takes. @pidfd is
 * criu's own. Return: 0 if it succeeded; its own words otherwise, or the hook's.
 */
int lcx__criu_ask(int line_fd, int pidfd, const struct lcx__strbuf *request,
		  const struct lcx__criu_hooks *hooks, struct lcx__criu_answer *ret,
		  struct lcx_error **err);
