/* SPDX-License-Identifier: MIT */
#pragma once

/* The array of properties in a call of systemd's: a(sv). The first failure is kept. */

#include <stdbool.h>

#include "cgroup/bus.h"

struct lcx__resources;

struct lcx__properties {
	struct lcx__bus *bus;
	sd_bus_message *message;
	int result; /* negative: what failed first */
};

void lcx__properties_begin(struct lcx__properties *p);
void lcx__properties_end(struct lcx__properties *p);
void lcx__properties_add_string(struct lcx__properties *p, const char *name, const char *value);
void lcx__properties_add_bool(struct lcx__properties *p, const char *name, bool value);
void lcx__properties_add_u64(struct lcx__properties *p, const char *name, uint64_t value);
void lcx__properties_add_array(struct lcx__properties *p, const char *name, char type,
			       const void *items, size_t size);

struct lcx__unit_property;
void lcx__properties_add_unit(struct lcx__properties *p, const struct lcx__unit_property *property);

/* Those limits that systemd has words for: systemd.resource-control(5). */
void lcx__properties_add_resources(struct lcx__properties *p, const struct lcx__resources *r);
