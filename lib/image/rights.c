/* SPDX-License-Identifier: MIT */
#include "image/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Which of these an ordinary user, or the superuser of a user namespace, may do, only trying tells.
 */
int lcx__extract_rights_probe(int dir_fd, struct lcx__extract_rights *ret, struct lcx_error **err)
{
	static const char name[] = ".lcx-probe", attribute[] = "trusted.lcx.probe";
	struct lcx__extract_rights rights = {0};

	if (mknodat(dir_fd, name, S_IFREG | 0600, 0) < 0)
		return lcx__fail_sys(err, errno, "create a file in the layer's directory");
	rights.chown = fchownat(dir_fd, name, 1, 1, AT_SYMLINK_NOFOLLOW) == 0;
	(void)unlinkat(dir_fd, name, 0);

	rights.devices = mknodat(dir_fd, name, S_IFCHR | 0600, makedev(1, 3)) == 0;
	(void)unlinkat(dir_fd, name, 0);

	rights.userxattr = fsetxattr(dir_fd, attribute, "", 0, 0) < 0;
	if (!rights.userxattr)
		(void)fremovexattr(dir_fd, attribute);
	*ret = rights;
	return 0;
}
