/* SPDX-License-Identifier: MIT */
#include "security/caps.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <strings.h>

#include "util/fs.h"

/*
 * The kernel's numbers, as in include/uapi/linux/capability.h. An own table, since libcap-ng
 * knows only those of the day it was built, and a description written on a
 * newer machine names newer ones.
 */
static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};
_Static_assert(ARRAY_SIZE(names) > CAP_LAST_CAP, "the kernel's headers know newer capabilities");

static const int default_numbers[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FSETID,           CAP_FOWNER,
	CAP_MKNOD,   CAP_NET_RAW,      CAP_SETGID,           CAP_SETUID,
	CAP_SETFCAP, CAP_SETPCAP,      CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT,
	CAP_KILL,    CAP_AUDIT_WRITE,
};

LCX_PUBLIC const char *lcx_capability_name(int32_t number)
{
	return number >= 0 && (size_t)number < ARRAY_SIZE(names) ? names[number] : NULL;
}

static int32_t number_of(const char *name, size_t length)
{
	static const size_t prefix = sizeof("CAP_") - 1;

	if (length > prefix && strncasecmp(name, "CAP_", prefix) == 0) {
		name += prefix;
		length -= prefix;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == prefix + length &&
		    strncasecmp(names[i] + prefix, name, length) == 0)
			return (int32_t)i;
	return -EINVAL;
}

LCX_PUBLIC int32_t lcx_capability_number(const char *name)
{
	return number_of(name, strlen(name));
}

LCX_PUBLIC int32_t lcx_capability_last(void)
{
	CLEANUP(freep) char *text = NULL;
	uint64_t last;
	size_t length;
	int r;

	r = lcx__read_file(AT_FDCWD, "/proc/sys/kernel/cap_last_cap", 64, &text, &length);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	r = lcx__parse_u64(text, 63, &last);
	return r < 0 ? r : (int32_t)last;
}

/* Without /proc: what the headers know. More would make the kernel refuse the set. */
static int32_t last_known(void)
{
	int32_t last = lcx_capability_last();

	return last < 0 ? CAP_LAST_CAP : last;
}

uint64_t lcx__capability_all(void)
{
	int32_t last = last_known();

	return last == 63 ? UINT64_MAX : (UINT64_C(1) << (last + 1)) - 1;
}

/*
 * "ALL" is all that this process could hand on: what its own bounding set lacks,
 * nobody below it gets. libcap-ng works on a state of the calling thread, which may be
 * the host's own: it is put back.
 */
uint64_t lcx__capability_grantable(void)
{
	void *before = capng_save_state();
	int32_t last = last_known();
	uint64_t mask = 0;

	capng_clear(CAPNG_SELECT_ALL);
	if (capng_get_caps_process() < 0)
		mask = lcx__capability_all();
	for (int cap = 0; cap <= last; cap++)
		if (capng_have_capability(CAPNG_BOUNDING_SET, (unsigned int)cap))
			mask |= UINT64_C(1) << cap;
	capng_restore_state(&before);
	return mask;
}

LCX_PUBLIC int lcx_capability_mask(const char *list, uint64_t *ret, struct lcx_error **err)
{
	static const char separators[] = ", \t\n";
	uint64_t mask = 0;

	for (;;) {
		size_t length;
		int32_t number;

		list += strspn(list, separators);
		length = strcspn(list, separators);
		if (length == 0)
			break;
		number = number_of(list, length);
		if (length == 3 && strncasecmp(list, "ALL", 3) == 0)
			mask |= lcx__capability_grantable();
		else if (number >= 0)
			mask |= UINT64_C(1) << number;
		else
			return lcx__fail(err, EINVAL,
					 "'%.*s' is no capability; capabilities(7) lists them",
					 (int)(length > 64 ? 64 : length), list);
		list += length;
	}
	*ret = mask;
	return 0;
}

LCX_PUBLIC uint64_t lcx_capability_default_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(default_numbers); i++)
		mask |= UINT64_C(1) << default_numbers[i];
	return mask;
}

/*
 * A file must name a capability in full, for another runtime that reads it
 * does not know the short forms.
 */
static int32_t full_name_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], name) == 0)
			return (int32_t)i;
	return -EINVAL;
}

static int read_names(struct lcx__json_reader *reader, struct json_object *json,
		      struct lcx__opt_u64 *mask, bool unknown_is_condition)
{
	if (!json_object_is_type(json, json_type_array))
		return lcx__json_fail(reader, "must be a list");
	mask->set = true;
	for (size_t i = 0; i < json_object_array_length(json); i++) {
		struct json_object *item = json_object_array_get_idx(json, i);
		int32_t number;
		int r = 0;

		if (!lcx__json_is_text(item))
			return lcx__json_fail(reader, "must be a list of names of capabilities");
		number = full_name_number(json_object_get_string(item));
		if (number >= 0)
			mask->value |= UINT64_C(1) << number;
		else if (unknown_is_condition)
			mask->value |= UINT64_C(1) << LCX__CAP_UNKNOWN;
		else
			r = lcx__json_warn(reader, "unknown capability '%.64s', ignored",
					   json_object_get_string(item));
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_capabilities(struct lcx__json_reader *reader, struct json_object *json, void *place)
{
	return read_names(reader, json, place, false);
}

static int read_condition(struct lcx__json_reader *reader, struct json_object *json, void *place)
{
	return read_names(reader, json, place, true);
}

static int write_capabilities(const void *place, const void *context, struct json_object **ret)
{
	const struct lcx__opt_u64 *mask = place;
	CLEANUP(lcx__json_putp) struct json_object *array = NULL;

	(void)context;
	if (!mask->set)
		return 0;
	array = json_object_new_array();
	for (size_t i = 0; array && i < ARRAY_SIZE(names); i++) {
		struct json_object *name;

		if (!(mask->value & UINT64_C(1) << i))
			continue;
		name = json_object_new_string(names[i]);
		if (!name || json_object_array_add(array, name) < 0) {
			(void)json_object_put(name);
			return -ENOMEM;
		}
	}
	*ret = TAKE_PTR(array);
	return *ret ? 0 : -ENOMEM;
}

static void release_nothing(void *place)
{
	(void)place;
}

const struct lcx__json_codec lcx__capabilities_codec = {
	.read = read_capabilities,
	.write = write_capabilities,
	.release = release_nothing,
};

const struct lcx__json_codec lcx__capability_condition_codec = {
	.read = read_condition,
	.write = write_capabilities,
	.release = release_nothing,
};
