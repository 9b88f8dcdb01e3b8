/* SPDX-License-Identifier: MIT */
#include "cgroup/scope-properties.h"

#include <stdlib.h>
#include <string.h>

#include "cgroup/limits-internal.h"
#include "cgroup/unit-property.h"
#include "spec/resources.h"

static void keep(struct lcx__properties *p, int r)
{
	if (p->result >= 0 && r < 0)
		p->result = r;
}

#define DO(p, call)                                                                                \
	do {                                                                                       \
		if ((p)->result >= 0)                                                              \
			keep(p, (p)->bus->call);                                                   \
	} while (0)

void lcx__properties_begin(struct lcx__properties *p)
{
	DO(p, sd_bus_message_open_container(p->message, 'a', "(sv)"));
}

void lcx__properties_end(struct lcx__properties *p)
{
	DO(p, sd_bus_message_close_container(p->message));
}

static void begin_one(struct lcx__properties *p, const char *name, const char *type)
{
	DO(p, sd_bus_message_open_container(p->message, 'r', "sv"));
	DO(p, sd_bus_message_append_basic(p->message, 's', name));
	DO(p, sd_bus_message_open_container(p->message, 'v', type));
}

static void end_one(struct lcx__properties *p)
{
	DO(p, sd_bus_message_close_container(p->message));
	DO(p, sd_bus_message_close_container(p->message));
}

void lcx__properties_add_string(struct lcx__properties *p, const char *name, const char *value)
{
	begin_one(p, name, "s");
	DO(p, sd_bus_message_append_basic(p->message, 's', value));
	end_one(p);
}

void lcx__properties_add_bool(struct lcx__properties *p, const char *name, bool value)
{
	int number = value;

	begin_one(p, name, "b");
	DO(p, sd_bus_message_append_basic(p->message, 'b', &number));
	end_one(p);
}

void lcx__properties_add_u64(struct lcx__properties *p, const char *name, uint64_t value)
{
	begin_one(p, name, "t");
	DO(p, sd_bus_message_append_basic(p->message, 't', &value));
	end_one(p);
}

void lcx__properties_add_array(struct lcx__properties *p, const char *name, char type,
			       const void *items, size_t size)
{
	const char signature[] = {'a', type, '\0'};

	begin_one(p, name, signature);
	DO(p, sd_bus_message_append_array(p->message, type, items, size));
	end_one(p);
}

static void add_value(struct lcx__properties *p, char type, const union lcx__unit_value *value)
{
	uint8_t byte = (uint8_t)value->natural;
	uint16_t half = (uint16_t)value->natural;
	uint32_t word = (uint32_t)value->natural;
	int flag = value->natural != 0;
	const struct {
		char type;
		const void *value;
	} as[] = {{'b', &flag}, {'y', &byte}, {'n', &half},
		  {'q', &half}, {'i', &word}, {'u', &word}};
	const void *raw = type == 's' ? (const void *)value->text : value;

	for (size_t i = 0; i < ARRAY_SIZE(as); i++)
		if (as[i].type == type)
			raw = as[i].value;
	DO(p, sd_bus_message_append_basic(p->message, type, raw));
}

void lcx__properties_add_unit(struct lcx__properties *p, const struct lcx__unit_property *property)
{
	const char type[] = {property->type, '\0'}, list[] = {'a', property->type, '\0'};

	begin_one(p, property->name, property->is_array ? list : type);
	if (property->is_array)
		DO(p, sd_bus_message_open_container(p->message, 'a', type));
	for (size_t i = 0; i < property->n; i++)
		add_value(p, property->type, &property->values[i]);
	if (property->is_array)
		DO(p, sd_bus_message_close_container(p->message));
	end_one(p);
}

/* ---- limits ------------------------------------------------------------- */

/* -1 is no limit, which systemd has as the largest number; 0 is not given. */
static void add_limit(struct lcx__properties *p, const char *name, const struct lcx__opt_i64 *value)
{
	if (value->set && value->value != 0)
		lcx__properties_add_u64(p, name,
					value->value < 0 ? UINT64_MAX : (uint64_t)value->value);
}

static void add_memory(struct lcx__properties *p, const struct lcx__res_memory *memory, bool v2)
{
	add_limit(p, v2 ? "MemoryMax" : "MemoryLimit", &memory->limit);
	if (!v2)
		return;
	add_limit(p, "MemoryLow", &memory->reservation);
	/* The specification counts both together. */
	if (memory->swap.set && memory->swap.value < 0)
		lcx__properties_add_u64(p, "MemorySwapMax", UINT64_MAX);
	else if (memory->swap.value > 0 && memory->limit.value > 0 &&
		 memory->swap.value >= memory->limit.value)
		lcx__properties_add_u64(p, "MemorySwapMax",
					(uint64_t)(memory->swap.value - memory->limit.value));
}

/* Per second, in steps of 10 ms, the only ones that systemd writes without rounding down. */
static void add_quota(struct lcx__properties *p, const struct lcx__res_cpu *cpu)
{
	enum { STEP_US = 10000, DEFAULT_PERIOD_US = 100000 };
	uint64_t period = cpu->period_us.value ? cpu->period_us.value : DEFAULT_PERIOD_US;
	uint64_t per_second = UINT64_MAX;

	if (cpu->period_us.value)
		lcx__properties_add_u64(p, "CPUQuotaPeriodUSec", period);
	if (!cpu->quota_us.set || cpu->quota_us.value == 0)
		return;
	if (cpu->quota_us.value > 0 && (uint64_t)cpu->quota_us.value < UINT64_MAX / 1000000) {
		per_second = (uint64_t)cpu->quota_us.value * 1000000 / period;
		per_second = (per_second + STEP_US - 1) / STEP_US * STEP_US;
	}
	lcx__properties_add_u64(p, "CPUQuotaPerSecUSec", per_second);
}

/* "0-2,5" as a field of bits, lowest byte first. What is no list is refused by the kernel later. */
static void add_cpuset(struct lcx__properties *p, const char *name, const char *list)
{
	enum { MOST = 8192 };
	uint8_t bits[MOST / 8] = {0};
	size_t size = 0;

	while (list && *list) {
		char *end;
		unsigned long first = strtoul(list, &end, 10), last = first;

		if (end == list)
			return;
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		if (first > last || last >= MOST || (*end && *end != ','))
			return;
		for (unsigned long i = first; i <= last; i++)
			bits[i / 8] |= (uint8_t)(1u << i % 8);
		if (last / 8 + 1 > size)
			size = last / 8 + 1;
		list = *end ? end + 1 : end;
	}
	if (size > 0)
		lcx__properties_add_array(p, name, 'y', bits, size);
}

static void add_cpu(struct lcx__properties *p, const struct lcx__res_cpu *cpu, bool v2)
{
	if (cpu->shares.value > 1)
		lcx__properties_add_u64(p, v2 ? "CPUWeight" : "CPUShares",
					v2 ? lcx__cgroup_weight_from_shares(cpu->shares.value)
					   : cpu->shares.value);
	add_quota(p, cpu);
	if (v2) {
		add_cpuset(p, "AllowedCPUs", cpu->cpus);
		add_cpuset(p, "AllowedMemoryNodes", cpu->mems);
	}
}

void lcx__properties_add_resources(struct lcx__properties *p, const struct lcx__resources *r)
{
	bool v2 = lcx_cgroup_mode(NULL) == LCX_CGROUP_MODE_UNIFIED;

	add_memory(p, &r->memory, v2);
	add_cpu(p, &r->cpu, v2);
	add_limit(p, "TasksMax", &r->pids.limit);
	if (r->blkio.weight.value > 0)
		lcx__properties_add_u64(p, v2 ? "IOWeight" : "BlockIOWeight",
					v2 ? lcx__cgroup_io_weight_from_blkio(r->blkio.weight.value)
					   : r->blkio.weight.value);
}
