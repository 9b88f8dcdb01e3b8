/* SPDX-License-Identifier: MIT */
/* Of a library built without the `image` feature: every function is there, and says so. */
#include "container/container-internal.h"

LCX_PUBLIC int lcx_commit_new(struct lcx_container *c, struct lcx_commit **ret,
			      struct lcx_error **err)
{
	(void)c;
	(void)ret;
	return lcx__fail(err, EOPNOTSUPP,
			 "images: this liblcx was built without them; build it with "
			 "-Dimage=enabled");
}

LCX_PUBLIC struct lcx_commit *lcx_commit_free(struct lcx_commit *commit)
{
	(void)commit;
	return NULL;
}

static int set(struct lcx_commit *commit, const char *text, struct lcx_error **err)
{
	(void)text;
	return lcx_commit_new(NULL, &commit, err);
}

LCX_PUBLIC int lcx_commit_set_author(struct lcx_commit *commit, const char *author,
				     struct lcx_error **err)
{
	return set(commit, author, err);
}

LCX_PUBLIC int lcx_commit_set_message(struct lcx_commit *commit, const char *message,
				      struct lcx_error **err)
{
	return set(commit, message, err);
}

LCX_PUBLIC int lcx_commit_set_compression(struct lcx_commit *commit, const char *compression,
					  struct lcx_error **err)
{
	return set(commit, compression, err);
}

LCX_PUBLIC int lcx_commit_add_change(struct lcx_commit *commit, const char *instruction,
				     struct lcx_error **err)
{
	return set(commit, instruction, err);
}

LCX_PUBLIC void lcx_commit_set_pause(struct lcx_commit *commit, int32_t pause)
{
	(void)commit;
	(void)pause;
}

LCX_PUBLIC void lcx_commit_set_created_ns(struct lcx_commit *commit, int64_t created_ns)
{
	(void)commit;
	(void)created_ns;
}

LCX_PUBLIC int lcx_commit_run(struct lcx_commit *commit, const char *name, struct lcx_image **ret,
			      struct lcx_error **err)
{
	(void)ret;
	return set(commit, name, err);
}
