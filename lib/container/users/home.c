/* SPDX-License-Identifier: MIT */
#include "container/users/users.h"

#include <fcntl.h>
#include <string.h>

#include "security/user.h"

/*
 * What the root file system says of user @uid; "/" where it says nothing that makes sense. What is
 * mounted over its /etc/passwd is not asked: only the container's own processes see that, and what
 * serves it there, such as FUSE, could keep who reads it waiting.
 */
static char *find_home(const struct lcx_container *c, uint32_t uid)
{
	CLEANUP(closep) int root_fd = open(c->d.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(lcx_user_freep) struct lcx_user *user = NULL;
	char number[32];

	/* With a group, whichever: /etc/group is none of its business then. */
	(void)snprintf(number, sizeof(number), "%u:0", uid);
	if (root_fd < 0 || lcx_user_lookup(root_fd, number, &user, NULL) < 0)
		return strdup("HOME=/");
	return lcx__format("HOME=%s", lcx_user_home(user));
}

int lcx__container_home(const struct lcx_container *c, const struct lcx_spec *process, char **ret,
			struct lcx_error **err)
{
	if (!c->d.bundle || !c->d.rootfs || lcx_spec_getenv(process, "HOME"))
		return 0;
	*ret = find_home(c, lcx_spec_uid(process));
	return *ret ? 0 : lcx__fail_nomem(err);
}
