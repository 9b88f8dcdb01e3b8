/* SPDX-License-Identifier: MIT */
#include "container/audit/audit.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "util/fs.h"
#include "util/sys.h"

void lcx__audit_weaker(struct audit *audit, const char *format, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		text = NULL;
	else
		(void)json_object_array_add(audit->weaker, json_object_new_string(text));
}

char *lcx__audit_read(const struct audit *audit, const char *name)
{
	CLEANUP(freep) char *text = NULL;
	size_t length = 0;

	if (lcx__read_file(audit->proc_fd, name, 1 << 20, &text, &length) < 0)
		return NULL;
	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\0'))
		text[--length] = '\0';
	return TAKE_PTR(text);
}

static void audit_clear(struct audit *audit)
{
	closep(&audit->proc_fd);
	closep(&audit->root_fd);
	free(audit->mounts);
	lcx__json_putp(&audit->json);
	lcx__json_putp(&audit->weaker);
}

/*
 * A directory of /proc belongs to its process for ever: if that lives after it was opened, it
 * is its own, and when it ends all that is read in there is an error.
 */
static int open_process(struct audit *audit, struct lcx_error **err)
{
	CLEANUP(closep) int pidfd = lcx__container_open_running(audit->c, err);
	char path[64];

	if (pidfd < 0)
		return pidfd;
	(void)snprintf(path, sizeof(path), "/proc/%d", lcx_container_pid(audit->c));
	audit->proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (audit->proc_fd < 0 || sys_pidfd_send_signal(pidfd, 0) < 0)
		return lcx__fail(err, ESRCH, "container '%s' has just ended",
				 lcx__container_display(audit->c));
	audit->root_fd = openat(audit->proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (audit->root_fd < 0)
		return lcx__fail_sys(err, errno, "open the root of container '%s'",
				     lcx__container_display(audit->c));
	audit->mounts = lcx__audit_read(audit, "mountinfo");
	return audit->mounts ? 0
			     : lcx__fail(err, ESRCH, "container '%s' has just ended",
					 lcx__container_display(audit->c));
}

static int (*const parts[])(struct audit *audit, struct lcx_error **err) = {
	lcx__audit_namespaces, lcx__audit_process, lcx__audit_mounts,
	lcx__audit_paths,      lcx__audit_devices, lcx__audit_sysctls,
};

LCX_PUBLIC int lcx_container_audit(struct lcx_container *c, char **ret, struct lcx_error **err)
{
	CLEANUP(audit_clear)
	struct audit audit = {
		.c = c,
		.proc_fd = -1,
		.root_fd = -1,
		.json = json_object_new_object(),
		.weaker = json_object_new_array(),
	};
	char *text;
	int r = lcx__container_load_spec(c, err);

	if (!audit.json || !audit.weaker)
		return lcx__fail_nomem(err);
	if (r == 0)
		r = open_process(&audit, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](&audit, err);
	if (r < 0)
		return r;
	(void)json_object_object_add(audit.json, "weaker", TAKE_PTR(audit.weaker));
	text = lcx__json_print(audit.json);
	if (!text)
		return lcx__fail_nomem(err);
	*ret = text;
	return 0;
}
