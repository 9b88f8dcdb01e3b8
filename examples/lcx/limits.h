/* SPDX-License-Identifier: MIT */
#pragma once

/* Docker's limits, for create, run and update: words that become numbers of the library's. */

#include "app.h"
#include "options.h"

struct limit_options {
	const char *memory, *memory_reservation, *memory_swap, *cpus, *cpu_shares, *cpuset_cpus,
		*cpuset_mems, *pids_limit;
};

#define LIMIT_ROW(letter, name, type, member, limit, argument, help)                               \
	{                                                                                          \
		letter, name, OPTION_STRING, offsetof(type, member.limit), argument, help          \
	}

/* Rows for a command's own table, whose structure holds a struct limit_options named @member. */
#define LIMIT_ROWS(type, member)                                                                   \
	LIMIT_ROW('m', "memory", type, member, memory, "SIZE", "memory limit: 64m, 1.5g"),         \
		LIMIT_ROW('\0', "memory-reservation", type, member, memory_reservation, "SIZE",    \
			  "what is left to it when memory is short"),                              \
		LIMIT_ROW('\0', "memory-swap", type, member, memory_swap, "SIZE",                  \
			  "memory and swap together; -1: any"),                                    \
		LIMIT_ROW('\0', "cpus", type, member, cpus, "NUMBER", "processor limit: 0.5, 2"),  \
		LIMIT_ROW('c', "cpu-shares", type, member, cpu_shares, "NUMBER",                   \
			  "its part when they are short; usual: 1024"),                            \
		LIMIT_ROW('\0', "cpuset-cpus", type, member, cpuset_cpus, "LIST",                  \
			  "processors: 0-3,7"),                                                    \
		LIMIT_ROW('\0', "cpuset-mems", type, member, cpuset_mems, "LIST",                  \
			  "memory nodes: 0-1"),                                                    \
		LIMIT_ROW('\0', "pids-limit", type, member, pids_limit, "NUMBER",                  \
			  "limit of tasks; -1: none")

/* The same words as numbers. */
struct limits {
	int64_t memory_bytes, memory_reservation_bytes, memory_swap_bytes, cpu_quota_us, cpu_shares,
		pids; /* 0: not set */
	const char *cpuset_cpus, *cpuset_mems;
};

/* What is no number is reported as wrong usage. */
bool limits_parse(struct app *app, const struct limit_options *o, struct limits *ret);

int limits_apply(const struct limits *limits, struct lcx_spec *spec, struct lcx_error **err);
