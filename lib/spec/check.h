/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The rules for single values and for lists, used by the JSON tables and by the
 * setters alike. Return: 0, or -EINVAL with words that follow a name or a path: "must be ...".
 */

#include "spec/spec.h"

int lcx__check_oci_version(const char *text, struct lcx_error **err);
int lcx__check_absolute(const char *path, struct lcx_error **err);
int lcx__check_not_empty(const char *text, struct lcx_error **err);
int lcx__check_env(const char *assignment, struct lcx_error **err);
int lcx__check_env_name(const char *name, struct lcx_error **err);
int lcx__check_host_name(const char *name, struct lcx_error **err);
int lcx__check_id_list(const char *text, struct lcx_error **err); /* "0-3,7" */
int lcx__check_page_size(const char *text, struct lcx_error **err);
int lcx__check_class_name(const char *name, struct lcx_error **err);
int lcx__check_unified_name(const char *name, struct lcx_error **err);
int lcx__check_sysctl_name(const char *name, struct lcx_error **err);
int lcx__check_interface(const char *name, struct lcx_error **err);
int lcx__check_file_name(const char *name, struct lcx_error **err); /* one component of a path */
int lcx__check_device_access(const char *text, struct lcx_error **err);
int lcx__check_device_rule_type(const char *text, struct lcx_error **err);
int lcx__check_cgroups_path(const char *path, struct lcx_error **err);
int lcx__check_mem_bw_schema(const char *text, struct lcx_error **err);
int lcx__check_landlock(const char *text, struct lcx_error **err); /* "ro=/usr" */
int lcx__check_schema_line(const char *text, struct lcx_error **err);

/* Whole objects, after their fields. */
int lcx__finish_mount(void *mount, struct lcx_error **err); /* also fills ->parsed */
int lcx__finish_rlimit(void *limit, struct lcx_error **err);
int lcx__finish_id_map(void *map, struct lcx_error **err);
int lcx__finish_device(void *device, struct lcx_error **err);
int lcx__finish_scheduler(void *scheduler, struct lcx_error **err);
int lcx__finish_unified(void *pair, struct lcx_error **err);

/* Whole lists: nothing stands in them twice. */
int lcx__finish_rlimits(void *list, struct lcx_error **err);
int lcx__finish_id_maps(void *list, struct lcx_error **err);
int lcx__finish_namespaces(void *list, struct lcx_error **err);
