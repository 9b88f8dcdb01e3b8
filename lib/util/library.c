/* SPDX-License-Identifier: MIT */
#include "util/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

void *lcx__library_open(const char *soname)
{
	return dlopen(soname, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
}

void lcx__library_close(void *library)
{
	(void)dlclose(library);
}

bool lcx__library_find(void *library, const char *name, void *ret)
{
	void *found = dlsym(library, name);

	/* In C a function's address is not converted from an object's: POSIX has them be the same.
	 */
	memcpy(ret, &found, sizeof(found));
	return found != NULL;
}

static int find_all(const struct lcx__library *library, void *loaded, char *ret,
		    struct lcx_error **err)
{
	for (size_t i = 0; i < library->n; i++)
		if (!lcx__library_find(loaded, library->functions[i].name,
				       ret + library->functions[i].offset))
			return lcx__fail(err, EOPNOTSUPP, "%s is too old: it has no %s()",
					 library->soname, library->functions[i].name);
	return 0;
}

int lcx__library_load(const struct lcx__library *library, void *ret, struct lcx_error **err)
{
	void *loaded = lcx__library_open(library->soname);
	int r;

	if (!loaded)
		return lcx__fail(err, EOPNOTSUPP, "%s %s, which can't be loaded: %s", library->use,
				 library->soname, dlerror());
	r = find_all(library, loaded, ret, err);
	lcx__library_close(loaded);
	return r;
}
