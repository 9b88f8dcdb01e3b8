/* SPDX-License-Identifier: MIT */
#include "spec/mount.h"

#include <string.h>
#include <sys/mount.h>

#include "util/str.h"
#include "util/sys.h"

/* Names in C libraries are younger than the flags. */
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif
#ifndef MS_LAZYTIME
#define MS_LAZYTIME (1 << 25)
#endif

#define ATTR(x)     SYS_MOUNT_ATTR_##x
#define ATIME_FLAGS (MS_NOATIME | MS_RELATIME | MS_STRICTATIME)

/* mount(2) takes one page. */
enum { MAX_DATA = 4095 };

enum kind {
	FLAG,
	RECURSIVE,
	PROPAGATION,
	IDMAP,
	TMPCOPYUP,
};

/*
 * What an option sets and what it clears, in mount(2)'s words and in
 * mount_setattr(2)'s. The access time is one field of three values there, to be
 * cleared as a whole; relatime, which the kernel takes when nothing is said, is its zero.
 */
static const struct option {
	const char *name;
	enum kind kind;
	uint64_t set, clear;
	uint64_t attr_set, attr_clear;
} options[] = {
	{"defaults", FLAG, 0, 0, 0, 0},
	{"ro", FLAG, MS_RDONLY, 0, ATTR(RDONLY), 0},
	{"rw", FLAG, 0, MS_RDONLY, 0, ATTR(RDONLY)},
	{"nosuid", FLAG, MS_NOSUID, 0, ATTR(NOSUID), 0},
	{"suid", FLAG, 0, MS_NOSUID, 0, ATTR(NOSUID)},
	{"nodev", FLAG, MS_NODEV, 0, ATTR(NODEV), 0},
	{"dev", FLAG, 0, MS_NODEV, 0, ATTR(NODEV)},
	{"noexec", FLAG, MS_NOEXEC, 0, ATTR(NOEXEC), 0},
	{"exec", FLAG, 0, MS_NOEXEC, 0, ATTR(NOEXEC)},
	{"nosymfollow", FLAG, MS_NOSYMFOLLOW, 0, ATTR(NOSYMFOLLOW), 0},
	{"symfollow", FLAG, 0, MS_NOSYMFOLLOW, 0, ATTR(NOSYMFOLLOW)},
	{"nodiratime", FLAG, MS_NODIRATIME, 0, ATTR(NODIRATIME), 0},
	{"diratime", FLAG, 0, MS_NODIRATIME, 0, ATTR(NODIRATIME)},
	{"noatime", FLAG, MS_NOATIME, ATIME_FLAGS & ~MS_NOATIME, ATTR(NOATIME), ATTR(_ATIME)},
	{"atime", FLAG, 0, MS_NOATIME, 0, ATTR(_ATIME)},
	{"relatime", FLAG, MS_RELATIME, ATIME_FLAGS & ~MS_RELATIME, 0, ATTR(_ATIME)},
	{"norelatime", FLAG, 0, MS_RELATIME, 0, ATTR(_ATIME)},
	{"strictatime", FLAG, MS_STRICTATIME, ATIME_FLAGS & ~MS_STRICTATIME, ATTR(STRICTATIME),
	 ATTR(_ATIME)},
	{"nostrictatime", FLAG, 0, MS_STRICTATIME, 0, ATTR(_ATIME)},

	/* Of the file system, not of the mount: mount_setattr(2) has no words for them. */
	{"sync", FLAG, MS_SYNCHRONOUS, 0, 0, 0},
	{"async", FLAG, 0, MS_SYNCHRONOUS, 0, 0},
	{"dirsync", FLAG, MS_DIRSYNC, 0, 0, 0},
	{"lazytime", FLAG, MS_LAZYTIME, 0, 0, 0},
	{"nolazytime", FLAG, 0, MS_LAZYTIME, 0, 0},
	{"iversion", FLAG, MS_I_VERSION, 0, 0, 0},
	{"noiversion", FLAG, 0, MS_I_VERSION, 0, 0},
	{"mand", FLAG, MS_MANDLOCK, 0, 0, 0},
	{"nomand", FLAG, 0, MS_MANDLOCK, 0, 0},
	{"silent", FLAG, MS_SILENT, 0, 0, 0},
	{"loud", FLAG, 0, MS_SILENT, 0, 0},

	{"bind", FLAG, MS_BIND, 0, 0, 0},
	{"rbind", FLAG, MS_BIND | MS_REC, 0, 0, 0},
	{"remount", FLAG, MS_REMOUNT, 0, 0, 0},

	{"rro", RECURSIVE, 0, 0, ATTR(RDONLY), 0},
	{"rrw", RECURSIVE, 0, 0, 0, ATTR(RDONLY)},
	{"rnosuid", RECURSIVE, 0, 0, ATTR(NOSUID), 0},
	{"rsuid", RECURSIVE, 0, 0, 0, ATTR(NOSUID)},
	{"rnodev", RECURSIVE, 0, 0, ATTR(NODEV), 0},
	{"rdev", RECURSIVE, 0, 0, 0, ATTR(NODEV)},
	{"rnoexec", RECURSIVE, 0, 0, ATTR(NOEXEC), 0},
	{"rexec", RECURSIVE, 0, 0, 0, ATTR(NOEXEC)},
	{"rnosymfollow", RECURSIVE, 0, 0, ATTR(NOSYMFOLLOW), 0},
	{"rsymfollow", RECURSIVE, 0, 0, 0, ATTR(NOSYMFOLLOW)},
	{"rnodiratime", RECURSIVE, 0, 0, ATTR(NODIRATIME), 0},
	{"rdiratime", RECURSIVE, 0, 0, 0, ATTR(NODIRATIME)},
	{"rnoatime", RECURSIVE, 0, 0, ATTR(NOATIME), ATTR(_ATIME)},
	{"ratime", RECURSIVE, 0, 0, 0, ATTR(_ATIME)},
	{"rrelatime", RECURSIVE, 0, 0, 0, ATTR(_ATIME)},
	{"rnorelatime", RECURSIVE, 0, 0, 0, ATTR(_ATIME)},
	{"rstrictatime", RECURSIVE, 0, 0, ATTR(STRICTATIME), ATTR(_ATIME)},
	{"rnostrictatime", RECURSIVE, 0, 0, 0, ATTR(_ATIME)},

	{"shared", PROPAGATION, MS_SHARED, 0, 0, 0},
	{"rshared", PROPAGATION, MS_SHARED | MS_REC, 0, 0, 0},
	{"slave", PROPAGATION, MS_SLAVE, 0, 0, 0},
	{"rslave", PROPAGATION, MS_SLAVE | MS_REC, 0, 0, 0},
	{"private", PROPAGATION, MS_PRIVATE, 0, 0, 0},
	{"rprivate", PROPAGATION, MS_PRIVATE | MS_REC, 0, 0, 0},
	{"unbindable", PROPAGATION, MS_UNBINDABLE, 0, 0, 0},
	{"runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC, 0, 0, 0},

	{"idmap", IDMAP, LCX__IDMAP_MOUNT, 0, 0, 0},
	{"ridmap", IDMAP, LCX__IDMAP_RECURSIVE, 0, 0, 0},
	{"tmpcopyup", TMPCOPYUP, 0, 0, 0, 0},
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

/* (old & ~clr) | set is how the kernel reads the pair, so a bit may stand in both. */
static void apply_attributes(const struct option *option, uint64_t *set, uint64_t *clr)
{
	*set = (*set & ~option->attr_clear) | option->attr_set;
	*clr |= option->attr_clear;
}

static int apply(const struct option *option, struct lcx__mount_options *ret,
		 struct lcx_error **err)
{
	switch (option->kind) {
	case FLAG:
		ret->flags = (ret->flags & ~option->clear) | option->set;
		ret->flags_clear = (ret->flags_clear & ~option->set) | option->clear;
		apply_attributes(option, &ret->attr_set, &ret->attr_clr);
		return 0;
	case RECURSIVE:
		apply_attributes(option, &ret->rattr_set, &ret->rattr_clr);
		return 0;
	case PROPAGATION:
		if (ret->n_propagation == LCX__MAX_PROPAGATION)
			return lcx__fail(err, EINVAL, "more than %d kinds of propagation",
					 LCX__MAX_PROPAGATION);
		ret->propagation[ret->n_propagation++] = option->set;
		return 0;
	case IDMAP:
		ret->idmap = (enum lcx__idmap)option->set;
		return 0;
	case TMPCOPYUP:
		ret->tmpcopyup = true;
		return 0;
	}
	return 0;
}

static int take(const char *text, struct lcx__mount_options *ret, struct lcx__strbuf *data,
		struct lcx_error **err)
{
	const struct option *option = find_option(text);

	if (option)
		return apply(option, ret, err);
	if (text[0] == '\0')
		return lcx__fail(err, EINVAL, "an option is empty");
	if (data->length > 0)
		lcx__strbuf_add(data, ",", 1);
	lcx__strbuf_adds(data, text);
	return 0;
}

/* What a bind mount cannot have: its file system has it or has it not. */
static const struct {
	uint64_t flag;
	const char *name;
} of_file_systems[] = {
	{MS_SYNCHRONOUS, "sync"},   {MS_DIRSYNC, "dirsync"}, {MS_LAZYTIME, "lazytime"},
	{MS_I_VERSION, "iversion"}, {MS_MANDLOCK, "mand"},
};

/*
 * Of tmpfs(5): how one is made. The file system of a bind mount is there already, and mount(2), to
 * which the specification refers, ignores them; so they are for whoever writes the same for both.
 * All others may be something to rely on, as "idmap=" and "context=" are.
 */
static bool only_makes_tmpfs(const char *data)
{
	static const char *const makes[] = {
		"size=", "nr_blocks=", "nr_inodes=", "mode=", "uid=", "gid=", "huge=", "mpol="};
	size_t i = 0;

	for (; *data && i < ARRAY_SIZE(makes); data += strcspn(data, ",")) {
		data += *data == ',';
		for (i = 0; i < ARRAY_SIZE(makes); i++)
			if (strncmp(data, makes[i], strlen(makes[i])) == 0)
				break;
	}
	return i < ARRAY_SIZE(makes);
}

int lcx__mount_options_check_bind(const struct lcx__mount_options *o, struct lcx_error **err)
{
	if (o->data && !only_makes_tmpfs(o->data))
		return lcx__fail(err, EINVAL, "'%.64s' is no option of a bind mount", o->data);
	for (size_t i = 0; i < ARRAY_SIZE(of_file_systems); i++)
		if (o->flags & of_file_systems[i].flag)
			return lcx__fail(err, EINVAL,
					 "'%s' is of a file system, and not of a bind mount of it",
					 of_file_systems[i].name);
	if (o->tmpcopyup)
		return lcx__fail(err, EINVAL,
				 "'tmpcopyup' goes with tmpfs only, not with a bind mount");
	return 0;
}

static int check_together(const struct lcx__mount_options *o, struct lcx_error **err)
{
	if (o->data && strlen(o->data) > MAX_DATA)
		return lcx__fail(err, EINVAL, "options of more than %d bytes", MAX_DATA);
	return o->flags & MS_BIND ? lcx__mount_options_check_bind(o, err) : 0;
}

int lcx__mount_options_parse(const char *const *texts, struct lcx__mount_options *ret,
			     struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf data = STRBUF_EMPTY;
	struct lcx__mount_options parsed = {0};
	int r;

	for (; texts && *texts; texts++) {
		r = take(*texts, &parsed, &data, err);
		if (r < 0)
			return r;
	}
	if (data.failed)
		return lcx__fail_nomem(err);
	parsed.data = data.text;
	r = check_together(&parsed, err);
	if (r < 0)
		return r;
	data = STRBUF_EMPTY; /* the text has moved */
	*ret = parsed;
	return 0;
}
