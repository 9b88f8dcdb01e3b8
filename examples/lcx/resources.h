/* SPDX-License-Identifier: MIT */
#pragma once

/* What a container may use of the machine beyond memory and processors, and has in memory. */

#include "app.h"
#include "memory.h"
#include "options.h"

struct resource_options {
	struct list sysctls, tmpfs, annotations, cgroup_files;
	struct list read_bps, write_bps, read_iops, write_iops;
	const char *oom_score_adj, *shm_size, *blkio_weight;
};

/* Rows for a command's own table, whose structure holds a struct resource_options named @member. */
#define RESOURCE_ROWS(type, member)                                                                \
	LONG_ROW("sysctl", type, OPTION_LIST, member.sysctls, "NAME=VALUE",                        \
		 "a kernel parameter of its own namespaces"),                                      \
		LONG_ROW("oom-score-adj", type, OPTION_STRING, member.oom_score_adj, "NUMBER",     \
			 "-1000 to 1000: killed late or early"),                                   \
		LONG_ROW("tmpfs", type, OPTION_LIST, member.tmpfs, "DIR[:OPTION[,OPTION]...]",     \
			 "memory on a directory: size=64m, mode=1777, ..."),                       \
		LONG_ROW("shm-size", type, OPTION_STRING, member.shm_size, "SIZE",                 \
			 "of /dev/shm; default 64m"),                                              \
		LONG_ROW("blkio-weight", type, OPTION_STRING, member.blkio_weight, "NUMBER",       \
			 "its part of busy disks: 10 to 1000"),                                    \
		LONG_ROW("device-read-bps", type, OPTION_LIST, member.read_bps, "DEVICE:RATE",     \
			 "bytes a second from a disk: /dev/sda:10m"),                              \
		LONG_ROW("device-write-bps", type, OPTION_LIST, member.write_bps, "DEVICE:RATE",   \
			 "likewise to it"),                                                        \
		LONG_ROW("device-read-iops", type, OPTION_LIST, member.read_iops, "DEVICE:RATE",   \
			 "operations a second"),                                                   \
		LONG_ROW("device-write-iops", type, OPTION_LIST, member.write_iops, "DEVICE:RATE", \
			 "likewise"),                                                              \
		LONG_ROW("cgroup-conf", type, OPTION_LIST, member.cgroup_files, "FILE=VALUE",      \
			 "a file of its cgroup of version 2: memory.high=1g"),                     \
		LONG_ROW("annotation", type, OPTION_LIST, member.annotations, "KEY=VALUE",         \
			 "a note in its description")

/* What is wrong is reported. Return: 0, or a negative errno. */
int apply_resources(struct app *app, struct lcx_spec *spec, const struct resource_options *o);
void resource_options_free(struct resource_options *o);
