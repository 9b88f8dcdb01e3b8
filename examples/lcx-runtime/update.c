/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "runtime.h"

struct update_options {
	const char *resources, *l3_cache, *memory_bandwidth;
	const char *values[16]; /* by number of its row below */
};

#define AT(row) offsetof(struct update_options, values[row])
const struct option update_options[] = {
	{'r', "resources", OPTION_TEXT, offsetof(struct update_options, resources),
	 "a file with the limits, as linux.resources in config.json; -: standard input"},
	{'\0', "memory", OPTION_TEXT, AT(0), "bytes, or 64m and the like; -1: no limit"},
	{'\0', "memory-reservation", OPTION_TEXT, AT(1), "bytes"},
	{'\0', "memory-swap", OPTION_TEXT, AT(2), "bytes of memory and swap together"},
	{'\0', "cpu-share", OPTION_TEXT, AT(3), "relative weight"},
	{'\0', "cpu-quota", OPTION_TEXT, AT(4), "microseconds in a period"},
	{'\0', "cpu-period", OPTION_TEXT, AT(5), "microseconds"},
	{'\0', "cpuset-cpus", OPTION_TEXT, AT(6), "such as 0-3"},
	{'\0', "cpuset-mems", OPTION_TEXT, AT(7), "such as 0-1"},
	{'\0', "pids-limit", OPTION_TEXT, AT(8), "how many processes; -1: no limit"},
	{'\0', "blkio-weight", OPTION_TEXT, AT(9), "10 to 1000"},
	{'\0', "cpu-rt-period", OPTION_TEXT, AT(10), "microseconds"},
	{'\0', "cpu-rt-runtime", OPTION_TEXT, AT(11), "microseconds"},
	{'\0', "cpu-burst", OPTION_TEXT, AT(12), "microseconds that may be saved up"},
	{'\0', "cpu-idle", OPTION_TEXT, AT(13), "1: only when nobody else wants to"},
	{'\0', "kernel-memory", OPTION_TEXT, AT(14), "bytes, where the kernel still has it"},
	{'\0', "kernel-memory-tcp", OPTION_TEXT, AT(15), "bytes, likewise"},
	{'\0', "l3-cache-schema", OPTION_TEXT, offsetof(struct update_options, l3_cache),
	 "lines of its class of service, such as L3:0=f0;1=f"},
	{'\0', "mem-bw-schema", OPTION_TEXT, offsetof(struct update_options, memory_bandwidth),
	 "likewise, such as MB:0=20;1=70"},
	{0},
};

/* The place of each in linux.resources. */
static const struct {
	const char *object, *key;
	enum { NUMBER, TEXT, BYTES } kind;
} places[] = {
	{"memory", "limit", BYTES},
	{"memory", "reservation", BYTES},
	{"memory", "swap", BYTES},
	{"cpu", "shares", NUMBER},
	{"cpu", "quota", NUMBER},
	{"cpu", "period", NUMBER},
	{"cpu", "cpus", TEXT},
	{"cpu", "mems", TEXT},
	{"pids", "limit", NUMBER},
	{"blockIO", "weight", NUMBER},
	{"cpu", "realtimePeriod", NUMBER},
	{"cpu", "realtimeRuntime", NUMBER},
	{"cpu", "burst", NUMBER},
	{"cpu", "idle", NUMBER},
	{"memory", "kernel", BYTES},
	{"memory", "kernelTCP", BYTES},
};

/* "64m", "1.5GiB", "4096", as runc takes them. Return: whether it is one. */
static bool read_bytes(const char *text, int64_t *ret)
{
	static const char units[] = "kmgtp";
	char *end;
	double value = strtod(text, &end);
	const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;

	if (strspn(text, "0123456789.") != (size_t)(end - text) || end == text)
		return false;
	if (unit) {
		end++;
		for (const char *at = units; at <= unit; at++)
			value *= 1024;
		if (strcasecmp(end, "ib") == 0)
			end++;
	}
	if (strcasecmp(end, "b") == 0)
		end++;
	if (*end || value >= 0x1p63)
		return false;
	*ret = (int64_t)value;
	return true;
}

static bool is_number(const char *text)
{
	text += *text == '-';
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* One limit after the other: what makes no sense is then reported by its own name. */
static int merge_option(struct lcx_spec *spec, size_t row, const char *value,
			struct lcx_error **err)
{
	const char *quote = places[row].kind == TEXT ? "\"" : "";
	CLEANUP(freep) char *json = NULL;
	char number[24];
	int64_t bytes;

	if (strpbrk(value, "\"\\{}[]"))
		return -EINVAL;
	if (places[row].kind == BYTES && read_bytes(value, &bytes)) {
		(void)snprintf(number, sizeof(number), "%lld", (long long)bytes);
		value = number;
	}
	if (places[row].kind != TEXT && !is_number(value))
		return -EINVAL;
	if (asprintf(&json, "{\"%s\":{\"%s\":%s%s%s}}", places[row].object, places[row].key, quote,
		     value, quote) < 0)
		return -ENOMEM;
	return lcx_spec_merge_resources(spec, json, strlen(json), err);
}

static int merge(struct runtime *rt, const struct update_options *o, struct lcx_spec *spec)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = NULL;
	size_t length;

	if (o->resources) {
		if (read_document(rt, o->resources, &text, &length) != 0)
			return 1;
		if (lcx_spec_merge_resources(spec, text, length, &err) < 0)
			return report_error(rt, err);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (o->values[i] && merge_option(spec, i, o->values[i], &err) < 0)
			return report(rt, "--%s '%s': %s", update_options[i + 1].name, o->values[i],
				      err ? lcx_error_message(err) : "makes no sense");
	if ((o->l3_cache || o->memory_bandwidth) &&
	    lcx_spec_set_rdt_schemas(spec, o->l3_cache, o->memory_bandwidth, &err) < 0)
		return report_error(rt, err);
	return 0;
}

int cmd_update(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_spec *spec;

	(void)argc;
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	if (lcx_container_state(c) == LCX_CONTAINER_STOPPED)
		return report(rt, "container not running");
	spec = lcx_container_spec(c);
	if (!spec)
		return report(rt, "config.json of container '%s' cannot be read", argv[0]);
	if (merge(rt, values, spec) != 0)
		return 1;
	return lcx_container_update(c, &err) < 0 ? report_error(rt, err) : 0;
}
