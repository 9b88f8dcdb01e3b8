/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "container/container-internal.h"
#include "util/json.h"

/*
 * What a running container really has, out of the kernel: nothing here looks at the description
 * but for the names of what to ask for. Each part adds to the JSON, and a sentence to @weaker for
 * whatever protects the host less than lcx_spec_new()'s defaults do.
 */
struct audit {
	struct lcx_container *c;
	int proc_fd;  /* /proc/PID of its first process, proven to be of that one */
	int root_fd;  /* its root directory; hostile */
	char *mounts; /* its mountinfo, parsed in place by each_mount() */
	bool shares_mounts; /* the mount namespace is the host's */
	struct json_object *json, *weaker;
};

void lcx__audit_weaker(struct audit *audit, const char *format, ...) LCX_PRINTF(2, 3);

/* A file of /proc/PID, without the last newline; NULL if there is none. The caller frees it. */
char *lcx__audit_read(const struct audit *audit, const char *name);

/* process.c */
int lcx__audit_process(struct audit *audit, struct lcx_error **err);
int lcx__audit_namespaces(struct audit *audit, struct lcx_error **err);
int lcx__audit_sysctls(struct audit *audit, struct lcx_error **err);

/* files.c */
int lcx__audit_mounts(struct audit *audit, struct lcx_error **err);
int lcx__audit_paths(struct audit *audit, struct lcx_error **err);
int lcx__audit_devices(struct audit *audit, struct lcx_error **err);
