/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host-calls.h"

/* What goes into a container, out of it, and into an image of its own. */

static struct lcx_container *container;
static struct lcx_commit *commit;

static int start(struct world *w, struct lcx_error **err)
{
	static const char *const command[] = {"sleep", "60", NULL};

	MUST(lcx_container_new(w->ctx, "copy", &container, err));
	MUST(lcx_container_set_image(container, "box", err));
	MUST(lcx_container_set_command(container, command, err));
	MUST(lcx_container_set_network(container, "none", err));
	lcx_container_set_system(container, 1);
	lcx_container_set_system(container, 0);
	(void)lcx_container_is_system(container);
	lcx_container_set_init(container, 1);
	MUST(lcx_container_set_stop_timeout(container, 1, err));
	REFUSED(lcx_container_set_stop_timeout(container, -7, err));
	(void)lcx_container_stop_timeout_ms(container);
	return lcx_container_start_detached(container, NULL, err);
}

static int copy_in(struct world *w, struct lcx_error **err)
{
	char source[4200];

	snprintf(source, sizeof(source), "%s/etc", w->rootfs);
	MUST(lcx_container_copy_in(container, source, "/tmp", 0, err));
	REFUSED(lcx_container_copy_in(container, "/no/such/file", "/tmp", 0, err));
	REFUSED(lcx_container_copy_in(container, source, "/no/such/directory/x", 0, err));
	return 0;
}

static int copy_out(struct world *w, struct lcx_error **err)
{
	char target[4200];

	snprintf(target, sizeof(target), "%s/copied", w->dir);
	MUST(lcx_container_copy_out(container, "/tmp/etc", target, 0, err));
	REFUSED(lcx_container_copy_out(container, "/no/such/file", target, 0, err));
	return 0;
}

static int copy_archives(struct world *w, struct lcx_error **err)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	MUST(lcx_container_copy_out_tar(container, "/tmp/etc", fd, 0, err));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	MUST(lcx_container_copy_in_tar(container, fd, "/root", 0, err));
	close(fd);
	REFUSED(lcx_container_copy_in_tar(container, -1, "/root", 0, err));
	return 0;
}

/* A pipe without a reader would raise SIGPIPE. */
static int copy_out_to_nobody(struct world *w, struct lcx_error **err)
{
	int ends[2] = {-1, -1};

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	close(ends[0]);
	REFUSED(lcx_container_copy_out_tar(container, "/tmp/etc", ends[1], 0, err));
	close(ends[1]);
	return 0;
}

static int prepare_commit(struct world *w, struct lcx_error **err)
{
	MUST(lcx_commit_new(container, &commit, err));
	MUST(lcx_commit_set_author(commit, "somebody", err));
	MUST(lcx_commit_set_message(commit, "a change", err));
	MUST(lcx_commit_add_change(commit, "CMD [\"true\"]", err));
	lcx_commit_set_pause(commit, 1);
	lcx_commit_set_created_ns(commit, 1);
	REFUSED(lcx_commit_add_change(commit, "NONSENSE", err));
	MUST(lcx_commit_set_compression(commit, "x", err)); /* found when it runs */
	REFUSED(lcx_commit_run(commit, "committed", NULL, err));
	MUST(lcx_commit_set_compression(commit, "gzip", err));
	REFUSED(lcx_commit_run(commit, "NOT A NAME", NULL, err));
	return 0;
}

static int run_commit(struct world *w, struct lcx_error **err)
{
	struct lcx_image *image = NULL;

	MUST(lcx_commit_run(commit, "committed", &image, err));
	lcx_image_free(image);
	commit = lcx_commit_free(commit);
	return lcx_image_remove(w->ctx, "committed", err);
}

static int remove_container(struct world *w, struct lcx_error **err)
{
	MUST(lcx_container_remove(container, 1, err));
	container = lcx_container_free(container);
	return 0;
}

const struct row rows_copy[] = {
	ROW(start, HELD),
	ROW(copy_in, HELD),
	ROW(copy_out, HELD),
	ROW(copy_archives, HELD),
	ROW(copy_out_to_nobody, HELD),
	ROW(prepare_commit, HELD),
	ROW(run_commit, HELD),
	ROW(remove_container, RELEASED),
	{0},
};
