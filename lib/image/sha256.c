/* SPDX-License-Identifier: MIT */
#include "image/sha256.h"

#include <sha2.h>

#include "util/library.h"

struct md {
	__typeof__(SHA256Init) *init;
	__typeof__(SHA256Update) *update;
	__typeof__(SHA256Final) *final;
};

int lcx__sha256(const void *data, size_t length, uint8_t ret[static LCX__SHA256_SIZE])
{
	static const struct lcx__library_function functions[] = {
		{"SHA256Init", offsetof(struct md, init)},
		{"SHA256Update", offsetof(struct md, update)},
		{"SHA256Final", offsetof(struct md, final)},
	};
	static const struct lcx__library library = {
		.soname = "libmd.so.0",
		.use = "images are hashed by",
		.functions = functions,
		.n = ARRAY_SIZE(functions),
	};
	struct md md;
	SHA2_CTX context;
	int r = lcx__library_load(&library, &md, NULL);

	if (r < 0)
		return r;
	md.init(&context);
	md.update(&context, data, length);
	md.final(ret, &context);
	return 0;
}
