/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_standard(const char *path)
{
	return !path || strcmp(path, "-") == 0;
}

int stream_create(const struct app *app, const char *path)
{
	int fd;

	if (is_standard(path)) {
		if (!isatty(STDOUT_FILENO))
			return STDOUT_FILENO;
		app_error(app, "an archive is not for a terminal: use -o FILE or redirect it");
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		app_error(app, "'%s': %s", path, strerror(errno));
	return fd;
}

int stream_open(const struct app *app, const char *path)
{
	int fd;

	if (is_standard(path)) {
		if (!isatty(STDIN_FILENO))
			return STDIN_FILENO;
		app_error(app, "no archive comes from a terminal: use -i FILE or redirect it");
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		app_error(app, "'%s': %s", path, strerror(errno));
	return fd;
}

bool stream_close(const struct app *app, int fd, const char *path, bool failed)
{
	struct stat st;
	bool regular;

	if (is_standard(path))
		return true;
	regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	if (close(fd) < 0 && !failed) {
		app_error(app, "'%s': %s", path, strerror(errno));
		failed = true;
	}
	if (failed && regular)
		(void)unlink(path);
	return !failed;
}
