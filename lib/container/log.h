/* SPDX-License-Identifier: MIT */
#pragma once

/* A container's log: drivers and their options, and how they become what a writer is told. */

#include "container/container-internal.h"
#include "log/config.h"

int lcx__log_check_driver(const char *driver, struct lcx_error **err);
int lcx__log_check_option(const char *key, const char *value, struct lcx_error **err);

/* Whether the options are the driver's, now that both are known. */
int lcx__container_check_log(const struct lcx_container *c, struct lcx_error **err);

/*
 * What its writer is told; *@ret_context is the caller's. Needs c->spec. Return: 1, 0 if it keeps
 * no log, or a negative errno.
 */
int lcx__container_log_config(const struct lcx_container *c, struct lcx__log_config *ret,
			      char **ret_context, struct lcx_error **err);

int lcx__log_open_failed(const struct lcx_container *c, const struct lcx__log_config *config, int r,
			 struct lcx_error **err);

/* Tell, and write down, what was lost since the last time. */
void lcx__container_note_log(struct lcx_container *c);

/* The file of a log driver, NULL for one without. */
const char *lcx__log_driver_file(const char *driver);
