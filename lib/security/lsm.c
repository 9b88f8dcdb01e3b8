/* SPDX-License-Identifier: MIT */
#include "security/lsm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fs.h"

/* It registers its file system only where it is enabled: sel_fs.c of the kernel. */
static bool selinux_is_enabled(void)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, "/proc/filesystems", 1 << 16, &text, NULL) == 0 &&
	       strstr(text, "\tselinuxfs\n");
}

/*
 * Until one is loaded, the kernel takes any label for its own, without a word, and confines nobody:
 * security_context_to_sid_core() of ss/services.c. A label of a policy has three parts at least.
 */
static bool selinux_has_policy(void)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, "/proc/self/attr/current", 1 << 16, &text, NULL) == 0 &&
	       strchr(text, ':');
}

const char *lcx__selinux_missing(void)
{
	if (!selinux_is_enabled())
		return "this kernel has no SELinux; it needs CONFIG_SECURITY_SELINUX, and "
		       "'selinux' in lsm= at its boot";
	return selinux_has_policy() ? NULL
				    : "SELinux has no policy loaded, and so no label means "
				      "anything; load one first: selinux(8)";
}

bool lcx__apparmor_is_enabled(void)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text,
			      NULL) == 0 &&
	       text[0] == 'Y';
}

const char *lcx__apparmor_missing(void)
{
	return lcx__apparmor_is_enabled()
		       ? NULL
		       : "this kernel has no AppArmor; it needs CONFIG_SECURITY_APPARMOR, and "
			 "'apparmor' in lsm= at its boot";
}

/* Its own directory since Linux 5.8: the one above belongs to whichever module comes first. */
const char *lcx__apparmor_exec_file(void)
{
	return access("/proc/self/attr/apparmor/exec", F_OK) == 0 ? "/proc/self/attr/apparmor/exec"
								  : "/proc/self/attr/exec";
}
