/* SPDX-License-Identifier: MIT */
#include "image/manifest.h"

#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "util/str.h"

/* The kernel has one name for both. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define MIPS64 "mips64le"
#else
#define MIPS64 "mips64"
#endif

/* The kernel's names of machines, and Go's, which the OCI took over. */
static const struct {
	const char *machine, *architecture, *variant;
} machines[] = {
	{"x86_64", "amd64", ""},    {"aarch64", "arm64", "v8"},
	{"armv8l", "arm", "v8"},    {"armv7l", "arm", "v7"},
	{"armv6l", "arm", "v6"},    {"armv5tel", "arm", "v5"},
	{"armv5tejl", "arm", "v5"}, {"i686", "386", ""},
	{"i586", "386", ""},        {"ppc64le", "ppc64le", ""},
	{"riscv64", "riscv64", ""}, {"s390x", "s390x", ""},
	{"mips64", MIPS64, ""},     {"loongarch64", "loong64", ""},
};

#ifdef __x86_64__
/*
 * The levels of the x86-64 psABI by cpuid; "" is the first. Not by the compiler's
 * __builtin_cpu_supports(), which puts a constructor into the library.
 */
static const struct {
	const char *level;
	uint32_t leaf1_ecx, leaf7_ebx, extended_ecx; /* leaf 0x80000001 */
	uint32_t saved; /* register state that the kernel must save: what it does not isn't there */
} levels[] = {
	{"v2", 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23, 0, 1u << 0, 0},
	{"v3", 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29, 1u << 3 | 1u << 5 | 1u << 8,
	 1u << 5, 0x6},
	{"v4", 0, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31, 0, 0xe6},
};

enum { OSXSAVE = 1 << 27 };

static uint32_t saved_state(uint32_t leaf1_ecx)
{
	uint32_t low = 0, high = 0;

	if (leaf1_ecx & OSXSAVE)
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static const char *x86_64_level(void)
{
	uint32_t eax, ebx, ecx1 = 0, ebx7 = 0, ecx, ecx_extended = 0, edx, saved;
	const char *level = "";

	(void)__get_cpuid(1, &eax, &ebx, &ecx1, &edx);
	(void)__get_cpuid_count(7, 0, &eax, &ebx7, &ecx, &edx);
	(void)__get_cpuid(0x80000001, &eax, &ebx, &ecx_extended, &edx);
	saved = saved_state(ecx1);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		if (levels[i].leaf1_ecx & ~ecx1 || levels[i].leaf7_ebx & ~ebx7 ||
		    levels[i].extended_ecx & ~ecx_extended || levels[i].saved & ~saved)
			break;
		level = levels[i].level;
	}
	return level;
}
#else
static const char *x86_64_level(void)
{
	return "";
}
#endif

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
		if (strcmp(machines[i].architecture, "amd64") == 0)
			strcpy(platform->variant, x86_64_level());
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

/* What a platform means that doesn't name its variant. */
static const struct {
	const char *architecture, *variant;
} unnamed_variants[] = {
	{"amd64", "v1"},
	{"arm", "v7"},
	{"arm64", "v8"},
};

static const char *variant_of(const struct lcx__platform *platform)
{
	for (size_t i = 0; platform->variant[0] == '\0' && i < ARRAY_SIZE(unnamed_variants); i++)
		if (strcmp(unnamed_variants[i].architecture, platform->architecture) == 0)
			return unnamed_variants[i].variant;
	return platform->variant;
}

/* "v8" is 800, "v8.2" is 802; -1 for what isn't counted. */
static int variant_number(const char *variant)
{
	char *end;
	long major, minor = 0;

	if (variant[0] != 'v' || variant[1] < '1' || variant[1] > '9')
		return -1;
	major = strtol(variant + 1, &end, 10);
	if (*end == '.' && end[1] >= '0' && end[1] <= '9')
		minor = strtol(end + 1, &end, 10);
	return *end == '\0' && major < 100 && minor < 100 ? (int)(major * 100 + minor) : -1;
}

/* Within an architecture each variant runs the programs of those that are numbered lower. */
int lcx__platform_rank(const struct lcx__platform *has, const struct lcx__platform *want)
{
	const char *variant = variant_of(has), *wish = variant_of(want);
	int number = variant_number(variant), limit = variant_number(wish);

	if (strcmp(has->os, want->os) != 0 || strcmp(has->architecture, want->architecture) != 0)
		return 0;
	if (strcmp(variant, wish) == 0)
		return 10001;
	/* One of them says nothing that could be compared. */
	if (variant[0] == '\0' || wish[0] == '\0')
		return 10000;
	return number > 0 && number <= limit ? number + 1 : 0;
}
