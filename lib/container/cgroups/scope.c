/* SPDX-License-Identifier: MIT */
#include "container/cgroups/cgroups.h"

#include <string.h>

#include "cgroup/scope.h"

/*
 * A container's cgroup as a transient scope of systemd's. The journal has its unit before there is
 * one; that a unit of this name is ours is said by its description, so that nobody else's is
 * stopped.
 */

static char *describe(const struct lcx_container *c)
{
	char tag[LCX__CTX_TAG_SIZE];

	lcx__ctx_tag(c->ctx, tag);
	return lcx__format("liblcx container %s.%s", tag, c->d.id);
}

/* "org.systemd.property.NAME", which engines hand on; of another cgroup manager they are data. */
static int read_properties(const struct lcx_container *c, struct lcx__unit_properties *ret,
			   struct lcx_error **err)
{
	static const char prefix[] = LCX__UNIT_PROPERTY_PREFIX;
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->spec->annotations.n; i++) {
		const struct lcx__key_value *note = &c->spec->annotations.items[i];

		if (strncmp(note->key, prefix, strlen(prefix)) == 0)
			r = lcx__unit_properties_add(ret, note->key + strlen(prefix), note->value,
						     err);
	}
	return r;
}

int lcx__container_check_scope(const struct lcx_container *c, struct lcx_error **err)
{
	struct lcx__unit_properties properties = {0};
	int r = lcx__container_wants_scope(c) ? read_properties(c, &properties, err) : 0;

	lcx__unit_properties_clear(&properties);
	return r;
}

static int start(struct lcx_container *c, const struct lcx__scope *scope,
		 const struct lcx__resources *resources, struct lcx__child *ret_holder,
		 struct lcx_error **err)
{
	CLEANUP(freep) char *description = describe(c);
	struct lcx__unit_properties properties = {0};
	int r;

	if (!description)
		return lcx__fail_nomem(err);
	r = read_properties(c, &properties, err);
	if (r == 0)
		r = lcx__journal_add(c->run_fd, "scope", scope->unit, err);
	if (r == 0)
		r = lcx__scope_start(scope, description, resources, &properties, &c->cgroup,
				     ret_holder, err);
	lcx__unit_properties_clear(&properties);
	return r;
}

/* Limits may need hierarchies where systemd makes nothing, and so removes nothing, either. */
static int record_slices(struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(lcx__strv_freep) char **lines = NULL;
	int r = lcx__cgroup_list_absent(c->cgroup, &lines, err);

	for (char **line = lines; r == 0 && line && *line; line++)
		r = lcx__journal_add(c->run_fd, "slice", *line, err);
	return r;
}

int lcx__container_undo_slice(struct lcx_container *c, const char *line, struct lcx_error **err)
{
	(void)c;
	return lcx__cgroup_prune(line, err);
}

int lcx__container_make_scope(struct lcx_container *c, const struct lcx__resources *resources,
			      struct lcx__child *ret_holder, struct lcx_error **err)
{
	struct lcx__scope scope = LCX__SCOPE_NONE;
	int r = lcx__scope_parse(c->spec->linux_.cgroups_path, lcx__container_display(c), &scope,
				 err);

	if (r == 0)
		r = start(c, &scope, resources, ret_holder, err);
	if (r == 0)
		r = record_slices(c, err);
	free(c->run.scope);
	c->run.scope = r == 0 ? TAKE_PTR(scope.unit) : NULL;
	lcx__scope_clear(&scope);
	return r;
}

int lcx__container_undo_scope(struct lcx_container *c, const char *unit, struct lcx_error **err)
{
	CLEANUP(freep) char *description = describe(c);

	return description ? lcx__scope_stop(unit, description, err) : lcx__fail_nomem(err);
}
