/* SPDX-License-Identifier: MIT */
#include "container/volume/volume.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "util/fs.h"
#include "util/json.h"

struct lcx_volume {
	struct volume_record record;
	char *path;
};

struct lcx_volume_list {
	struct lcx_volume **items;
	size_t n;
};

static const struct lcx__json_field fields[] = {
	{"name", AS_STRING(struct volume_record, name), .required = true},
	{"labels", AS_STRINGS(struct volume_record, labels)},
	{"anonymous", AS_BOOL(struct volume_record, anonymous)},
	{"madeFor", AS_STRING(struct volume_record, made_for)},
	{"createdNs", AS_I64(struct volume_record, created_ns)},
	{0},
};

int lcx__volumes_lock(const struct lcx_ctx *ctx, int how, int *ret_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fd = lcx__make_dirs(ctx->root_fd, "volumes", 0700);
	int r;

	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open the directory of volumes");
	r = lcx__lock(fd, how);
	if (r < 0)
		return r == -EWOULDBLOCK ? r
					 : lcx__fail_sys(err, -r, "lock the directory of volumes");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* ---- making ---------------------------------------------------------------- */

static int save(const struct volume_record *record, int dir_fd, struct lcx_error **err)
{
	return lcx__record_save(fields, record, dir_fd, "volume.json", lcx__replace_file, true,
				err);
}

static int fill(const struct volume_record *record, int dir_fd, struct lcx_error **err)
{
	CLEANUP(closep) int fresh = -1;

	if (mkdirat(dir_fd, "data", 0755) < 0 || fchmodat(dir_fd, "data", 0755, 0) < 0)
		return lcx__fail_sys(err, errno, "make its directory");
	fresh = openat(dir_fd, "fresh", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fresh < 0)
		return lcx__fail_sys(err, errno, "make 'fresh'");
	return save(record, dir_fd, err);
}

static int make(int volumes_fd, const struct volume_record *record, struct lcx_error **err)
{
	CLEANUP(closep) int dir_fd = -1;
	char temporary[64];
	int r = lcx__temporary_name(temporary);

	if (r < 0)
		return lcx__fail_sys(err, -r, "choose a name");
	if (mkdirat(volumes_fd, temporary, 0700) < 0)
		return lcx__fail_sys(err, errno, "make the volume's directory");
	dir_fd = lcx__open_dir(volumes_fd, temporary);
	r = dir_fd < 0 ? lcx__fail_sys(err, -dir_fd, "open the volume's directory")
		       : fill(record, dir_fd, err);
	/* A directory that has something in it is never replaced: whoever comes first has the name.
	 */
	if (r == 0 && renameat(volumes_fd, temporary, volumes_fd, record->name) < 0)
		r = errno == EEXIST || errno == ENOTEMPTY
			    ? -EEXIST
			    : lcx__fail_sys(err, errno, "commit the volume");
	if (r < 0)
		(void)lcx__remove_tree(volumes_fd, temporary);
	return r;
}

int lcx__volume_make(struct lcx_ctx *ctx, const struct volume_record *record,
		     struct lcx_error **err)
{
	CLEANUP(closep) int volumes_fd = -1;
	int r = lcx__volumes_lock(ctx, LOCK_SH, &volumes_fd, err);

	if (r == 0 && faccessat(volumes_fd, record->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	if (r == 0)
		r = make(volumes_fd, record, err);
	return lcx__fail_prefix(err, r, "volume '%s'", record->name);
}

static int check_labels(const char *const *labels, struct lcx_error **err)
{
	for (; labels && *labels; labels++)
		if (!**labels || **labels == '=')
			return lcx__fail(err, EINVAL, "label '%s' of a volume: must be KEY=VALUE",
					 *labels);
	return 0;
}

static int check_name(const char *name, struct lcx_error **err)
{
	return lcx__name_is_valid(name)
		       ? 0
		       : lcx__fail(err, EINVAL,
				   "'%s' cannot name a volume; use letters, digits, '_', '.', '-'",
				   name);
}

LCX_PUBLIC int lcx_volume_create(struct lcx_ctx *ctx, const char *name, const char *const *labels,
				 struct lcx_volume **ret, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **copy = lcx__strv_copy(labels);
	char id[LCX__ID_SIZE];
	struct volume_record record = {
		.name = (char *)(uintptr_t)(name ? name : id),
		.labels = copy,
		.anonymous = LCX__OPT(!name),
		.created_ns = LCX__OPT(lcx__now_ns()),
	};
	int r = check_labels(labels, err);

	if (r == 0 && name)
		r = check_name(name, err);
	if (r < 0)
		return r;
	if (!copy)
		return lcx__fail_nomem(err);
	r = name ? 0 : lcx__random_id(id);
	if (r < 0)
		return lcx__fail_sys(err, -r, "choose a name");
	r = lcx__volume_make(ctx, &record, err);
	if (r == -EEXIST)
		return lcx__fail(err, EEXIST, "there is a volume '%s' already", record.name);
	return r < 0 || !ret ? r : lcx_volume_open(ctx, record.name, ret, err);
}

/* ---- opening --------------------------------------------------------------- */

static int load(int dir_fd, struct volume_record *ret, struct lcx_error **err)
{
	int r = lcx__record_load(fields, ret, dir_fd, "volume.json", err);

	return r == -ENOENT ? lcx__fail_sys(err, ENOENT, "read 'volume.json'") : r;
}

/* Without words if there is none: -ENOENT. */
static int open_at(struct lcx_ctx *ctx, int volumes_fd, const char *name, struct lcx_volume **ret,
		   struct lcx_error **err)
{
	CLEANUP(lcx_volume_freep) struct lcx_volume *volume = calloc(1, sizeof(*volume));
	CLEANUP(closep) int dir_fd = lcx__open_dir(volumes_fd, name);
	int r;

	if (!volume)
		return lcx__fail_nomem(err);
	if (dir_fd < 0)
		return dir_fd == -ENOENT ? dir_fd
					 : lcx__fail_sys(err, -dir_fd, "open volume '%s'", name);
	r = load(dir_fd, &volume->record, err);
	if (r == 0 && strcmp(volume->record.name, name) != 0)
		r = lcx__fail(err, EUCLEAN, "it is described as another one");
	if (r < 0)
		return lcx__fail_prefix(err, r, "volume '%s'", name);
	volume->path = lcx__format("%s/volumes/%s/data", ctx->root_dir, name);
	if (!volume->path ||
	    (!volume->record.labels && !(volume->record.labels = lcx__strv_copy(NULL))))
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(volume);
	return 0;
}

LCX_PUBLIC int lcx_volume_open(struct lcx_ctx *ctx, const char *name, struct lcx_volume **ret,
			       struct lcx_error **err)
{
	CLEANUP(closep) int volumes_fd = lcx__open_dir(ctx->root_fd, "volumes");
	int r = check_name(name, err);

	if (r < 0)
		return r;
	if (volumes_fd < 0 && volumes_fd != -ENOENT)
		return lcx__fail_sys(err, -volumes_fd, "open the directory of volumes");
	r = volumes_fd < 0 ? volumes_fd : open_at(ctx, volumes_fd, name, ret, err);
	return r == -ENOENT ? lcx__fail(err, ENOENT, "no volume '%s'", name) : r;
}

int lcx__volume_keep(struct lcx_ctx *ctx, const char *name, struct lcx_error **err)
{
	CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;
	CLEANUP(closep) int volumes_fd = -1, dir_fd = -1;
	int r;

	if (!lcx__name_is_valid(name))
		return 0; /* of a damaged record: there is no such volume */
	r = lcx__volumes_lock(ctx, LOCK_SH, &volumes_fd, err);
	if (r == 0)
		r = open_at(ctx, volumes_fd, name, &volume, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (!volume->record.made_for)
		return 0;
	dir_fd = lcx__open_dir(volumes_fd, name);
	free(TAKE_PTR(volume->record.made_for));
	return dir_fd < 0 ? lcx__fail_sys(err, -dir_fd, "open volume '%s'", name)
			  : save(&volume->record, dir_fd, err);
}

const struct volume_record *lcx__volume_record(const struct lcx_volume *volume)
{
	return &volume->record;
}

LCX_PUBLIC const char *lcx_volume_name(const struct lcx_volume *volume)
{
	return volume->record.name;
}

LCX_PUBLIC const char *lcx_volume_path(const struct lcx_volume *volume)
{
	return volume->path;
}

LCX_PUBLIC const char *const *lcx_volume_labels(const struct lcx_volume *volume)
{
	return (const char *const *)volume->record.labels;
}

LCX_PUBLIC int64_t lcx_volume_created_ns(const struct lcx_volume *volume)
{
	return volume->record.created_ns.value;
}

LCX_PUBLIC int32_t lcx_volume_is_anonymous(const struct lcx_volume *volume)
{
	return volume->record.anonymous.value;
}

LCX_PUBLIC struct lcx_volume *lcx_volume_free(struct lcx_volume *volume)
{
	if (!volume)
		return NULL;
	lcx__json_release(fields, &volume->record);
	free(volume->path);
	free(volume);
	return NULL;
}

/* ---- all ------------------------------------------------------------------- */

struct lcx_volume_list *lcx__volume_list_new(void)
{
	return calloc(1, sizeof(struct lcx_volume_list));
}

int lcx__volume_list_add(struct lcx_volume_list *list, struct lcx_volume **volume)
{
	struct lcx_volume **bigger =
		realloc(list->items, (list->n + 1) * sizeof(struct lcx_volume *));

	if (!bigger)
		return -ENOMEM;
	list->items = bigger;
	bigger[list->n++] = TAKE_PTR(*volume);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct lcx_volume *const *x = a, *const *y = b;

	return strcmp((*x)->record.name, (*y)->record.name);
}

/* One that was removed meanwhile is not there; one that can't be read is a failure. */
static int add_all(struct lcx_ctx *ctx, int volumes_fd, struct lcx_volume_list *list,
		   struct lcx_error **err)
{
	CLEANUP(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = lcx__read_dir(volumes_fd, ".", &dir);

	if (r < 0)
		return lcx__fail_sys(err, -r, "list the directory of volumes");
	while ((entry = lcx__next_entry(dir))) {
		CLEANUP(lcx_volume_freep) struct lcx_volume *volume = NULL;

		if (!lcx__name_is_valid(entry->d_name))
			continue;
		r = open_at(ctx, volumes_fd, entry->d_name, &volume, err);
		if (r < 0 && r != -ENOENT)
			return r;
		if (r == 0 && lcx__volume_list_add(list, &volume) < 0)
			return lcx__fail_nomem(err);
	}
	return 0;
}

LCX_PUBLIC int lcx_volume_list_new(struct lcx_ctx *ctx, struct lcx_volume_list **ret,
				   struct lcx_error **err)
{
	CLEANUP(lcx_volume_list_freep) struct lcx_volume_list *list = lcx__volume_list_new();
	CLEANUP(closep) int volumes_fd = lcx__open_dir(ctx->root_fd, "volumes");
	int r = 0;

	if (!list)
		return lcx__fail_nomem(err);
	if (volumes_fd < 0 && volumes_fd != -ENOENT)
		return lcx__fail_sys(err, -volumes_fd, "open the directory of volumes");
	if (volumes_fd >= 0)
		r = add_all(ctx, volumes_fd, list, err);
	if (r < 0)
		return r;
	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), by_name);
	*ret = TAKE_PTR(list);
	return 0;
}

LCX_PUBLIC size_t lcx_volume_list_count(const struct lcx_volume_list *list)
{
	return list->n;
}

LCX_PUBLIC const struct lcx_volume *lcx_volume_list_get(const struct lcx_volume_list *list,
							size_t index)
{
	return index < list->n ? list->items[index] : NULL;
}

LCX_PUBLIC struct lcx_volume_list *lcx_volume_list_free(struct lcx_volume_list *list)
{
	if (!list)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		lcx_volume_free(list->items[i]);
	free(list->items);
	free(list);
	return NULL;
}
