/* SPDX-License-Identifier: MIT */
#include "security/landlock.h"

#include <limits.h>
#include <string.h>

#include "lcx/security.h"
#include "util/str.h"
#include "util/sys.h"

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif

#define READ         (LCX__LANDLOCK_READ_FILE | LCX__LANDLOCK_READ_DIR)
#define ALL_OF(last) (((last) << 1) - 1)

/*
 * To truncate is to write: rules that forbid writing but not that would not be what they say, so
 * paths need the third version. What it is that devices do by ioctl(2) is forbidden where it can
 * be.
 */
static const struct lcx__landlock_rights needed_by_paths = {.fs = ALL_OF(LCX__LANDLOCK_TRUNCATE)};

static const struct {
	const char *name;
	enum lcx__landlock_kind kind;
	uint64_t access;
} kinds[] = {
	{"read", LCX__LANDLOCK_PATH, READ},
	{"ro", LCX__LANDLOCK_PATH, READ | LCX__LANDLOCK_EXECUTE},
	{"rw", LCX__LANDLOCK_PATH, ALL_OF(LCX__LANDLOCK_IOCTL_DEV)},
	{"tcp-bind", LCX__LANDLOCK_PORT, LCX__LANDLOCK_BIND_TCP},
	{"tcp-connect", LCX__LANDLOCK_PORT, LCX__LANDLOCK_CONNECT_TCP},
	{"scope", LCX__LANDLOCK_SCOPE, 0},
};

static const struct {
	const char *name;
	uint64_t access;
} scopes[] = {
	{"abstract-unix", LCX__LANDLOCK_ABSTRACT_UNIX},
	{"signal", LCX__LANDLOCK_SIGNAL},
};

/* landlock(7), "Kernel support". */
static const struct {
	int32_t abi;
	const char *linux_version;
	struct lcx__landlock_rights rights;
} versions[] = {
	{1, "5.13", {.fs = LCX__LANDLOCK_REFER - 1}},
	{2, "5.19", {.fs = LCX__LANDLOCK_REFER}},
	{3, "6.2", {.fs = LCX__LANDLOCK_TRUNCATE}},
	{4, "6.7", {.net = LCX__LANDLOCK_BIND_TCP | LCX__LANDLOCK_CONNECT_TCP}},
	{5, "6.10", {.fs = LCX__LANDLOCK_IOCTL_DEV}},
	{6, "6.12", {.scope = LCX__LANDLOCK_ABSTRACT_UNIX | LCX__LANDLOCK_SIGNAL}},
};

LCX_PUBLIC int32_t lcx_landlock_abi(void)
{
	enum { VERSION = 1 /* LANDLOCK_CREATE_RULESET_VERSION */ };
	long r = sys_call3(__NR_landlock_create_ruleset, 0, 0, VERSION);

	return r < 0 ? 0 : (int32_t)r;
}

struct lcx__landlock_rights lcx__landlock_rights(int32_t abi)
{
	struct lcx__landlock_rights all = {0, 0, 0};

	for (size_t i = 0; i < ARRAY_SIZE(versions) && versions[i].abi <= abi; i++) {
		all.fs |= versions[i].rights.fs;
		all.net |= versions[i].rights.net;
		all.scope |= versions[i].rights.scope;
	}
	return all;
}

static int parse_path(const char *value, struct lcx__landlock_rule *ret, struct lcx_error **err)
{
	if (value[0] != '/' || strlen(value) >= PATH_MAX)
		return lcx__fail(err, EINVAL, "Landlock: '%.64s' is no absolute path", value);
	ret->path = value;
	return 0;
}

static int parse_port(const char *value, struct lcx__landlock_rule *ret, struct lcx_error **err)
{
	size_t digits = strspn(value, "0123456789");
	long port = digits > 0 && digits <= 5 ? strtol(value, NULL, 10) : -1;

	ret->port = -1;
	if (strcmp(value, "none") == 0)
		return 0;
	if (value[digits] != '\0' || port < 0 || port > UINT16_MAX)
		return lcx__fail(err, EINVAL, "Landlock: '%.64s' is no TCP port, and not 'none'",
				 value);
	ret->port = (int32_t)port;
	return 0;
}

static int parse_scope(const char *value, struct lcx__landlock_rule *ret, struct lcx_error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++)
		if (strcmp(value, scopes[i].name) == 0) {
			ret->access = scopes[i].access;
			return 0;
		}
	return lcx__fail(err, EINVAL,
			 "Landlock: '%.64s' is no scope; there are abstract-unix and signal",
			 value);
}

int lcx__landlock_parse(const char *text, struct lcx__landlock_rule *ret, struct lcx_error **err)
{
	static int (*const parse[])(const char *, struct lcx__landlock_rule *,
				    struct lcx_error **) = {
		[LCX__LANDLOCK_PATH] = parse_path,
		[LCX__LANDLOCK_PORT] = parse_port,
		[LCX__LANDLOCK_SCOPE] = parse_scope,
	};
	size_t length = strcspn(text, "=");

	for (size_t i = 0; text[length] && i < ARRAY_SIZE(kinds); i++) {
		if (strlen(kinds[i].name) != length || memcmp(text, kinds[i].name, length) != 0)
			continue;
		*ret = (struct lcx__landlock_rule){
			.kind = kinds[i].kind, .access = kinds[i].access, .port = -1};
		return parse[kinds[i].kind](text + length + 1, ret, err);
	}
	return lcx__fail(err, EINVAL,
			 "Landlock: '%.64s' is no rule; there are read=PATH, ro=PATH, rw=PATH, "
			 "tcp-bind=PORT, tcp-connect=PORT and scope=abstract-unix or signal",
			 text);
}

int lcx__landlock_handled(char *const *rules, struct lcx__landlock_rights *ret,
			  struct lcx_error **err)
{
	*ret = (struct lcx__landlock_rights){0, 0, 0};
	for (; rules && *rules; rules++) {
		struct lcx__landlock_rule rule;
		int r = lcx__landlock_parse(*rules, &rule, err);

		if (r < 0)
			return r;
		if (rule.kind == LCX__LANDLOCK_PATH)
			ret->fs = needed_by_paths.fs;
		else if (rule.kind == LCX__LANDLOCK_PORT)
			ret->net |= rule.access;
		else
			ret->scope |= rule.access;
	}
	return 0;
}

int lcx__landlock_check(const struct lcx__landlock_rights *wanted, struct lcx_error **err)
{
	int32_t abi = lcx_landlock_abi();
	size_t need = 0;

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		if ((versions[i].rights.fs & wanted->fs) ||
		    (versions[i].rights.net & wanted->net) ||
		    (versions[i].rights.scope & wanted->scope))
			need = i;
	if (!wanted->fs && !wanted->net && !wanted->scope)
		return 0;
	if (abi == 0)
		return lcx__fail(err, EOPNOTSUPP,
				 "Landlock: this kernel has none; it needs "
				 "CONFIG_SECURITY_LANDLOCK, and 'landlock' in lsm= at its boot");
	if (abi >= versions[need].abi)
		return 0;
	return lcx__fail(
		err, EOPNOTSUPP,
		"Landlock: these rules need its version %d (Linux %s), this kernel has %d; "
		"choose best effort to go without what it lacks",
		versions[need].abi, versions[need].linux_version, abi);
}
