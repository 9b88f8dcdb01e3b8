/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/launch.h"
#include "ns/ns-internal.h"

/*
 * A thread can make namespaces only by entering them, so another one does it: an
 * lcx-init, cloned into them, waits while its files in /proc/PID/ns are opened, and is killed then.
 * The descriptors keep alive what it was in. That is not so for a pid namespace: it takes no new
 * process after its first has ended.
 *
 * A time namespace cannot come with a clone that shares memory; lcx-init makes and enters it
 * itself.
 */

struct lcx_ns_set {
	int fds[LCX__NS_KINDS]; /* -1 for a kind that is not in the set */
};

LCX_PUBLIC struct lcx_ns_set *lcx_ns_set_free(struct lcx_ns_set *set)
{
	if (set) {
		for (int i = 0; i < LCX__NS_KINDS; i++)
			closep(&set->fds[i]);
		free(set);
	}
	return NULL;
}

LCX_PUBLIC uint32_t lcx_ns_set_kinds(const struct lcx_ns_set *set)
{
	uint32_t mask = 0;

	for (int i = 0; i < LCX__NS_KINDS; i++)
		if (set->fds[i] >= 0)
			mask |= (uint32_t)lcx__ns_kind_at(i);
	return mask;
}

LCX_PUBLIC int lcx_ns_set_fd(const struct lcx_ns_set *set, enum lcx_ns_kind kind)
{
	int index = lcx__ns_index(kind);

	return index < 0 ? -1 : set->fds[index];
}

static int check_request(uint32_t kinds, const struct lcx_idmap *map, struct lcx_error **err)
{
	if (kinds == 0 || kinds >= 1u << LCX__NS_KINDS)
		return lcx__fail(err, EINVAL, "0x%x is no set of namespaces", kinds);
	if (kinds & LCX_NS_PID)
		return lcx__fail(
			err, EINVAL,
			"a pid namespace lives as long as its first process: start one instead");
	if ((kinds & LCX_NS_USER) && !map)
		return lcx__fail(err, EINVAL, "a user namespace needs a map of ids");
	if (!(kinds & LCX_NS_USER) && map)
		return lcx__fail(err, EINVAL, "a map of ids needs a new user namespace");
	if (map &&
	    (lcx_idmap_count(map, LCX_ID_USER) == 0 || lcx_idmap_count(map, LCX_ID_GROUP) == 0))
		return lcx__fail(err, EINVAL, "the map must have users and groups");
	return 0;
}

static void add_sync(struct lcx__plan *plan, enum plan_message_type type)
{
	lcx__plan_add(plan, PLAN_SYNC)->num[0] = type;
}

static int make_plan(uint32_t kinds, const char *time_offsets, struct lcx__plan **ret,
		     struct lcx_error **err)
{
	int r = lcx__plan_new(ret, err);

	if (r < 0)
		return r;
	if (kinds & LCX_NS_USER)
		add_sync(*ret, PLAN_MESSAGE_MAPS);
	if (kinds & LCX_NS_TIME) {
		uint32_t text = lcx__plan_string(*ret, time_offsets);

		lcx__plan_add(*ret, PLAN_TIME_OFFSETS)->str[0] = text;
	}
	add_sync(*ret, PLAN_MESSAGE_READY);
	return 0;
}

static int expect(struct lcx__child *child, enum plan_message_type type, struct lcx_error **err)
{
	int r = lcx__child_receive(child, NULL, err);

	if (r < 0 || r == (int)type)
		return r;
	return lcx__fail(err, EPROTO, "lcx-init ended while it made namespaces");
}

static int collect(const struct lcx__child *child, uint32_t kinds, struct lcx_ns_set *set,
		   struct lcx_error **err)
{
	CLEANUP(closep) int proc_fd = lcx__ns_open_child(child->pid, child->pidfd, err);

	if (proc_fd < 0)
		return proc_fd;
	for (int i = 0; i < LCX__NS_KINDS; i++) {
		enum lcx_ns_kind kind = lcx__ns_kind_at(i);

		if (!(kinds & (uint32_t)kind))
			continue;
		set->fds[i] = lcx__ns_open_proc(proc_fd, kind);
		if (set->fds[i] < 0)
			return lcx__fail_sys(err, -set->fds[i], "open the new %s namespace",
					     lcx_ns_name(kind));
	}
	return 0;
}

/* Hand on a failure that is described already; a description that the caller has is kept. */
static int hand_on(int r, struct lcx_error **inner, struct lcx_error **err)
{
	if (err && !*err)
		*err = TAKE_PTR(*inner);
	return r;
}

static int launch_into(uint32_t kinds, const struct lcx__plan *plan, struct lcx__child *child,
		       struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *inner = NULL;
	const struct lcx__launch launch = {
		.plan = plan,
		.clone_flags = lcx__ns_clone_flags(kinds & ~(uint32_t)LCX_NS_TIME),
		.cgroup_fd = -1,
		.stdio = {-1, -1, -1},
	};
	int r = lcx__launch(&launch, child, &inner);

	if (r == -EINVAL)
		return lcx__fail(err, EOPNOTSUPP, "%s", lcx_error_message(inner));
	return hand_on(r, &inner, err);
}

static int give_map(struct lcx__child *child, const struct lcx_idmap *map, struct lcx_error **err)
{
	int r = expect(child, PLAN_MESSAGE_MAPS, err);

	if (r >= 0)
		r = lcx__idmap_write_child(map, child->pid, child->pidfd, err);
	return r < 0 ? r : lcx__child_continue(child, err);
}

static int create(uint32_t kinds, const struct lcx_idmap *map, const char *time_offsets,
		  struct lcx_ns_set **ret, struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *set = malloc(sizeof(*set));
	int r;

	if (!set)
		return lcx__fail_nomem(err);
	memset(set->fds, 0xff, sizeof(set->fds));
	r = make_plan(kinds, time_offsets, &plan, err);
	if (r < 0)
		return r;
	r = launch_into(kinds, plan, &child, err);
	if (r >= 0 && map)
		r = give_map(&child, map, err);
	if (r >= 0)
		r = expect(&child, PLAN_MESSAGE_READY, err);
	if (r >= 0)
		r = collect(&child, kinds, set, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(set);
	return 0;
}

LCX_PUBLIC int lcx_ns_create(uint32_t kinds, const struct lcx_idmap *map, struct lcx_ns_set **ret,
			     struct lcx_error **err)
{
	int r = check_request(kinds, map, err);

	return r < 0 ? r : create(kinds, map, NULL, ret, err);
}

void lcx__time_offsets_format(int64_t monotonic_seconds, uint32_t monotonic_ns,
			      int64_t boottime_seconds, uint32_t boottime_ns,
			      char text[static LCX__TIME_OFFSETS_SIZE])
{
	(void)snprintf(text, LCX__TIME_OFFSETS_SIZE, "monotonic %lld %u\nboottime %lld %u\n",
		       (long long)monotonic_seconds, monotonic_ns, (long long)boottime_seconds,
		       boottime_ns);
}

/* Rounded down, so that the nanoseconds are never negative. */
static int64_t whole_seconds(int64_t ns)
{
	return ns / 1000000000 - (ns % 1000000000 < 0);
}

LCX_PUBLIC int lcx_ns_create_time(int64_t monotonic_ns, int64_t boottime_ns, struct lcx_error **err)
{
	CLEANUP(lcx_error_freep) struct lcx_error *inner = NULL;
	CLEANUP(lcx_ns_set_freep) struct lcx_ns_set *set = NULL;
	int64_t monotonic = whole_seconds(monotonic_ns), boottime = whole_seconds(boottime_ns);
	char text[LCX__TIME_OFFSETS_SIZE];
	int r;

	lcx__time_offsets_format(monotonic, (uint32_t)(monotonic_ns - monotonic * 1000000000),
				 boottime, (uint32_t)(boottime_ns - boottime * 1000000000), text);
	r = create(LCX_NS_TIME, NULL, text, &set, &inner);
	if (r == -ERANGE)
		return lcx__fail(
			err, ERANGE,
			"shift the monotonic clock by %lld s and that of boot time by %lld s: a "
			"clock would be below zero, or too large",
			(long long)monotonic, (long long)boottime);
	if (r < 0)
		return hand_on(r, &inner, err);
	return TAKE_FD(set->fds[lcx__ns_index(LCX_NS_TIME)]);
}
