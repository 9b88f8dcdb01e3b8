/* SPDX-License-Identifier: MIT */

/*
 * Rules of Landlock, a line each, and the first one as a label of AppArmor and SELinux, too: by the
 * setters, written as JSON and read again, which must come to the same; and the whole as
 * such JSON by itself.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lcx/spec.h"
#include "security/landlock.h"
#include "spec/spec.h"
#include "text.h"
#include "util/cleanup.h"
#include "util/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rule(const char *text)
{
	struct lcx__landlock_rule rule;

	if (lcx__landlock_parse(text, &rule, NULL) < 0)
		return;
	if (rule.kind == LCX__LANDLOCK_PATH &&
	    (rule.path < text || rule.path > text + strlen(text) || rule.path[0] != '/'))
		abort();
	if (rule.kind == LCX__LANDLOCK_PORT && (rule.port < -1 || rule.port > UINT16_MAX))
		abort();
}

static char *to_json(const struct lcx_spec *spec)
{
	char *json = NULL;

	if (lcx_spec_to_json(spec, &json, NULL) < 0)
		abort();
	return json;
}

static void check_round_trip(const struct lcx_spec *spec)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *again = NULL;
	CLEANUP(freep) char *json = to_json(spec), *twice = NULL;

	if (lcx_spec_from_json(json, strlen(json), &again, NULL) < 0)
		abort();
	twice = to_json(again);
	if (strcmp(json, twice) != 0)
		abort();
}

static void by_setters(char *text)
{
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;
	struct lcx__landlock_rights rights;
	char *rest = text, *line = strsep(&rest, "\n");

	if (lcx_spec_new(&spec, NULL) < 0)
		return;
	(void)lcx_spec_set_apparmor_profile(spec, line, NULL);
	(void)lcx_spec_set_selinux_label(spec, line, NULL);
	(void)lcx_spec_set_mount_label(spec, line, NULL);
	for (; line; line = strsep(&rest, "\n")) {
		check_rule(line);
		(void)lcx_spec_add_landlock(spec, line, NULL);
	}
	if (spec->own.landlock && lcx__landlock_handled(spec->own.landlock, &rights, NULL) < 0)
		abort();
	check_round_trip(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *text = fuzz_text(data, size);
	CLEANUP(lcx_spec_freep) struct lcx_spec *spec = NULL;

	if (!text)
		return 0;
	if (lcx_spec_from_json(text, size, &spec, NULL) == 0)
		check_round_trip(spec);
	by_setters(text);
	return 0;
}
