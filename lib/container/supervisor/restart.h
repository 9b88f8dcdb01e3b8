/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * When a container is started again. In its directory, "stopped" tells that somebody ended it on
 * purpose, and "restarts" how often a supervisor started it since.
 */

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct lcx_container;

enum lcx__restart {
	LCX__RESTART_NO,
	LCX__RESTART_ON_FAILURE,
	LCX__RESTART_ALWAYS,
	LCX__RESTART_UNLESS_STOPPED,
};

struct lcx__restart_policy {
	enum lcx__restart kind;
	uint32_t max; /* of ON_FAILURE; 0: any number */
};

/* NULL stands for "no". Return: 0 or -EINVAL. */
int lcx__restart_parse(const char *text, struct lcx__restart_policy *ret);

/* What is known of the last run. */
struct lcx__restart_past {
	int32_t status;
	uint32_t restarts;
	bool was_stopped; /* on purpose */
	bool other_boot;  /* the machine was started anew since */
	bool rebooted;    /* a whole system that has ended to be started again */
};

bool lcx__restart_wanted(const struct lcx__restart_policy *policy,
			 const struct lcx__restart_past *past);

/* The pause before the next start; @before_ms is the one before the last, 0 for none. */
uint32_t lcx__restart_pause_ms(uint32_t before_ms, int64_t ran_ns);

/* A policy, or a whole system, which may want to be started again whatever its policy. */
bool lcx__restart_may_be_wanted(const struct lcx_container *c);

/* Somebody ends it on purpose; somebody starts it. Nothing is written where that is no matter. */
void lcx__restart_note_stop(struct lcx_container *c);
void lcx__restart_forget(struct lcx_container *c);

/* By its policy and its past, as they stand on disk and in the handle. */
bool lcx__restart_is_wanted(const struct lcx_container *c);

/* One more restart by a supervisor. */
int lcx__restart_count_up(struct lcx_container *c, struct lcx_error **err);

/* lcx_container_start_detached() as a supervisor does it: -ECANCELED if it was stopped meanwhile.
 */
int lcx__container_start_again(struct lcx_container *c, struct lcx_error **err);
