/* SPDX-License-Identifier: MIT */
#include "util/privilege.h"

#include <linux/capability.h>

#include "util/sys.h"

bool lcx__has_capability(int number)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	(void)sys_call2(__NR_capget, &header, data);
	return data[number / 32].effective & (1u << (number % 32));
}
