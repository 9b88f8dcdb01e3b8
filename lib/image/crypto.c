/* SPDX-License-Identifier: MIT */
#include "image/crypto.h"

#include "util/cleanup.h"
#include "util/library.h"

#define TEXT(macro)   TEXT_OF(macro)
#define TEXT_OF(text) #text

int lcx__crypto_load(struct lcx__crypto *ret, struct lcx_error **err)
{
	static const struct lcx__library_function functions[] = {
#define ROW(name) {#name, offsetof(struct lcx__crypto, name)},
		CRYPTO_FUNCTIONS(ROW)
#undef ROW
	};
	static const struct lcx__library library = {
		/* Of the version whose header this was built with: opensslv.h. */
		.soname = "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION),
		.use = "images need",
		.functions = functions,
		.n = ARRAY_SIZE(functions),
	};

	return lcx__library_load(&library, ret, err);
}
