/* SPDX-License-Identifier: MIT */
#include "container/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "util/fs.h"
#include "util/json.h"
#include "util/mountinfo.h"
#include "util/sys.h"

/*
 * What mounts may not do. criu takes several mounts of one source for copies of one another, and
 * gives all but the first the flags of the host's own: a volume that was read-only would come
 * back writable. So the flags are written down, and while the restored processes still stand,
 * what is missing is set again; a mount that doesn't come back at all ends the restore.
 */

enum { MOUNTS_LIMIT = 16 << 20 };
#define FILE_NAME "lcx-mounts.json"

struct kept_mount {
	char *point;
	struct lcx__opt_u64 flags; /* MOUNT_ATTR_... */
};

struct kept_mounts {
	LCX__LIST(struct kept_mount) mounts;
};

static const struct lcx__json_field mount_fields[] = {
	{"point", AS_STRING(struct kept_mount, point), .required = true},
	{"flags", AS_U64(struct kept_mount, flags), .required = true},
	{0},
};

static const struct lcx__json_field fields[] = {
	{"mounts", AS_LIST(struct kept_mounts, mounts), .fields = mount_fields},
	{0},
};

static const struct {
	const char *word;
	uint64_t flag;
} words[] = {
	{"ro", SYS_MOUNT_ATTR_RDONLY},
	{"nosuid", SYS_MOUNT_ATTR_NOSUID},
	{"nodev", SYS_MOUNT_ATTR_NODEV},
	{"noexec", SYS_MOUNT_ATTR_NOEXEC},
	{"nosymfollow", SYS_MOUNT_ATTR_NOSYMFOLLOW},
};

static void kept_mounts_clear(struct kept_mounts *kept)
{
	lcx__json_release(fields, kept);
	*kept = (struct kept_mounts){0};
}

static uint64_t parse(char *options)
{
	uint64_t flags = 0;
	char *word;

	while ((word = strsep(&options, ",")))
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (strcmp(words[i].word, word) == 0)
				flags |= words[i].flag;
	return flags;
}

/* As they are now; of several on one point only the last can be reached. */
static int look(int64_t pid, struct kept_mounts *ret, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	struct lcx__mount_line line;
	char path[64], *rest;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%lld/mountinfo", (long long)pid);
	r = lcx__read_file(AT_FDCWD, path, MOUNTS_LIMIT, &text, NULL);
	if (r < 0)
		return lcx__fail_sys(err, -r, "read '%s'", path);
	rest = text;
	while (lcx__mountinfo_next(&rest, &line)) {
		struct kept_mount *mount = lcx__list_grow(&ret->mounts, sizeof(*mount));

		if (!mount || !(mount->point = strdup(line.point)))
			return lcx__fail_nomem(err);
		mount->flags = (struct lcx__opt_u64)LCX__OPT(parse(line.options));
	}
	return 0;
}

static const struct kept_mount *find(const struct kept_mounts *mounts, const char *point)
{
	for (size_t i = mounts->mounts.n; i > 0; i--)
		if (strcmp(mounts->mounts.items[i - 1].point, point) == 0)
			return &mounts->mounts.items[i - 1];
	return NULL;
}

int lcx__checkpoint_save_flags(const struct lcx_container *c, int dir_fd, struct lcx_error **err)
{
	CLEANUP(kept_mounts_clear) struct kept_mounts kept = {0};
	int r = look(c->run.pid.value, &kept, err);

	if (r < 0)
		return r;
	/* It needs no disk: the images are worth nothing before they are whole. */
	return lcx__record_save(fields, &kept, dir_fd, FILE_NAME, lcx__replace_file, false, err);
}

static int load(int dir_fd, struct kept_mounts *ret, struct lcx_error **err)
{
	int r = lcx__record_load(fields, ret, dir_fd, FILE_NAME, err);

	return r == -ENOENT ? lcx__fail(err, ENOENT,
					"the image path has no '" FILE_NAME
					"': it is no whole checkpoint, "
					"or another runtime's")
			    : r;
}

/* Append what is missing. Return: how many changes, or a negative errno in words. */
static int compare(const struct kept_mounts *kept, const struct kept_mounts *now,
		   struct lcx__plan *plan, struct lcx_error **err)
{
	int n = 0;

	for (size_t i = 0; i < kept->mounts.n; i++) {
		/* Only the last one of those on a point counts. */
		const struct kept_mount *was = find(kept, kept->mounts.items[i].point);
		const struct kept_mount *is = find(now, was->point);
		uint64_t missing = is ? was->flags.value & ~is->flags.value : 0;
		struct plan_op *op;

		if (!is)
			return lcx__fail(err, EIO, "the mount on '%s' did not come back",
					 was->point);
		if (!missing)
			continue;
		op = lcx__plan_add(plan, PLAN_REMOUNT);
		op->str[0] = lcx__plan_string(plan, was->point);
		op->num[0] = missing;
		n++;
	}
	return n;
}

static int enter(struct lcx__plan *plan, int64_t pid, int fds[2], struct lcx_error **err)
{
	static const char *const names[] = {"ns/mnt", "root"};
	struct plan_op *op;
	char path[64];

	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%lld/%s", (long long)pid, names[i]);
		fds[i] = open(path, (i == 0 ? O_RDONLY : O_PATH | O_DIRECTORY) | O_CLOEXEC);
		if (fds[i] < 0)
			return lcx__fail_sys(err, errno, "open '%s'", path);
	}
	(void)lcx__plan_add(plan, PLAN_NONDUMPABLE);
	op = lcx__plan_add(plan, PLAN_SETNS);
	op->fd = lcx__plan_fd(plan, fds[0]);
	op->str[0] = lcx__plan_string(plan, "mount");
	op->num[0] = CLONE_NEWNS;
	lcx__plan_add(plan, PLAN_ENTER_ROOT)->fd = lcx__plan_fd(plan, fds[1]);
	return 0;
}

static int run(const struct lcx__plan *plan, struct lcx_error **err)
{
	CLEANUP(lcx__child_abandonp) struct lcx__child child = LCX__CHILD_NONE;
	struct lcx__launch launch = {.plan = plan, .cgroup_fd = -1, .stdio = {-1, -1, -1}};
	int r = lcx__launch(&launch, &child, err);

	return r == 0 ? lcx__child_receive(&child, NULL, err) : r;
}

static int mend(const struct kept_mounts *kept, int64_t pid, bool again, struct lcx_error **err)
{
	CLEANUP(kept_mounts_clear) struct kept_mounts now = {0};
	CLEANUP(lcx__plan_freep) struct lcx__plan *plan = NULL;
	CLEANUP(closep) int ns_fd = -1, root_fd = -1;
	int fds[2] = {-1, -1}, r = lcx__plan_new(&plan, err);

	if (r == 0)
		r = enter(plan, pid, fds, err);
	ns_fd = fds[0];
	root_fd = fds[1];
	if (r == 0)
		r = look(pid, &now, err);
	if (r == 0)
		r = compare(kept, &now, plan, err);
	if (r <= 0)
		return r;
	if (again)
		return lcx__fail(err, EIO, "the flags of %d mounts can't be restored", r);
	return run(plan, err);
}

int lcx__checkpoint_mend_flags(int dir_fd, int64_t pid, struct lcx_error **err)
{
	CLEANUP(kept_mounts_clear) struct kept_mounts kept = {0};
	int r = load(dir_fd, &kept, err);

	if (r == 0)
		r = mend(&kept, pid, false, err);
	/* Believed when it is seen. */
	return r == 0 ? mend(&kept, pid, true, err) : r;
}
