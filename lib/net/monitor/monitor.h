/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files of the program lcx-monitor. */

#include "net/monitor/wire.h"
#include "net/names.h"
#include "util/error.h"

struct monitor {
	struct lcx__names_source source;
	int sockets[MONITOR_SOCKETS_LIMIT];
	size_t n_sockets; /* of the resolver */
	int loopback_fd;  /* what is published on ::1 comes in here; -1: nothing */
	int inotify_fd;   /* the reader adds to it, the worker hears it */
};

/* ---- reader.c ---- */

/* Start the worker; *ret_fd is the line to it. Its number, or a negative errno. */
int monitor_start_worker(const struct monitor *monitor, int *ret_fd);
/* Serve it, and start another when it dies, until the network has no attachments any more. */
void monitor_read_for(const struct monitor *monitor, int worker_fd, int worker_pid);

/* ---- worker.c ---- */

/* Does not return. @reader_fd: the line on which the table is asked for. */
_Noreturn void monitor_work(const struct monitor *monitor, int reader_fd, int reader_pid);

/* The answer on that line, with a descriptor of that many bytes. */
struct monitor_table {
	uint64_t size; /* 0: it could not be read */
};

/* ---- confine.c ---- */

int monitor_confine_reader(void);
int monitor_confine_worker(int reader_pid);
