/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "runtime.h"

struct list_options {
	const char *format;
	bool quiet;
};

const struct option list_options[] = {
	{'f', "format", OPTION_TEXT, offsetof(struct list_options, format), "table or json"},
	{'q', "quiet", OPTION_FLAG, offsetof(struct list_options, quiet), "identifiers only"},
	{0},
};

/* The name of the user who made it, or, if he has none that can stand in JSON as it is, his number.
 */
static void owner_of(const struct lcx_container *c, char *ret, size_t size)
{
	int64_t uid = lcx_container_owner_uid(c);
	const struct passwd *user = uid < 0 ? NULL : getpwuid((uid_t)uid);
	bool plain = user && !strpbrk(user->pw_name, "\"\\") && strlen(user->pw_name) < size;

	for (const char *at = plain ? user->pw_name : ""; *at; at++)
		plain = plain && *at > ' ' && *at < 0x7f;
	if (plain)
		(void)snprintf(ret, size, "%s", user->pw_name);
	else
		(void)snprintf(ret, size, "%" PRId64, uid);
}

/* The specification's members, and the owner as the last one. */
static void print_state(const struct lcx_container *c, const char *text)
{
	char owner[64];

	owner_of(c, owner, sizeof(owner));
	printf("%.*s,\"owner\":\"%s\"}", (int)(strrchr(text, '}') - text), text, owner);
}

int cmd_state(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_string_freep) char *text = NULL;

	(void)values;
	(void)argc;
	if (open_container(rt, argv[0], &c) != 0)
		return 1;
	if (lcx_bundle_state(c, &text, &err) < 0)
		return report_error(rt, err);
	print_state(c, text);
	putchar('\n');
	return 0;
}

const char *status_of(const struct lcx_container *c)
{
	switch (lcx_container_state(c)) {
	case LCX_CONTAINER_PREPARED:
		return "created";
	case LCX_CONTAINER_RUNNING:
		return "running";
	case LCX_CONTAINER_PAUSED:
		return "paused";
	case LCX_CONTAINER_STOPPED:
		return "stopped";
	default:
		return "creating";
	}
}

static void print_row(const struct lcx_container *c)
{
	time_t created = (time_t)(lcx_container_created_ns(c) / 1000000000);
	char text[32] = "", owner[64];
	struct tm tm;

	if (gmtime_r(&created, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	owner_of(c, owner, sizeof(owner));
	printf("%-24s %-8d %-10s %-24s %-20s %s\n", lcx_container_name(c), lcx_container_pid(c),
	       status_of(c), lcx_bundle_path(c), text, owner);
}

static int print_one(struct runtime *rt, const struct list_options *o, struct lcx_container *c,
		     bool json, bool first)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(lcx_string_freep) char *text = NULL;

	if (o->quiet) {
		puts(lcx_container_name(c));
	} else if (json) {
		if (lcx_bundle_state(c, &text, &err) < 0)
			return report_error(rt, err);
		if (!first)
			putchar(',');
		print_state(c, text);
	} else {
		print_row(c);
	}
	return 0;
}

int cmd_list(struct runtime *rt, void *values, int argc, char **argv)
{
	CLEANUP(lcx_container_list_freep) struct lcx_container_list *list = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	const struct list_options *o = values;
	bool json = o->format && strcmp(o->format, "json") == 0, first = true;
	const char *id;
	int code = 0;

	(void)argc;
	(void)argv;
	if (o->format && !json && strcmp(o->format, "table") != 0)
		return report(rt, "--format: '%s' is neither table nor json", o->format);
	if (open_root(rt) != 0)
		return 1;
	if (lcx_container_list_new(rt->ctx, &list, &err) < 0)
		return report_error(rt, err);
	if (!o->quiet)
		fputs(json ? "["
			   : "ID                       PID      STATUS     BUNDLE                  "
			     " CREATED              OWNER\n",
		      stdout);
	for (uint32_t i = 0; (id = lcx_container_list_id(list, i)); i++) {
		CLEANUP(lcx_container_freep) struct lcx_container *c = NULL;

		/* Another one may delete it meanwhile. */
		if (lcx_container_open(rt->ctx, id, &c, NULL) < 0)
			continue;
		code |= print_one(rt, o, c, json, first);
		first = false;
	}
	if (json && !o->quiet)
		puts("]");
	return code;
}
