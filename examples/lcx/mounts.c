/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcx/spec.h>

#include "given.h"
#include "options.h"
#include "text.h"

/*
 * Docker's --mount: fields with commas between them, one in quotation marks where it has a comma
 * itself, and some that only one type has. A volume or bind mount becomes what -v says.
 */

enum { BIND = 1 << 0, VOLUME = 1 << 1, TMPFS = 1 << 2, ANY = BIND | VOLUME | TMPFS };

struct mount_wish {
	const char *text; /* as it was given */
	int type;
	char *source, *target, *propagation, *size, *mode;
	bool readonly, nocopy, nonrecursive;
};

static const struct {
	const char *name;
	int type;
} types[] = {{"bind", BIND}, {"volume", VOLUME}, {"tmpfs", TMPFS}};

static const struct field {
	const char *name;
	int types; /* that have it */
	size_t text, flag;
} fields[] = {
#define TEXT(name, types, member)                                                                  \
	{                                                                                          \
		name, types, offsetof(struct mount_wish, member), 0                                \
	}
#define FLAG(name, types, member)                                                                  \
	{                                                                                          \
		name, types, 0, offsetof(struct mount_wish, member)                                \
	}
	TEXT("source", BIND | VOLUME, source),
	TEXT("src", BIND | VOLUME, source),
	TEXT("target", ANY, target),
	TEXT("dst", ANY, target),
	TEXT("destination", ANY, target),
	FLAG("readonly", ANY, readonly),
	FLAG("ro", ANY, readonly),
	TEXT("bind-propagation", BIND, propagation),
	FLAG("bind-nonrecursive", BIND, nonrecursive),
	FLAG("volume-nocopy", VOLUME, nocopy),
	TEXT("tmpfs-size", TMPFS, size),
	TEXT("tmpfs-mode", TMPFS, mode),
};

static bool wrong(const struct app *app, const struct mount_wish *wish, const char *what,
		  const char *which)
{
	(void)options_usage_error(app, "--mount '%s': %s%s", wish->text, what, which);
	return false;
}

/* ---- taking it apart ---------------------------------------------------------- */

/* The next field, without its quotation marks, ended in place; NULL at the end. */
static char *next_field(char **rest)
{
	char *at = *rest, *out, *start;
	bool quoted;

	if (!at || !*at)
		return NULL;
	quoted = *at == '"';
	start = out = at += quoted;
	for (; *at && (quoted ? *at != '"' || at[1] == '"' : *at != ','); at++) {
		if (quoted && *at == '"')
			at++; /* a doubled one is one */
		*out++ = *at;
	}
	if (quoted && *at == '"')
		at++;
	*rest = *at ? at + 1 : NULL;
	*out = '\0';
	return start;
}

static const struct field *find_field(const char *name)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static int parse_truth(const char *value, bool *ret)
{
	*ret = !value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
	return *ret || strcmp(value, "false") == 0 || strcmp(value, "0") == 0 ? 0 : -1;
}

static bool take_type(const struct app *app, struct mount_wish *wish, const char *value)
{
	for (size_t i = 0; value && i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, value) == 0) {
			wish->type = types[i].type;
			return true;
		}
	return wrong(app, wish, "the type is bind, volume or tmpfs, not ",
		     value ? value : "nothing");
}

static bool take_field(const struct app *app, struct mount_wish *wish, char *name)
{
	char *value = strchr(name, '=');
	const struct field *field;

	if (value)
		*value++ = '\0';
	field = find_field(name);
	if (!field)
		return wrong(app, wish, "there is no field ", name);
	if (!(field->types & wish->type))
		return wrong(app, wish, "this type has no ", name);
	if (field->flag) {
		if (parse_truth(value, (bool *)((char *)wish + field->flag)) < 0)
			return wrong(app, wish, "true or false is the value of ", name);
		return true;
	}
	if (!value || !*value)
		return wrong(app, wish, "there is no value for ", name);
	*(char **)((char *)wish + field->text) = value;
	return true;
}

/* The type first, wherever it stands: it says which of the others there are. */
static bool parse(const struct app *app, char *text, struct mount_wish *wish)
{
	CLEANUP(freep) char *copy = xprintf("%s", text);
	char *rest = copy, *field;

	wish->type = VOLUME;
	while ((field = next_field(&rest)))
		if (strncmp(field, "type=", 5) == 0 && !take_type(app, wish, field + 5))
			return false;
	rest = text;
	while ((field = next_field(&rest)))
		if (strncmp(field, "type=", 5) != 0 && !take_field(app, wish, field))
			return false;
	if (!wish->target)
		return wrong(app, wish, "where to? target=/PATH is missing", "");
	if (wish->type == BIND && (!wish->source || *wish->source != '/'))
		return wrong(app, wish, "a bind mount is of source=/PATH", "");
	if (wish->type == VOLUME && wish->source && strchr(wish->source, '/'))
		return wrong(app, wish, "a volume is a name; type=bind has a path", "");
	return true;
}

/* ---- as the library has it ---------------------------------------------------- */

static bool report(struct app *app, int r, struct lcx_error **err)
{
	if (r < 0)
		app_report(app, err);
	return r == 0;
}

static bool add_tmpfs(struct app *app, struct lcx_container *c, const struct mount_wish *wish)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *size = NULL, *mode = NULL;
	const char *options[7] = {"nosuid", "nodev", "noexec"};
	size_t n = 3;
	int64_t bytes;

	if (wish->size && text_parse_bytes(wish->size, &bytes) < 0)
		return wrong(app, wish, "no size is ", wish->size);
	if (wish->mode && (wish->mode[strspn(wish->mode, "01234567")] || strlen(wish->mode) > 5))
		return wrong(app, wish, "no mode is ", wish->mode);
	size = wish->size ? xprintf("size=%lld", (long long)bytes) : NULL;
	mode = xprintf("mode=%s", wish->mode ? wish->mode : "1777");
	options[n++] = mode;
	if (size)
		options[n++] = size;
	if (wish->readonly)
		options[n++] = "ro";
	return report(app,
		      lcx_spec_add_mount(lcx_container_spec(c), "tmpfs", wish->target, "tmpfs",
					 options, &err),
		      &err);
}

/* "SOURCE:TARGET:OPTION,..." */
static bool add_volume(struct app *app, struct lcx_container *c, const struct mount_wish *wish)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = NULL;

	if ((wish->source && strchr(wish->source, ':')) || strchr(wish->target, ':'))
		return wrong(app, wish, "a colon in a path", "");
	text = xprintf("%s%s%s:%s%s%s%s%s", wish->source ? wish->source : "",
		       wish->source ? ":" : "", wish->target, wish->readonly ? "ro" : "rw",
		       wish->nocopy ? ",nocopy" : "", wish->nonrecursive ? ",bind" : "",
		       wish->propagation ? "," : "", wish->propagation ? wish->propagation : "");
	return report(app, lcx_container_add_volume(c, text, &err), &err);
}

bool apply_mounts(struct app *app, struct lcx_container *c, const struct list *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		CLEANUP(freep) char *text = xprintf("%s", mounts->items[i]);
		struct mount_wish wish = {.text = mounts->items[i]};

		if (!parse(app, text, &wish))
			return false;
		if (!(wish.type == TMPFS ? add_tmpfs(app, c, &wish) : add_volume(app, c, &wish)))
			return false;
	}
	return true;
}
