/* SPDX-License-Identifier: MIT */
#include "image/manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/str.h"

/* The kernel's names of machines, and Go's, which the OCI took over. */
static const struct {
	const char *machine, *architecture, *variant;
} machines[] = {
	{"x86_64", "amd64", ""},
	{"aarch64", "arm64", "v8"},
	{"armv7l", "arm", "v7"},
	{"armv6l", "arm", "v6"},
	{"i686", "386", ""},
	{"i586", "386", ""},
	{"ppc64le", "ppc64le", ""},
	{"riscv64", "riscv64", ""},
	{"s390x", "s390x", ""},
	{"mips64", "mips64le", ""},
	{"loongarch64", "loong64", ""},
};

void lcx__platform_host(struct lcx__platform *platform)
{
	struct utsname name;

	memset(platform, 0, sizeof(*platform));
	strcpy(platform->os, "linux");
	if (uname(&name) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		if (strcmp(machines[i].machine, name.machine) != 0)
			continue;
		strcpy(platform->architecture, machines[i].architecture);
		strcpy(platform->variant, machines[i].variant);
		return;
	}
	(void)snprintf(platform->architecture, sizeof(platform->architecture), "%.31s",
		       name.machine);
}

static bool take_part(const char **text, char *part, size_t size)
{
	size_t length = strcspn(*text, "/");

	if (length == 0 || length >= size ||
	    strspn(*text, "abcdefghijklmnopqrstuvwxyz0123456789_.-") < length)
		return false;
	memcpy(part, *text, length);
	part[length] = '\0';
	*text += length;
	if (**text != '/')
		return true;
	(*text)++;
	return **text != '\0';
}

int lcx__platform_parse(const char *text, struct lcx__platform *ret, struct lcx_error **err)
{
	struct lcx__platform platform = {0};
	const char *at = text ? text : "";

	if (!take_part(&at, platform.os, sizeof(platform.os)) ||
	    !take_part(&at, platform.architecture, sizeof(platform.architecture)) ||
	    (*at != '\0' && !take_part(&at, platform.variant, sizeof(platform.variant))) ||
	    *at != '\0')
		return lcx__fail(err, EINVAL,
				 "platform '%.100s': write it like linux/amd64 or linux/arm/v7",
				 text ? text : "");
	*ret = platform;
	return 0;
}
