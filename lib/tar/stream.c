/* SPDX-License-Identifier: MIT */
#include "tar/tar.h"

#include <errno.h>
#include <sys/stat.h>

#include "util/sigpipe.h"

static int write_fd(void *data, const void *bytes, size_t length, struct lcx_error **err)
{
	int r = lcx__write_to_host(*(int *)data, bytes, length);

	return r < 0 ? lcx__fail_sys(err, -r, "write the archive") : 0;
}

struct lcx__byte_sink lcx__byte_sink_fd(int *fd)
{
	return (struct lcx__byte_sink){write_fd, fd};
}

static ssize_t read_fd(void *data, void *buffer, size_t size, struct lcx_error **err)
{
	ssize_t n;

	do
		n = read(*(int *)data, buffer, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? lcx__fail_sys(err, errno, "read") : n;
}

static int skip_fd(void *data, uint64_t length, struct lcx_error **err)
{
	if (length > INT64_MAX || lseek(*(int *)data, (off_t)length, SEEK_CUR) < 0)
		return lcx__fail_sys(err, length > INT64_MAX ? EOVERFLOW : errno, "seek");
	return 0;
}

/* ENXIO: no data from here on. A file system that knows of no holes says it is all data. */
static int find_extent(int fd, uint64_t *ret_hole, uint64_t *ret_data)
{
	off_t here = lseek(fd, 0, SEEK_CUR), data, end;

	if (here < 0)
		return -errno;
	data = lseek(fd, here, SEEK_DATA);
	if (data < 0 && errno != ENXIO)
		return -errno;
	end = lseek(fd, data < 0 ? 0 : data, data < 0 ? SEEK_END : SEEK_HOLE);
	if (data < 0)
		data = end; /* the rest is a hole, or there is none */
	if (end < 0 || lseek(fd, data, SEEK_SET) < 0)
		return -errno;
	*ret_hole = data > here ? (uint64_t)(data - here) : 0;
	*ret_data = end > data ? (uint64_t)(end - data) : 0;
	return 0;
}

static int extent_fd(void *data, uint64_t *ret_hole, uint64_t *ret_data, struct lcx_error **err)
{
	int r = find_extent(*(int *)data, ret_hole, ret_data);

	return r < 0 ? lcx__fail_sys(err, -r, "look for holes") : 0;
}

struct lcx__source lcx__source_fd(int *fd)
{
	struct stat st;
	bool regular = fstat(*fd, &st) == 0 && S_ISREG(st.st_mode);

	return (struct lcx__source){read_fd, regular ? skip_fd : NULL, fd,
				    regular ? extent_fd : NULL};
}
