/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host-calls.h"

static struct lcx_seccomp *seccomp;

static int look_up_names(struct world *w, struct lcx_error **err)
{
	uint64_t mask;

	(void)w;
	for (int32_t number = -1; number <= lcx_capability_last() + 1; number++)
		(void)lcx_capability_name(number);
	for (int32_t number = -1; number < 20; number++)
		(void)lcx_rlimit_name(number);
	(void)lcx_capability_number("CAP_KILL"), (void)lcx_rlimit_number("RLIMIT_NOFILE");
	for (size_t i = 0; i < 100; i++)
		(void)lcx_default_masked_path(i), (void)lcx_default_readonly_path(i);
	(void)lcx_capability_default_mask();
	MUST(lcx_capability_mask("CAP_KILL,CAP_CHOWN", &mask, err));
	REFUSED(lcx_capability_mask("CAP_NOTHING", &mask, err));
	return 0;
}

static int look_up_a_user(struct world *w, struct lcx_error **err)
{
	struct lcx_user *user = NULL;
	int root_fd = open(w->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = lcx_user_lookup(root_fd, "user", &user, err);

	close(root_fd);
	MUST(r);
	(void)lcx_user_uid(user), (void)lcx_user_gid(user);
	(void)lcx_user_name(user), (void)lcx_user_home(user);
	for (size_t i = 0; i < lcx_user_group_count(user); i++)
		(void)lcx_user_group(user, i);
	lcx_user_free(user);
	return 0;
}

static int look_up_nobody(struct world *w, struct lcx_error **err)
{
	struct lcx_user *user = NULL;
	int root_fd = open(w->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);

	REFUSED(lcx_user_lookup(root_fd, "no-such-user", &user, err));
	REFUSED(lcx_user_lookup(w->dir_fd, "user", &user, err));
	close(root_fd);
	return 0;
}

static int make_seccomp(struct world *w, struct lcx_error **err)
{
	static const char text[] = "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": []}";
	struct lcx_seccomp *own = NULL, *copy = NULL;

	(void)w;
	MUST(lcx_seccomp_default(&seccomp, err));
	MUST(lcx_seccomp_from_json(text, sizeof(text) - 1, &own, err));
	MUST(lcx_seccomp_dup(own, &copy, err));
	MUST(lcx_seccomp_allow(seccomp, "bpf", err));
	MUST(lcx_seccomp_deny(seccomp, "chmod", 1, err));
	(void)lcx_landlock_abi();
	MUST(lcx_seccomp_notify(seccomp, "mount", err));
	MUST(lcx_seccomp_add_flag(seccomp, "SECCOMP_FILTER_FLAG_LOG", err));
	MUST(lcx_seccomp_set_listener(seccomp, "/run/listener", "data", err));
	REFUSED(lcx_seccomp_notify(seccomp, "sendmsg", err));
	REFUSED(lcx_seccomp_allow(seccomp, "", err));
	lcx_seccomp_free(copy);
	lcx_seccomp_free(own);
	REFUSED(lcx_seccomp_from_json("[]", 2, &own, err));
	return 0;
}

static int compile_seccomp(struct world *w, struct lcx_error **err)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	int r = lcx_has_feature("seccomp") ? lcx_seccomp_export(seccomp, 0, fd, err) : 0;

	(void)w;
	close(fd);
	return r;
}

/* A pipe without a reader would raise SIGPIPE. */
static int compile_seccomp_for_nobody(struct world *w, struct lcx_error **err)
{
	int ends[2] = {-1, -1};

	(void)w;
	REFUSED(lcx_seccomp_export(seccomp, 0, -1, err));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[0]);
	REFUSED(lcx_seccomp_export(seccomp, 0, ends[1], err));
	close(ends[1]);
	seccomp = lcx_seccomp_free(seccomp);
	return 0;
}

const struct row rows_security[] = {
	ROW(look_up_names, RELEASED),
	ROW(look_up_a_user, RELEASED),
	ROW(look_up_nobody, RELEASED),
	ROW(make_seccomp, HELD),
	ROW(compile_seccomp, HELD),
	ROW(compile_seccomp_for_nobody, RELEASED),
	{0},
};
