/* SPDX-License-Identifier: MIT */
#include "image/decode.h"

#include <errno.h>
#include <string.h>

#include "image/codecs.h"

enum { INPUT_SIZE = 256 << 10 };

struct codec;

struct lcx__decoder {
	int fd;
	struct lcx__decode_options options;
	const struct codec *codec;
	struct lcx__inflate inflate;
	z_stream zlib;
	struct lcx__unzstd unzstd;
	ZSTD_DStream *zstd;
	bool in_frame; /* between the start and the end of a member or frame */
	bool input_ended;
	uint64_t read_total;
	size_t at, end; /* of input not yet consumed */
	unsigned char input[INPUT_SIZE];
};

/*
 * One step of a codec: take from the input what it likes, give up to @size bytes.
 * 0 with *@ret_n == 0 means that it needs more input.
 */
struct codec {
	const char *name;
	unsigned char magic[4];
	size_t magic_length;
	unsigned char first_mask; /* of the magic's first byte */
	int (*begin)(struct lcx__decoder *dec, struct lcx_error **err);
	int (*step)(struct lcx__decoder *dec, void *buffer, size_t size, size_t *ret_n);
	void (*end)(struct lcx__decoder *dec);
};

static int plain_step(struct lcx__decoder *dec, void *buffer, size_t size, size_t *ret_n)
{
	size_t n = dec->end - dec->at < size ? dec->end - dec->at : size;

	memcpy(buffer, dec->input + dec->at, n);
	dec->at += n;
	*ret_n = n;
	return 0;
}

static int gzip_begin(struct lcx__decoder *dec, struct lcx_error **err)
{
	int r = lcx__inflate_load(&dec->inflate, err);

	if (r < 0)
		return r;
	return dec->inflate.inflateInit2_(&dec->zlib, MAX_WBITS + 16, ZLIB_VERSION,
					  sizeof(dec->zlib)) == Z_OK
		       ? 0
		       : lcx__fail_nomem(err);
}

static void gzip_end(struct lcx__decoder *dec)
{
	(void)dec->inflate.inflateEnd(&dec->zlib);
}

/* Zeros may pad the last member, as gzip(1) has it; a next member may follow. */
static void gzip_skip_padding(struct lcx__decoder *dec)
{
	while (dec->at < dec->end && dec->input[dec->at] == 0)
		dec->at++;
}

static int gzip_step(struct lcx__decoder *dec, void *buffer, size_t size, size_t *ret_n)
{
	z_stream *z = &dec->zlib;
	int r;

	if (!dec->in_frame) {
		gzip_skip_padding(dec);
		if (dec->at == dec->end)
			return 0;
		(void)dec->inflate.inflateReset(z);
		dec->in_frame = true;
	}
	z->next_in = dec->input + dec->at;
	z->avail_in = (uInt)(dec->end - dec->at);
	z->next_out = buffer;
	z->avail_out = (uInt)size;
	r = dec->inflate.inflate(z, Z_NO_FLUSH);
	dec->at = dec->end - z->avail_in;
	*ret_n = size - z->avail_out;
	if (r == Z_STREAM_END)
		dec->in_frame = false;
	else if (r == Z_MEM_ERROR)
		return -ENOMEM;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return -EBADMSG;
	return 0;
}

/* The number of the highest bit, in what zstd takes for a limit. */
static int window_log(const struct lcx__unzstd *lib, uint64_t bytes)
{
	const ZSTD_bounds bounds = lib->ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	int log = bytes > 0 ? 63 - __builtin_clzll(bytes) : 0;

	return log < bounds.lowerBound   ? bounds.lowerBound
	       : log > bounds.upperBound ? bounds.upperBound
					 : log;
}

static int zstd_begin(struct lcx__decoder *dec, struct lcx_error **err)
{
	const struct lcx__unzstd *lib = &dec->unzstd;
	int r = lcx__unzstd_load(&dec->unzstd, err);

	if (r < 0)
		return r;
	dec->zstd = lib->ZSTD_createDStream();
	if (!dec->zstd ||
	    lib->ZSTD_isError(lib->ZSTD_DCtx_setParameter(
		    dec->zstd, ZSTD_d_windowLogMax, window_log(lib, dec->options.window_bytes)))) {
		(void)lib->ZSTD_freeDStream(dec->zstd);
		return lcx__fail_nomem(err);
	}
	return 0;
}

static void zstd_end(struct lcx__decoder *dec)
{
	(void)dec->unzstd.ZSTD_freeDStream(dec->zstd);
}

static int zstd_step(struct lcx__decoder *dec, void *buffer, size_t size, size_t *ret_n)
{
	ZSTD_inBuffer in = {dec->input + dec->at, dec->end - dec->at, 0};
	ZSTD_outBuffer out = {buffer, size, 0};
	size_t r = dec->unzstd.ZSTD_decompressStream(dec->zstd, &out, &in);

	dec->at += in.pos;
	*ret_n = out.pos;
	if (dec->unzstd.ZSTD_isError(r))
		return -EBADMSG;
	if (in.pos > 0 || out.pos > 0)
		dec->in_frame = r != 0;
	return 0;
}

static const struct codec codecs[] = {
	{"gzip", {0x1f, 0x8b}, 2, 0xff, gzip_begin, gzip_step, gzip_end},
	{"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, 0xff, zstd_begin, zstd_step, zstd_end},
	/* Any of the 16 skippable frames, in front of a stream made to be sought in. */
	{"zstd", {0x50, 0x2a, 0x4d, 0x18}, 4, 0xf0, zstd_begin, zstd_step, zstd_end},
	{"tar", {0}, 0, 0xff, NULL, plain_step, NULL},
};

int lcx__decoder_new(int fd, const struct lcx__decode_options *options, struct lcx__decoder **ret,
		     struct lcx_error **err)
{
	/* Not calloc(): the buffer needs no zeros. */
	struct lcx__decoder *dec = malloc(sizeof(*dec));

	if (!dec)
		return lcx__fail_nomem(err);
	memset(dec, 0, offsetof(struct lcx__decoder, input));
	dec->fd = fd;
	dec->options = *options;
	*ret = dec;
	return 0;
}

struct lcx__decoder *lcx__decoder_free(struct lcx__decoder *dec)
{
	if (dec) {
		if (dec->codec && dec->codec->end)
			dec->codec->end(dec);
		free(dec);
	}
	return NULL;
}

uint64_t lcx__decoder_consumed(const struct lcx__decoder *dec)
{
	return dec->read_total - (dec->end - dec->at);
}

/* How many more bytes may be asked for: 0 at the end of an input that grew. */
static int room_to_read(struct lcx__decoder *dec, size_t *ret, struct lcx_error **err)
{
	const struct lcx__gate *gate = &dec->options.gate;
	uint64_t available = 0;
	int r;

	*ret = INPUT_SIZE - dec->end;
	if (!gate->wait)
		return 0;
	r = gate->wait(gate->data, dec->read_total, &available, err);
	if (r < 0)
		return r;
	if (available < dec->read_total + *ret)
		*ret = (size_t)(available - dec->read_total);
	return 0;
}

static ssize_t read_input(const struct lcx__decoder *dec, void *buffer, size_t size)
{
	ssize_t n;

	do
		n = dec->options.gate.wait ? pread(dec->fd, buffer, size, (off_t)dec->read_total)
					   : read(dec->fd, buffer, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Move the rest to the front and read on behind it. */
static int fill(struct lcx__decoder *dec, struct lcx_error **err)
{
	size_t room;
	ssize_t n;
	int r;

	memmove(dec->input, dec->input + dec->at, dec->end - dec->at);
	dec->end -= dec->at;
	dec->at = 0;
	r = room_to_read(dec, &room, err);
	if (r < 0)
		return r;
	n = read_input(dec, dec->input + dec->end, room);
	if (n < 0)
		return lcx__fail_sys(err, errno, "read the compressed layer");
	dec->input_ended = n == 0;
	dec->end += (size_t)n;
	dec->read_total += (uint64_t)n;
	return 0;
}

static bool fits(const struct codec *codec, const struct lcx__decoder *dec)
{
	size_t n = codec->magic_length;

	return n == 0 || (dec->end >= n && (dec->input[0] & codec->first_mask) == codec->magic[0] &&
			  memcmp(dec->input + 1, codec->magic + 1, n - 1) == 0);
}

static int choose_codec(struct lcx__decoder *dec, struct lcx_error **err)
{
	const struct codec *codec = codecs;

	while (dec->end < sizeof(codec->magic) && !dec->input_ended) {
		int r = fill(dec, err);

		if (r < 0)
			return r;
	}
	while (!fits(codec, dec))
		codec++; /* the last one fits anything */
	if (codec->begin) {
		int r = codec->begin(dec, err);

		if (r < 0)
			return r;
	}
	dec->codec = codec;
	return 0;
}

ssize_t lcx__decoder_read(struct lcx__decoder *dec, void *buffer, size_t size,
			  struct lcx_error **err)
{
	size_t n = 0;
	int r;

	if (!dec->codec) {
		r = choose_codec(dec, err);
		if (r < 0)
			return r;
	}
	for (;;) {
		size_t before = dec->at;

		r = dec->codec->step(dec, buffer, size, &n);
		if (r == 0 && n == 0 && dec->at < dec->end && dec->at == before)
			r = -EBADMSG; /* room and input, and yet no progress */
		if (r < 0)
			return lcx__fail(err, -r, "damaged %s data after %ju bytes",
					 dec->codec->name, (uintmax_t)lcx__decoder_consumed(dec));
		if (n > 0)
			return (ssize_t)n;
		if (dec->at < dec->end)
			continue; /* a member ended without output, and the next one is here */
		if (dec->input_ended)
			break;
		r = fill(dec, err);
		if (r < 0)
			return r;
	}
	if (dec->in_frame)
		return lcx__fail(err, EBADMSG, "the %s data is cut off after %ju bytes",
				 dec->codec->name, (uintmax_t)dec->read_total);
	return 0;
}
