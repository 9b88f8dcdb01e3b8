/* SPDX-License-Identifier: MIT */
#include "security/lsm.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fs.h"

/* It registers its file system only where it is enabled: sel_fs.c of the kernel. */
bool lcx__selinux_is_enabled(void)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, "/proc/filesystems", 1 << 16, &text, NULL) == 0 &&
	       strstr(text, "\tselinuxfs\n");
}

bool lcx__apparmor_is_enabled(void)
{
	CLEANUP(freep) char *text = NULL;

	return lcx__read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &text,
			      NULL) == 0 &&
	       text[0] == 'Y';
}

/* Its own directory since Linux 5.8: the one above belongs to whichever module comes first. */
const char *lcx__apparmor_exec_file(void)
{
	return access("/proc/self/attr/apparmor/exec", F_OK) == 0 ? "/proc/self/attr/apparmor/exec"
								  : "/proc/self/attr/exec";
}
