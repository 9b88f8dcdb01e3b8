/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a compressed layer: decoded and extracted into a directory in memory,
 * next to a file that must stay as it is.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/engine.h"
#include "util/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/dev/shm/lcx-fuzz-XXXXXX";
static int dir_fd = -1;

static void remove_directory(void)
{
	(void)lcx__remove_tree(AT_FDCWD, path);
}

static void make_directory(void)
{
	if (dir_fd >= 0 || !mkdtemp(path))
		return;
	dir_fd = open(path, O_DIRECTORY | O_CLOEXEC);
	(void)lcx__replace_file(dir_fd, "kept", "kept", 4, 0600, false);
	(void)atexit(remove_directory);
}

static void check_kept(void)
{
	CLEANUP(freep) char *text = NULL;
	struct stat st;

	if (lcx__read_file(dir_fd, "kept", 100, &text, NULL) < 0 || strcmp(text, "kept") != 0 ||
	    fstatat(dir_fd, "kept", &st, 0) < 0 || st.st_nlink != 1 || (st.st_mode & 07777) != 0600)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__engine_freep) struct lcx__engine *unpack = NULL;
	CLEANUP(closep) int root_fd = -1, input_fd = -1;
	struct lcx__unpack_progress progress;
	struct lcx__engine_job job = {.limits = lcx__extract_limits_default};

	make_directory();
	root_fd = lcx__make_dirs(dir_fd, "root", 0700);
	input_fd = memfd_create("input", MFD_CLOEXEC);
	if (root_fd < 0 || input_fd < 0 || lcx__write_all(input_fd, data, size) < 0)
		return 0;
	(void)lseek(input_fd, 0, SEEK_SET);
	job.root_fd = root_fd;
	job.input_fd = input_fd;
	job.limits.total_bytes = 1 << 20;
	job.limits.entries = 200;
	(void)lcx__digest_of(NULL, "", 0, &job.diff_id, NULL);
	if (lcx__engine_new(&job, &unpack, NULL) == 0)
		while (lcx__engine_step(unpack, &progress, NULL) > 0)
			continue;
	(void)lcx__remove_tree(dir_fd, "root");
	check_kept();
	return 0;
}
