/* SPDX-License-Identifier: MIT */
#include "lcx/version.h"

#include <string.h>

#include "config.h"
#include "util/error.h"

static const struct {
	const char *name;
	int32_t present;
} features[] = {
	{"image", HAVE_IMAGE},
	{"seccomp", HAVE_SECCOMP},
	{"systemd", HAVE_SYSTEMD},
};

LCX_PUBLIC const char *lcx_version(void)
{
	return LCX_WEAKEN ? LCX_VERSION " (weakened, for tests)" : LCX_VERSION;
}

LCX_PUBLIC int32_t lcx_has_feature(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (strcmp(features[i].name, name) == 0)
			return features[i].present;
	return 0;
}

LCX_PUBLIC char *lcx_string_free(char *text)
{
	free(text);
	return NULL;
}
