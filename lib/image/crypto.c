/* SPDX-License-Identifier: MIT */
#include "image/crypto.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define TEXT(macro)   TEXT_OF(macro)
#define TEXT_OF(text) #text
/* Of the version whose header this was built with: opensslv.h. */
#define SONAME "libcrypto.so." TEXT(OPENSSL_SHLIB_VERSION)

static int find(void *library, const char *name, void *ret, size_t size, struct lcx_error **err)
{
	void *found = dlsym(library, name);

	if (!found)
		return lcx__fail(err, EOPNOTSUPP, SONAME " has no %s()", name);
	/* In C a function's address is not converted from an object's: POSIX has them be the same.
	 */
	memcpy(ret, &found, size);
	return 0;
}

int lcx__crypto_load(struct lcx__crypto *ret, struct lcx_error **err)
{
	void *library = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	int r = 0;

	if (!library)
		return lcx__fail(err, EOPNOTSUPP,
				 "images need " SONAME ", which can't be loaded: %s", dlerror());
#define FIND(name)                                                                                 \
	if (r == 0)                                                                                \
		r = find(library, #name, &ret->name, sizeof(ret->name), err);
	CRYPTO_FUNCTIONS(FIND)
#undef FIND
	/* It stays: only the count of those who hold it goes down. */
	(void)dlclose(library);
	return r;
}
