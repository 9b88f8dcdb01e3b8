/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host-calls.h"

/* Images in archives: lcx_save_* and lcx_load_*. */

static struct lcx_save *save;
static struct lcx_load *load;
static int archive_fd = -1;

static int save_image(struct world *w, struct lcx_error **err)
{
	archive_fd = memfd_create("archive", MFD_CLOEXEC);
	MUST(lcx_save_new(w->ctx, &save, err));
	REFUSED(lcx_save_add(save, "none", err));
	REFUSED(lcx_save_step(save, archive_fd, err));
	MUST(lcx_save_add(save, "box", err));
	MUST(lcx_save_step(save, archive_fd, err));
	MUST(lcx_save_run(save, archive_fd, err));
	(void)lcx_save_done_bytes(save), (void)lcx_save_total_bytes(save);
	return 0;
}

static int free_save(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	save = lcx_save_free(save);
	return 0;
}

/* A pipe without a reader would raise SIGPIPE. */
static int save_image_to_nobody(struct world *w, struct lcx_error **err)
{
	int ends[2] = {-1, -1};

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[0]);
	MUST(lcx_save_new(w->ctx, &save, err));
	MUST(lcx_save_add(save, "box", err));
	REFUSED(lcx_save_run(save, ends[1], err));
	REFUSED(lcx_save_run(save, archive_fd, err)); /* what would lack its beginning */
	close(ends[1]);
	save = lcx_save_free(save);
	return 0;
}

static int load_image(struct world *w, struct lcx_error **err)
{
	if (lseek(archive_fd, 0, SEEK_SET) < 0)
		return -errno;
	MUST(lcx_load_new(w->ctx, archive_fd, &load, err));
	MUST(lcx_load_step(load, err));
	MUST(lcx_load_run(load, err));
	(void)lcx_load_done_bytes(load), (void)lcx_load_total_bytes(load);
	for (size_t i = 0; i < lcx_load_count(load); i++)
		(void)lcx_load_name(load, i), (void)lcx_load_id(load, i);
	return 0;
}

static int free_load(struct world *w, struct lcx_error **err)
{
	(void)w, (void)err;
	load = lcx_load_free(load);
	close(archive_fd);
	return 0;
}

static int load_nonsense(struct world *w, struct lcx_error **err)
{
	int ends[2] = {-1, -1};

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[1]);
	MUST(lcx_load_new(w->ctx, ends[0], &load, err));
	REFUSED(lcx_load_run(load, err));
	load = lcx_load_free(load);
	close(ends[0]);
	return 0;
}

const struct row rows_archive[] = {
	ROW(save_image, HELD),
	ROW(free_save, HELD),
	ROW(save_image_to_nobody, HELD),
	ROW(load_image, HELD),
	ROW(free_load, RELEASED),
	ROW(load_nonsense, RELEASED),
	{0},
};
