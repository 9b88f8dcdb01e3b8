/* SPDX-License-Identifier: MIT */
#include "image/compress.h"

#include <errno.h>
#include <string.h>

#include "image/codecs.h"

enum { OUT_SIZE = 128 << 10, ZSTD_LEVEL = 3 };

/* ---- none ---- */

static int begin_none(void **ret, struct lcx_error **err)
{
	(void)err;
	*ret = NULL;
	return 0;
}

static int step_none(void *state, const void *bytes, size_t length, bool end,
		     const struct lcx__byte_sink *sink, struct lcx_error **err)
{
	(void)state;
	(void)end;
	return sink->write(sink->data, bytes, length, err);
}

static void end_none(void *state)
{
	(void)state;
}

/* ---- gzip: without a name and a time in its header ---- */

struct gzip {
	struct lcx__deflate lib;
	z_stream z;
	unsigned char out[OUT_SIZE];
};

static int begin_gzip(void **ret, struct lcx_error **err)
{
	CLEANUP(freep) struct gzip *gzip = calloc(1, sizeof(*gzip));
	int r;

	if (!gzip)
		return lcx__fail_nomem(err);
	r = lcx__deflate_load(&gzip->lib, err);
	if (r < 0)
		return r;
	if (gzip->lib.deflateInit2_(&gzip->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
				    Z_DEFAULT_STRATEGY, ZLIB_VERSION, sizeof(gzip->z)) != Z_OK)
		return lcx__fail_nomem(err);
	*ret = TAKE_PTR(gzip);
	return 0;
}

static int step_gzip(void *state, const void *bytes, size_t length, bool end,
		     const struct lcx__byte_sink *sink, struct lcx_error **err)
{
	struct gzip *gzip = state;
	int status, r;

	gzip->z.next_in = (unsigned char *)(uintptr_t)bytes;
	gzip->z.avail_in = (unsigned int)length; /* writers bring less than 4 GiB at once */
	do {
		gzip->z.next_out = gzip->out;
		gzip->z.avail_out = OUT_SIZE;
		status = gzip->lib.deflate(&gzip->z, end ? Z_FINISH : Z_NO_FLUSH);
		if (status == Z_STREAM_ERROR)
			return lcx__fail(err, EIO, "compress");
		r = sink->write(sink->data, gzip->out, OUT_SIZE - gzip->z.avail_out, err);
	} while (r == 0 && gzip->z.avail_out == 0 && status != Z_STREAM_END);
	return r;
}

static void end_gzip(void *state)
{
	struct gzip *gzip = state;

	if (gzip)
		(void)gzip->lib.deflateEnd(&gzip->z);
	free(gzip);
}

/* ---- zstd ---- */

struct zstd {
	struct lcx__zstd lib;
	ZSTD_CCtx *context;
	unsigned char out[OUT_SIZE];
};

static void end_zstd(void *state)
{
	struct zstd *zstd = state;

	if (zstd && zstd->context)
		(void)zstd->lib.ZSTD_freeCCtx(zstd->context);
	free(zstd);
}

static int set_parameters(const struct zstd *zstd)
{
	static const struct {
		ZSTD_cParameter key;
		int value;
	} parameters[] = {{ZSTD_c_compressionLevel, ZSTD_LEVEL}, {ZSTD_c_checksumFlag, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		if (zstd->lib.ZSTD_isError(zstd->lib.ZSTD_CCtx_setParameter(
			    zstd->context, parameters[i].key, parameters[i].value)))
			return -ENOMEM;
	return 0;
}

static int begin_zstd(void **ret, struct lcx_error **err)
{
	struct zstd *zstd = calloc(1, sizeof(*zstd));
	int r = zstd ? lcx__zstd_load(&zstd->lib, err) : lcx__fail_nomem(err);

	if (r == 0) {
		zstd->context = zstd->lib.ZSTD_createCCtx();
		r = zstd->context && set_parameters(zstd) == 0 ? 0 : lcx__fail_nomem(err);
	}
	if (r < 0)
		end_zstd(zstd);
	else
		*ret = zstd;
	return r;
}

static int step_zstd(void *state, const void *bytes, size_t length, bool end,
		     const struct lcx__byte_sink *sink, struct lcx_error **err)
{
	struct zstd *zstd = state;
	ZSTD_inBuffer in = {bytes, length, 0};
	size_t left;
	int r;

	do {
		ZSTD_outBuffer out = {zstd->out, OUT_SIZE, 0};

		left = zstd->lib.ZSTD_compressStream2(zstd->context, &out, &in,
						      end ? ZSTD_e_end : ZSTD_e_continue);
		if (zstd->lib.ZSTD_isError(left))
			return lcx__fail(err, EIO, "compress: %s",
					 zstd->lib.ZSTD_getErrorName(left));
		r = sink->write(sink->data, zstd->out, out.pos, err);
	} while (r == 0 && (in.pos < in.size || (end && left > 0)));
	return r;
}

#define LAYER "application/vnd.oci.image.layer.v1.tar"

static const struct lcx__compression compressions[] = {
	{"gzip", LAYER "+gzip", begin_gzip, step_gzip, end_gzip},
	{"zstd", LAYER "+zstd", begin_zstd, step_zstd, end_zstd},
	{"none", LAYER, begin_none, step_none, end_none},
};

const struct lcx__compression *lcx__compression_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(compressions); i++)
		if (strcmp(compressions[i].name, name) == 0)
			return &compressions[i];
	return NULL;
}
