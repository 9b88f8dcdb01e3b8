/* SPDX-License-Identifier: MIT */
#include "log/gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <config.h>

#if HAVE_IMAGE

#include "image/codecs.h"
#include "util/cleanup.h"

enum { PIECE_SIZE = 32 * 1024 };

struct lcx__gunzip {
	struct lcx__inflate lib;
	z_stream z;
	int fd;
	off_t offset;
	bool begun; /* the member at hand */
	bool ended, is_damaged;
	unsigned char in[PIECE_SIZE];
};

int lcx__gunzip_new(int fd, struct lcx__gunzip **ret, struct lcx_error **err)
{
	CLEANUP(freep) struct lcx__gunzip *gz = calloc(1, sizeof(*gz));
	int r;

	if (!gz)
		return lcx__fail_nomem(err);
	gz->fd = fd;
	r = lcx__inflate_load(&gz->lib, err);
	if (r < 0)
		return r;
	if (gz->lib.inflateInit2_(&gz->z, MAX_WBITS + 16, ZLIB_VERSION, sizeof(gz->z)) != Z_OK)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(gz);
	return 0;
}

struct lcx__gunzip *lcx__gunzip_free(struct lcx__gunzip *gz)
{
	if (gz) {
		(void)gz->lib.inflateEnd(&gz->z);
		free(gz);
	}
	return NULL;
}

bool lcx__gunzip_is_damaged(const struct lcx__gunzip *gz)
{
	return gz->is_damaged;
}

/* Return: 1 if there is input, 0 at the end of the file, a negative errno. */
static int fill(struct lcx__gunzip *gz)
{
	ssize_t n;

	if (gz->z.avail_in > 0)
		return 1;
	do
		n = pread(gz->fd, gz->in, sizeof(gz->in), gz->offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	gz->offset += n;
	gz->z.next_in = gz->in;
	gz->z.avail_in = (unsigned int)n;
	return n > 0;
}

static void end(struct lcx__gunzip *gz, bool is_damaged)
{
	gz->ended = true;
	gz->is_damaged = is_damaged;
}

/* The files of several compressions one behind the other are one: RFC 1952, 2.2. */
static void step(struct lcx__gunzip *gz)
{
	int r = gz->lib.inflate(&gz->z, Z_NO_FLUSH);

	gz->begun = r != Z_STREAM_END;
	if (r == Z_STREAM_END)
		r = gz->lib.inflateReset(&gz->z);
	if (r != Z_OK && r != Z_BUF_ERROR)
		end(gz, true);
}

ssize_t lcx__gunzip_read(struct lcx__gunzip *gz, void *buffer, size_t size)
{
	unsigned int wanted = size < INT32_MAX ? (unsigned int)size : INT32_MAX;

	gz->z.next_out = buffer;
	gz->z.avail_out = wanted;
	while (!gz->ended && gz->z.avail_out == wanted) {
		int r = fill(gz);

		if (r < 0)
			return r;
		if (r == 0)
			end(gz, gz->begun);
		else
			step(gz);
	}
	return (ssize_t)(wanted - gz->z.avail_out);
}

#else

int lcx__gunzip_new(int fd, struct lcx__gunzip **ret, struct lcx_error **err)
{
	(void)fd, (void)ret;
	return lcx__fail(err, EOPNOTSUPP,
			 "a file of it is compressed, and this library was built without zlib");
}

ssize_t lcx__gunzip_read(struct lcx__gunzip *gz, void *buffer, size_t size)
{
	(void)gz, (void)buffer, (void)size;
	return -EOPNOTSUPP;
}

bool lcx__gunzip_is_damaged(const struct lcx__gunzip *gz)
{
	return gz != NULL;
}

struct lcx__gunzip *lcx__gunzip_free(struct lcx__gunzip *gz)
{
	(void)gz;
	return NULL;
}

#endif
