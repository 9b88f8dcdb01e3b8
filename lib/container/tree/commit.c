/* SPDX-License-Identifier: MIT */
/*
 * The read-write layer as a layer of an image. overlayfs keeps there what was added and
 * changed, and marks for the rest; an archive of the OCI's has other marks for the same:
 * ".wh.NAME" for a deletion, ".wh..wh..opq" in a directory that hides the one below. The
 * bytes depend on nothing but the files: names come sorted, marks have no owner and no
 * time, and each file that has several names is written where the first of them is.
 */
#include "container/tree/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "image/build.h"
#include "image/change.h"
#include "ns/users.h"
#include "util/json.h"

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"

struct lcx_commit {
	struct lcx_container *c;
	char *author, *message, *compression;
	char **changes;
	bool keep_running;
	int64_t created_ns; /* 0: now */
};

DEFINE_CLEANUP(struct lcx_commit *, lcx_commit_free)

LCX_PUBLIC int lcx_commit_new(struct lcx_container *c, struct lcx_commit **ret,
			      struct lcx_error **err)
{
	CLEANUP(lcx_commit_freep) struct lcx_commit *commit = calloc(1, sizeof(*commit));

	if (!commit)
		return lcx__fail_nomem(err);
	commit->c = c;
	commit->changes = lcx__strv_copy(NULL);
	commit->compression = strdup("gzip");
	if (!commit->changes || !commit->compression)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(commit);
	return 0;
}

LCX_PUBLIC struct lcx_commit *lcx_commit_free(struct lcx_commit *commit)
{
	if (!commit)
		return NULL;
	free(commit->author);
	free(commit->message);
	free(commit->compression);
	(void)lcx__strv_free(commit->changes);
	free(commit);
	return NULL;
}

static int replace(char **place, const char *text, struct lcx_error **err)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return lcx__fail_nomem(err);
	free(*place);
	*place = copy;
	return 0;
}

LCX_PUBLIC int lcx_commit_set_author(struct lcx_commit *commit, const char *author,
				     struct lcx_error **err)
{
	return replace(&commit->author, author, err);
}

LCX_PUBLIC int lcx_commit_set_message(struct lcx_commit *commit, const char *message,
				      struct lcx_error **err)
{
	return replace(&commit->message, message, err);
}

LCX_PUBLIC int lcx_commit_set_compression(struct lcx_commit *commit, const char *compression,
					  struct lcx_error **err)
{
	return replace(&commit->compression, compression ? compression : "gzip", err);
}

LCX_PUBLIC int lcx_commit_add_change(struct lcx_commit *commit, const char *instruction,
				     struct lcx_error **err)
{
	/* Tried on nothing: what is wrong with it is told here. */
	CLEANUP(lcx__json_putp) struct json_object *nothing = json_object_new_object();
	struct lcx__change change = {nothing, false};
	int r = nothing ? lcx__change_apply(&change, instruction, err) : lcx__fail_nomem(err);

	if (r == 0 && lcx__strv_append(&commit->changes, instruction) < 0)
		r = lcx__fail_nomem(err);
	return r;
}

LCX_PUBLIC void lcx_commit_set_pause(struct lcx_commit *commit, int32_t pause)
{
	commit->keep_running = pause == 0;
}

LCX_PUBLIC void lcx_commit_set_created_ns(struct lcx_commit *commit, int64_t created_ns)
{
	commit->created_ns = created_ns;
}

/* ---- the layer ---------------------------------------------------------- */

struct layer {
	struct lcx_overlay_diff *diff;
	struct lcx__container_ids ids;
	struct lcx__links links;
	const struct lcx__byte_sink *bytes;
	struct lcx__entry_sink entries;
};

static void layer_clear(struct layer *layer)
{
	(void)lcx_overlay_diff_free(layer->diff);
	lcx__container_ids_clear(&layer->ids);
	lcx__links_clear(&layer->links);
}

static int add_mark(const struct layer *layer, const char *path, size_t dir_length,
		    const char *prefix, const char *name, struct lcx_error **err)
{
	CLEANUP(freep)
	char *mark = lcx__format("%.*s%s%s%s", (int)dir_length, path, dir_length ? "/" : "", prefix,
				 name);
	const struct lcx__tar_entry entry = {.path = mark, .mode = S_IFREG | 0600};

	return mark ? lcx__tar_write(layer->bytes, &entry, NULL, err) : lcx__fail_nomem(err);
}

static int add_deletion(const struct layer *layer, const char *path, const char *name,
			struct lcx_error **err)
{
	return add_mark(layer, path, name == path ? 0 : (size_t)(name - path - 1), WHITEOUT, name,
			err);
}

/* What an archive can't say, or what would be something else to whoever reads it. */
static int check_entry(const struct layer *layer, const char *path, const char *name,
		       struct lcx_error **err)
{
	if (strncmp(name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return lcx__fail(err, EINVAL,
				 "'/%s': in an image, a name that begins with %s is a deletion; "
				 "rename or remove it",
				 path, WHITEOUT);
	if (lcx_overlay_diff_is_metacopy(layer->diff) || lcx_overlay_diff_redirect(layer->diff)[0])
		return lcx__fail(err, EOPNOTSUPP,
				 "'/%s': overlayfs keeps it by reference to the image", path);
	return 0;
}

static int add_change(struct layer *layer, struct lcx_error **err)
{
	const char *path = lcx_overlay_diff_path(layer->diff), *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP(closep) int fd = -1;
	int r;

	if (lcx_overlay_diff_kind(layer->diff) == LCX_OVERLAY_DELETED)
		return add_deletion(layer, path, name, err);
	r = check_entry(layer, path, name, err);
	if (r < 0)
		return r;
	fd = lcx__overlay_diff_open(layer->diff);
	if (fd == -ENOENT) /* gone, as it was not paused */
		return 0;
	if (fd < 0)
		return lcx__fail_sys(err, -fd, "open '/%s'", path);
	r = lcx__pack_file(fd, path, &layer->ids.map, &layer->links, &layer->entries, err);
	/* One that hides nothing needs no mark: the kernel sets it on more than that. */
	if (r == 0 && lcx_overlay_diff_is_opaque(layer->diff) &&
	    lcx_overlay_diff_kind(layer->diff) == LCX_OVERLAY_CHANGED)
		r = add_mark(layer, path, strlen(path), "", OPAQUE, err);
	return r;
}

struct writing {
	struct lcx_container *c;
	const struct lcx__byte_sink *bytes;
};

static int write_within(void *data, struct lcx_error **err)
{
	struct lcx_container *c = ((struct writing *)data)->c;
	const struct lcx__byte_sink *bytes = ((struct writing *)data)->bytes;
	CLEANUP(layer_clear)
	struct layer layer = {.bytes = bytes, .entries = lcx__tar_entry_sink(bytes)};
	int r;

	r = lcx__container_ids(c, LCX__IDS_DISK, &layer.ids, err);
	if (r == 0)
		r = lcx__container_changes(c, &layer.diff, err);
	while (r == 0 && (r = lcx_overlay_diff_next(layer.diff, err)) > 0)
		r = add_change(&layer, err);
	return r < 0 ? r : lcx__tar_write_end(bytes, err);
}

static int write_layer(struct lcx_container *c, const struct lcx__byte_sink *bytes,
		       struct lcx_error **err)
{
	struct writing writing = {c, bytes};

	return lcx__users_within(c->ctx, false, write_within, &writing, err);
}

/* ---- the configuration -------------------------------------------------- */

static bool image_has(const struct lcx_image *image, const char *assignment, bool same_value)
{
	size_t length = same_value ? strlen(assignment) + 1 : strcspn(assignment, "=") + 1;

	for (const char *const *env = lcx_image_env(image); *env; env++)
		if (strncmp(*env, assignment, length) == 0)
			return true;
	return false;
}

/* What this library gave to the process is not the image's, unless it had it. */
static bool is_given(const char *assignment)
{
	static const char *const given[] = {
		"HOME=", "HOSTNAME=", "TERM=", ("PATH=" LCX__DEFAULT_PATH)};

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (strncmp(assignment, given[i], strlen(given[i])) == 0)
			return true;
	return false;
}

static int take_environment(const struct lcx_container *c, const struct lcx_image *image,
			    struct json_object *config)
{
	for (char **env = c->spec->process.env; env && *env; env++)
		if (!image_has(image, *env, true) &&
		    (image_has(image, *env, false) || !is_given(*env)) &&
		    lcx__change_set_env(config, *env) < 0)
			return -ENOMEM;
	return 0;
}

static int take_labels(const struct lcx_container *c, struct json_object *config)
{
	struct json_object *labels = c->d.labels.n ? lcx__change_member(config, "Labels") : NULL;

	if (c->d.labels.n && !labels)
		return -ENOMEM;
	for (size_t i = 0; i < c->d.labels.n; i++)
		if (lcx__change_set_text(labels, c->d.labels.items[i].key,
					 c->d.labels.items[i].value) < 0)
			return -ENOMEM;
	return 0;
}

/* As with Docker, the image starts what the container was told to start. */
static int take_words(const struct lcx_container *c, const struct lcx_image *image,
		      struct json_object *config)
{
	const char *cwd = c->spec->process.cwd;
	int r = 0;

	if (c->d.entrypoint) {
		r = lcx__change_set_strings(config, "Entrypoint", c->d.entrypoint);
		if (!c->d.command)
			json_object_object_del(config, "Cmd");
	}
	if (r == 0 && c->d.command)
		r = lcx__change_set_strings(config, "Cmd", c->d.command);
	if (r == 0 && c->d.user)
		r = lcx__change_set_text(config, "User", c->d.user);
	if (r == 0 && cwd && (strcmp(cwd, "/") != 0 || lcx_image_working_dir(image)[0]))
		r = lcx__change_set_text(config, "WorkingDir", cwd);
	return r;
}

static int change_config(const struct lcx_commit *commit, const struct lcx_image *image,
			 struct json_object *config, struct lcx_error **err)
{
	struct lcx__change change = {config, false};
	int r = 0;

	if (!config || take_words(commit->c, image, config) < 0 ||
	    take_environment(commit->c, image, config) < 0 || take_labels(commit->c, config) < 0)
		return lcx__fail_nomem(err);
	for (char **text = commit->changes; r == 0 && *text; text++)
		r = lcx__change_apply(&change, *text, err);
	return r;
}

/* ---- all of it ---------------------------------------------------------- */

static int build(const struct lcx_commit *commit, const struct lcx_image *base, const char *name,
		 struct lcx_error **err)
{
	CLEANUP(lcx__build_freep) struct lcx__build *b = NULL;
	struct lcx_container *c = commit->c;
	const struct lcx__build_words words = {
		.created_ns = commit->created_ns ? commit->created_ns : lcx__now_ns(),
		.created_by = lcx_container_command(c),
		.author = commit->author,
		.message = commit->message,
	};
	bool pause = !commit->keep_running && c->state == LCX_CONTAINER_RUNNING;
	int r;

	r = lcx__build_new(c->ctx, base, commit->compression, &b, err);
	if (r == 0)
		r = change_config(commit, base, lcx__build_config(b), err);
	if (r == 0 && pause)
		r = lcx_container_pause(c, err);
	if (r < 0)
		return r;
	r = write_layer(c, lcx__build_sink(b), err);
	if (pause) {
		int thawed = lcx_container_unpause(c, err);

		/* That it ended meanwhile is nobody's fault. */
		r = r < 0 || thawed == -ESRCH ? r : thawed;
	}
	return r < 0 ? r : lcx__build_commit(b, &words, name, err);
}

LCX_PUBLIC int lcx_commit_run(struct lcx_commit *commit, const char *name, struct lcx_image **ret,
			      struct lcx_error **err)
{
	CLEANUP(lcx_image_freep) struct lcx_image *base = NULL;
	struct lcx_container *c = commit->c;
	int r;

	if (!name)
		return lcx__fail(err, EINVAL, "the image needs a name");
	r = lcx_container_refresh(c, err);
	if (r == 0)
		r = lcx__container_load_spec(c, err);
	if (r == 0 && !c->d.image_id)
		r = lcx__fail(err, EOPNOTSUPP, "it was not made from an image");
	if (r == 0)
		r = lcx_image_open(c->ctx, c->d.image_id, &base, err);
	if (r == 0)
		r = build(commit, base, name, err);
	if (r < 0)
		return lcx__fail_prefix(err, r, "commit container '%s'", lcx__container_display(c));
	return ret ? lcx_image_open(c->ctx, name, ret, err) : 0;
}
