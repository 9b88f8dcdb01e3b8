/* SPDX-License-Identifier: MIT */

/*
 * The list of device rules, and how version 1 takes it.
 *
 * Version 1 keeps a set of exceptions from "all denied". A rule can only be taken
 * out of it as it was put in, and there is no order. So the list is first reduced
 * to the set that it means; then the kernel's set is changed into that one, what
 * both have in common being left alone: processes may be running.
 */

#include "cgroup/cgroup-internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/fs.h"
#include "util/str.h"
#include "util/weaken.h"

enum { RULES_MAX = 1024 };

static const char access_letters[] = "mrw"; /* in the order of the bits */

static int parse_access(const char *text)
{
	int access = 0;

	for (; *text; text++) {
		const char *letter = strchr(access_letters, *text);

		if (!letter)
			return -EINVAL;
		access |= 1 << (letter - access_letters);
	}
	return access ? access : -EINVAL;
}

static bool is_number(int64_t number)
{
	return number >= -1 && number <= UINT32_MAX;
}

static int append(struct device_rule **rules, size_t *count, const struct device_rule *rule)
{
	struct device_rule *bigger;

	if (*count == RULES_MAX)
		return -E2BIG;
	bigger = realloc(*rules, (*count + 1) * sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	bigger[(*count)++] = *rule;
	*rules = bigger;
	return 0;
}

LCX_PUBLIC int lcx_cgroup_device_rule(struct lcx_cgroup *cg, int32_t allow, char type,
				      int64_t major, int64_t minor, const char *access,
				      struct lcx_error **err)
{
	struct device_rule rule = {
		.allow = allow != 0, .type = type, .major = major, .minor = minor};
	int r = parse_access(access);

	if (r < 0)
		return lcx__fail(err, EINVAL, "device access '%s' is not made of r, w and m",
				 access);
	rule.access = (uint8_t)r;
	if (type != 'a' && type != 'b' && type != 'c')
		return lcx__fail(err, EINVAL, "device type '%c' is none of a, b and c", type);
	if (!is_number(major) || !is_number(minor))
		return lcx__fail(err, EINVAL, "%" PRId64 ":%" PRId64 " is not a device number",
				 major, minor);
	r = append(&cg->rules, &cg->rule_count, &rule);
	if (r == -E2BIG)
		return lcx__fail(err, E2BIG, "more than %d device rules", RULES_MAX);
	return r < 0 ? lcx__fail_nomem(err) : 0;
}

LCX_PUBLIC int lcx_cgroup_device_defaults(struct lcx_cgroup *cg, struct lcx_error **err)
{
	static const struct {
		char type;
		int64_t major, minor;
		const char *access;
	} defaults[] = {
		/* A node that cannot be opened does no harm, and image builders make them. */
		{'c', -1, -1, "m"},    {'b', -1, -1, "m"}, {'c', 1, 3, "rwm"}, /* null */
		{'c', 1, 5, "rwm"},                                            /* zero */
		{'c', 1, 7, "rwm"},                                            /* full */
		{'c', 1, 8, "rwm"},                                            /* random */
		{'c', 1, 9, "rwm"},                                            /* urandom */
		{'c', 5, 0, "rwm"},                                            /* tty */
		{'c', 5, 1, "rwm"},                                            /* console */
		{'c', 5, 2, "rwm"},                                            /* ptmx */
		{'c', 136, -1, "rwm"},                                         /* pts */
	};

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		int r = lcx_cgroup_device_rule(cg, 1, defaults[i].type, defaults[i].major,
					       defaults[i].minor, defaults[i].access, err);

		if (r < 0)
			return r;
	}
	return 0;
}

LCX_PUBLIC void lcx_cgroup_clear_devices(struct lcx_cgroup *cg)
{
	free(cg->rules);
	cg->rules = NULL;
	cg->rule_count = 0;
}

/* --- version 1: from a list to a set --- */

struct rule_set {
	struct device_rule *rules;
	size_t count;
	bool all; /* everything is allowed: rules is empty */
};

static void rule_set_clear(struct rule_set *set)
{
	free(set->rules);
}

static bool number_overlaps(int64_t a, int64_t b)
{
	return a == -1 || b == -1 || a == b;
}

static bool number_covers(int64_t outer, int64_t inner)
{
	return outer == -1 || outer == inner;
}

static bool is_everything(const struct device_rule *rule)
{
	return rule->type == 'a' && rule->major == -1 && rule->minor == -1 &&
	       rule->access == DEVICE_ALL;
}

static bool type_covers(char outer, char inner)
{
	return outer == 'a' || outer == inner;
}

static bool covers(const struct device_rule *outer, const struct device_rule *inner)
{
	return type_covers(outer->type, inner->type) && number_covers(outer->major, inner->major) &&
	       number_covers(outer->minor, inner->minor);
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return (a->type == 'a' || b->type == 'a' || a->type == b->type) &&
	       number_overlaps(a->major, b->major) && number_overlaps(a->minor, b->minor);
}

/* Add for one type; the same device twice is one rule with both accesses. */
static int set_allow(struct rule_set *set, struct device_rule rule)
{
	for (size_t i = 0; i < set->count; i++) {
		struct device_rule *have = &set->rules[i];

		if (have->type == rule.type && have->major == rule.major &&
		    have->minor == rule.minor) {
			have->access |= rule.access;
			return 0;
		}
	}
	return append(&set->rules, &set->count, &rule);
}

/* Take out; a wider rule with a hole in it is what a set of exceptions cannot say. */
static int set_deny(struct rule_set *set, const struct device_rule *rule)
{
	for (size_t i = 0; i < set->count; i++) {
		struct device_rule *have = &set->rules[i];

		if (!overlaps(have, rule) || !(have->access & rule->access))
			continue;
		if (!covers(rule, have))
			return -EOPNOTSUPP;
		have->access &= (uint8_t)~rule->access;
	}
	return 0;
}

static int reduce(const struct device_rule *rules, size_t count, struct rule_set *set,
		  const struct device_rule **ret_bad)
{
	for (size_t i = 0; i < count; i++) {
		struct device_rule rule = rules[i];
		int r = 0;

		*ret_bad = &rules[i];
		if (is_everything(&rule)) {
			set->all = rule.allow;
			set->count = 0;
		} else if (rule.allow && !set->all && rule.type == 'a') {
			rule.type = 'b';
			r = set_allow(set, rule);
			rule.type = 'c';
			if (r == 0)
				r = set_allow(set, rule);
		} else if (rule.allow && !set->all) {
			r = set_allow(set, rule);
		} else if (!rule.allow && set->all) {
			r = -EOPNOTSUPP;
		} else if (!rule.allow) {
			r = set_deny(set, &rule);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- version 1: from one set to another --- */

static void spell_number(int64_t number, char text[static 24])
{
	if (number < 0)
		(void)strcpy(text, "*");
	else
		(void)snprintf(text, 24, "%" PRId64, number);
}

static int write_rule(int fd, const struct device_rule *rule)
{
	char major[24], minor[24], text[64];

	spell_number(rule->major, major);
	spell_number(rule->minor, minor);
	(void)snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->type, major, minor,
		       rule->access & DEVICE_READ ? "r" : "",
		       rule->access & DEVICE_WRITE ? "w" : "",
		       rule->access & DEVICE_MKNOD ? "m" : "");
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* A line of devices.list: "c 1:3 rwm". */
static int parse_rule(const char *line, struct device_rule *rule)
{
	char type, major[16], minor[16], access[8];
	uint64_t number;
	int r;

	if (sscanf(line, "%c %15[^:]:%15s %7s", &type, major, minor, access) != 4)
		return -EINVAL;
	*rule = (struct device_rule){.allow = true, .type = type, .major = -1, .minor = -1};
	r = parse_access(access);
	if (r < 0)
		return r;
	rule->access = (uint8_t)r;
	if (strcmp(major, "*") != 0) {
		if (lcx__parse_u64(major, UINT32_MAX, &number) < 0)
			return -EINVAL;
		rule->major = (int64_t)number;
	}
	if (strcmp(minor, "*") != 0) {
		if (lcx__parse_u64(minor, UINT32_MAX, &number) < 0)
			return -EINVAL;
		rule->minor = (int64_t)number;
	}
	return 0;
}

static int read_set(int dir_fd, struct rule_set *set)
{
	CLEANUP(freep) char *text = NULL;
	char *line, *rest;
	int r;

	r = lcx__read_file(dir_fd, "devices.list", 1 << 20, &text, NULL);
	if (r < 0)
		return r;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		struct device_rule rule;

		if (!*line)
			continue;
		r = parse_rule(line, &rule);
		if (r < 0)
			return r;
		if (is_everything(&rule))
			set->all = true;
		else
			r = set_allow(set, rule);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The access that @set has for exactly the device of @rule. */
static uint8_t access_in(const struct rule_set *set, const struct device_rule *rule)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->rules[i].type == rule->type && set->rules[i].major == rule->major &&
		    set->rules[i].minor == rule->minor)
			return set->rules[i].access;
	return 0;
}

/* Write to @file what @from has more than @without. */
static int write_difference(int dir_fd, const char *file, const struct rule_set *from,
			    const struct rule_set *without)
{
	CLEANUP(closep) int fd = -1;

	for (size_t i = 0; i < from->count; i++) {
		struct device_rule rule = from->rules[i];
		int r;

		rule.access &= (uint8_t)~access_in(without, &rule);
		if (!rule.access)
			continue;
		if (fd < 0)
			fd = openat(dir_fd, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : write_rule(fd, &rule);
		if (r < 0)
			return r;
	}
	return 0;
}

static int install_v1(int dir_fd, const struct rule_set *wanted)
{
	CLEANUP(rule_set_clear) struct rule_set now = {0};
	int r = read_set(dir_fd, &now);

	if (r < 0)
		return r;
	if (wanted->all)
		return now.all ? 0 : lcx__write_control(dir_fd, "devices.allow", "a");
	if (now.all) {
		r = lcx__write_control(dir_fd, "devices.deny", "a");
		if (r < 0)
			return r;
	}
	r = write_difference(dir_fd, "devices.allow", wanted, &now);
	return r < 0 ? r : write_difference(dir_fd, "devices.deny", &now, wanted);
}

static int apply_v1(struct lcx_cgroup *cg, int dir_fd, struct lcx_error **err)
{
	CLEANUP(rule_set_clear) struct rule_set wanted = {0};
	const struct device_rule *bad = NULL;
	int r = reduce(cg->rules, cg->rule_count, &wanted, &bad);

	if (r == -EOPNOTSUPP)
		return lcx__fail(err, EOPNOTSUPP,
				 "cgroup '%s': version 1 cannot deny the device %c %" PRId64
				 ":%" PRId64
				 " (-1 is any) out of a wider rule that allows it; allow "
				 "the others one by one",
				 cg->path, bad->type, bad->major, bad->minor);
	if (r < 0)
		return lcx__fail_nomem(err);
	r = install_v1(dir_fd, &wanted);
	if (r == -EPERM)
		return lcx__fail(
			err, EPERM,
			"cgroup '%s': the device rules need CAP_SYS_ADMIN in the initial user "
			"namespace, and allow no more than its parent has",
			cg->path);
	if (r < 0)
		return lcx__fail_sys(err, -r, "cgroup '%s': write its device rules", cg->path);
	return 0;
}

/* --- both --- */

int lcx__cgroup_devices_limited(const struct lcx_cgroup *cg)
{
	CLEANUP(freep) char *text = NULL;
	int index = cg->layout->controller[CONTROLLER_DEVICES], r;

	if (index < 0 || cg->dir_fd[index] < 0)
		return 0;
	if (lcx__cgroup_is_v2(cg, index)) {
		r = lcx__cgroup_bpf_count(cg->dir_fd[index]);
		return r < 0 ? r : r > 0;
	}
	r = lcx__read_file(cg->dir_fd[index], "devices.list", 1 << 20, &text, NULL);
	return r < 0 ? r : strncmp(text, "a *:* rwm", 9) != 0;
}

LCX_PUBLIC int lcx_cgroup_apply_devices(struct lcx_cgroup *cg, struct lcx_error **err)
{
	int r, index = lcx__cgroup_use(cg, CONTROLLER_DEVICES, err);

	if (index < 0 || lcx__is_off(DEVICES))
		return index < 0 ? index : 0;
	if (!lcx__cgroup_is_v2(cg, index))
		return apply_v1(cg, cg->dir_fd[index], err);
	r = lcx__cgroup_bpf_devices(cg->dir_fd[index], cg->rules, cg->rule_count);
	if (r == -EPERM)
		return lcx__fail(err, EPERM,
				 "cgroup '%s': device rules are an eBPF program, which needs "
				 "CAP_SYS_ADMIN (or CAP_BPF and CAP_NET_ADMIN) in the initial user "
				 "namespace",
				 cg->path);
	if (r < 0)
		return lcx__fail_sys(err, -r,
				     "cgroup '%s': install the eBPF program of its device rules",
				     cg->path);
	return 0;
}
