/* SPDX-License-Identifier: MIT */
/* Images out of archives: all of one (lcx_load), or one of them (lcx_image_import). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "image/image.h"
#include "image/offer.h"
#include "image/registries.h"
#include "util/str.h"

struct lcx_load {
	struct lcx_ctx *ctx;
	struct lcx__store *store;
	struct lcx__pin *pin; /* whose directory takes the archive, if it must be copied */
	struct lcx__bundle *bundle;
	struct lcx__offers offers;
	bool listed;
	size_t at;
	struct lcx__intake *intake;
	char **names, **ids; /* of what is in the store, one for each name */
	uint64_t done_bytes, total_bytes;
	int result; /* of the step that failed: none may pass over what it has left out */
};

DEFINE_CLEANUP(struct lcx_load *, lcx_load_free)

LCX_PUBLIC int lcx_load_new(struct lcx_ctx *ctx, int fd, struct lcx_load **ret,
			    struct lcx_error **err)
{
	CLEANUP(lcx_load_freep) struct lcx_load *load = calloc(1, sizeof(*load));
	int r;

	if (!load)
		return lcx__fail_nomem(err);
	load->ctx = ctx;
	load->names = lcx__strv_copy(NULL);
	load->ids = lcx__strv_copy(NULL);
	if (!load->names || !load->ids)
		return lcx__fail_nomem(err);
	r = lcx__store_open(ctx, &load->store, err);
	if (r == 0)
		r = lcx__pin_new(load->store, &load->pin, err);
	if (r == 0)
		r = lcx__bundle_of_tar(ctx, "the archive", fd, load->pin->tmp_fd, &load->bundle,
				       err);
	if (r == 0)
		*ret = TAKE_PTR(load);
	return r;
}

LCX_PUBLIC struct lcx_load *lcx_load_free(struct lcx_load *load)
{
	if (!load)
		return NULL;
	(void)lcx__intake_free(load->intake);
	lcx__offers_clear(&load->offers);
	(void)lcx__bundle_free(load->bundle);
	(void)lcx__pin_free(load->pin);
	(void)lcx__store_free(load->store);
	(void)lcx__strv_free(load->names);
	(void)lcx__strv_free(load->ids);
	free(load);
	return NULL;
}

/* An image that nothing names would be swept away again. */
static int list(struct lcx_load *load, struct lcx_error **err)
{
	int r = lcx__archive_offers(load->bundle, &load->offers, err);

	if (r == -ENOENT)
		return lcx__fail_prefix(err, r, "not an archive of images for this machine");
	for (size_t i = 0; r == 0 && i < load->offers.n; i++)
		if (!load->offers.items[i].names || !load->offers.items[i].names[0])
			r = lcx__fail(err, EINVAL,
				      "an image of the archive has no name%s%.100s%s; import that "
				      "one and give it one",
				      load->offers.items[i].ref_name ? " but '" : "",
				      load->offers.items[i].ref_name
					      ? load->offers.items[i].ref_name
					      : "",
				      load->offers.items[i].ref_name ? "'" : "");
	load->listed = r == 0;
	return r;
}

static int commit(struct lcx_load *load, struct lcx_error **err)
{
	char **names = load->offers.items[load->at].names;
	uint64_t done, total;
	int r = 0;

	for (; r == 0 && *names; names++) {
		r = lcx__intake_commit(load->intake, *names, err);
		if (r == 0 && (lcx__strv_append(&load->names, *names) < 0 ||
			       lcx__strv_append(&load->ids, lcx__intake_id(load->intake)) < 0))
			r = lcx__fail_nomem(err);
	}
	lcx__intake_progress(load->intake, &done, &total);
	load->done_bytes += total;
	load->total_bytes += total;
	load->intake = lcx__intake_free(load->intake);
	load->at++;
	return r;
}

static int step_image(struct lcx_load *load, struct lcx_error **err)
{
	const struct lcx__offer *offer = &load->offers.items[load->at];
	int r = 0;

	if (!load->intake)
		r = lcx__intake_new(load->ctx, load->bundle, offer, &load->intake, err);
	if (r == 0)
		r = lcx__intake_step(load->intake, err);
	if (r == 0)
		r = commit(load, err);
	return r < 0 ? lcx__fail_prefix(err, r, "load '%s'", offer->names[0]) : 1;
}

static int step(struct lcx_load *load, struct lcx_error **err)
{
	int r;

	if (load->result < 0)
		return lcx__fail(err, -load->result, "load: it has failed before");
	if (load->listed)
		return load->at < load->offers.n ? step_image(load, err) : 0;
	r = lcx__bundle_step(load->bundle, err);
	if (r == 0)
		r = list(load, err);
	return r < 0 ? r : 1;
}

LCX_PUBLIC int lcx_load_step(struct lcx_load *load, struct lcx_error **err)
{
	int r = step(load, err);

	load->result = r < 0 ? r : 0;
	return lcx__fail_stage(err, r, "image");
}

LCX_PUBLIC int lcx_load_run(struct lcx_load *load, struct lcx_error **err)
{
	int r;

	while ((r = lcx_load_step(load, err)) > 0)
		;
	return r;
}

LCX_PUBLIC uint64_t lcx_load_done_bytes(const struct lcx_load *load)
{
	uint64_t done = 0, total = 0;

	if (load->intake)
		lcx__intake_progress(load->intake, &done, &total);
	return load->done_bytes + done;
}

LCX_PUBLIC uint64_t lcx_load_total_bytes(const struct lcx_load *load)
{
	uint64_t done = 0, total = 0;

	if (load->intake)
		lcx__intake_progress(load->intake, &done, &total);
	return load->total_bytes + total;
}

LCX_PUBLIC size_t lcx_load_count(const struct lcx_load *load)
{
	return lcx__strv_length(load->names);
}

LCX_PUBLIC const char *lcx_load_name(const struct lcx_load *load, size_t index)
{
	return index < lcx_load_count(load) ? load->names[index] : NULL;
}

LCX_PUBLIC const char *lcx_load_id(const struct lcx_load *load, size_t index)
{
	return index < lcx_load_count(load) ? load->ids[index] : NULL;
}

/* ---- one of them -------------------------------------------------------- */

/* @ref is written as the layout has it, or names the image in full or short. */
static bool is_called(const struct lcx__offer *offer, const char *ref)
{
	struct lcx__offer wanted = {0};
	bool found = offer->ref_name && strcmp(offer->ref_name, ref) == 0;

	if (!found && lcx__offer_add_name(&wanted, ref, NULL) == 0)
		for (char **name = offer->names; name && *name; name++)
			found |= strcmp(*name, wanted.names[0]) == 0;
	(void)lcx__strv_free(wanted.names);
	return found;
}

static int choose(const struct lcx__offers *offers, const char *what, const char *ref,
		  const struct lcx__offer **ret, struct lcx_error **err)
{
	const struct lcx__offer *found = NULL;

	for (size_t i = 0; i < offers->n; i++) {
		const struct lcx__offer *offer = &offers->items[i];

		if (ref && !is_called(offer, ref))
			continue;
		if (found)
			return lcx__fail(err, ENOTUNIQ,
					 "'%s' has several images%s%s%s; name one of them", what,
					 ref ? " called '" : "", ref ? ref : "", ref ? "'" : "");
		found = offer;
	}
	if (!found)
		return lcx__fail(err, ENOENT, "'%s': no image named '%s' for this machine", what,
				 ref ? ref : "");
	*ret = found;
	return 0;
}

static int open_bundle(struct lcx_ctx *ctx, const char *path, int fd, int scratch_fd,
		       struct lcx__bundle **ret, struct lcx_error **err)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return lcx__fail_sys(err, errno, "'%s'", path);
	if (S_ISDIR(st.st_mode))
		return lcx__bundle_of_dir(path, fd, ret, err);
	r = lcx__bundle_of_tar(ctx, path, fd, scratch_fd, ret, err);
	if (r == 0)
		while ((r = lcx__bundle_step(*ret, err)) > 0)
			;
	return r;
}

/* The name it gets: the caller's, or the only one that the archive has for it. */
static int choose_name(struct lcx_ctx *ctx, const struct lcx__offer *offer, const char *ref,
		       const char *new_name, char **ret, struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *name = NULL;
	const char *wanted = new_name ? new_name : ref;
	int r;

	if (!wanted && offer->names && offer->names[0])
		wanted = offer->names[0];
	if (!wanted)
		return lcx__fail(err, EINVAL, "the image needs a name");
	r = lcx__reference_read(ctx, wanted, &name, err);
	if (r < 0)
		return r;
	if (name->digest.text[0])
		return lcx__fail(err, EINVAL, "'%s': a name with a digest can't be given", wanted);
	*ret = lcx__reference_format(name);
	return *ret ? 0 : lcx__fail_nomem(err);
}

static int import(struct lcx_ctx *ctx, const struct lcx__bundle *bundle, const char *ref,
		  const char *new_name, char **ret_name, struct lcx_error **err)
{
	CLEANUP(lcx__offers_clear) struct lcx__offers offers = {0};
	CLEANUP(lcx__intake_freep) struct lcx__intake *intake = NULL;
	const struct lcx__offer *offer = NULL;
	int r;

	r = lcx__archive_offers(bundle, &offers, err);
	if (r == 0)
		r = choose(&offers, lcx__bundle_what(bundle), ref, &offer, err);
	if (r == 0)
		r = choose_name(ctx, offer, ref, new_name, ret_name, err);
	if (r == 0)
		r = lcx__intake_new(ctx, bundle, offer, &intake, err);
	if (r < 0)
		return r;
	while ((r = lcx__intake_step(intake, err)) > 0)
		;
	if (r == 0)
		r = lcx__intake_commit(intake, *ret_name, err);
	return lcx__fail_prefix(err, r, "import '%s'", *ret_name);
}

/* A name that can't be one is an error before anything is read. */
static int check_name(struct lcx_ctx *ctx, const char *new_name, struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *name = NULL;

	return new_name ? lcx__reference_read(ctx, new_name, &name, err) : 0;
}

LCX_PUBLIC int lcx_image_import(struct lcx_ctx *ctx, const char *path, const char *layout_ref,
				const char *new_name, struct lcx_image **ret,
				struct lcx_error **err)
{
	CLEANUP(lcx__bundle_freep) struct lcx__bundle *bundle = NULL;
	CLEANUP(lcx__store_freep) struct lcx__store *store = NULL;
	CLEANUP(lcx__pin_freep) struct lcx__pin *pin = NULL;
	CLEANUP(freep) char *full_name = NULL;
	CLEANUP(closep) int fd = -1;
	int r;

	if (!path)
		return lcx__fail(err, EINVAL, "nothing to import from");
	r = check_name(ctx, new_name, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return lcx__fail_sys(err, errno, "'%s'", path);
	r = lcx__store_open(ctx, &store, err);
	if (r == 0)
		r = lcx__pin_new(store, &pin, err);
	if (r == 0)
		r = open_bundle(ctx, path, fd, pin->tmp_fd, &bundle, err);
	if (r == 0)
		r = import(ctx, bundle, layout_ref, new_name, &full_name, err);
	if (r < 0)
		return lcx__fail_stage(err, r, "image");
	return ret ? lcx_image_open(ctx, full_name, ret, err) : 0;
}
