/* SPDX-License-Identifier: MIT */
#include "util/privilege.h"

#include <linux/capability.h>
#include <sys/stat.h>

#include "util/sys.h"

bool lcx__has_capability(int number)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	(void)sys_call2(__NR_capget, &header, data);
	return data[number / 32].effective & (1u << (number % 32));
}

/* PROC_USER_INIT_INO of linux/proc_ns.h: the first user namespace's file has it for ever. */
static const ino_t first_user_namespace = 0xEFFFFFFD;

bool lcx__is_in_first_users(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino == first_user_namespace;
}
