/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "container/cgroups/cgroups.h"
#include "resctrl/resctrl.h"
#include "util/str.h"

/*
 * linux.intelRdt. A class without a name is the container's own and goes with it, and so does the
 * group by which it is measured; one with a name stays, whoever has made it: the specification
 * says so, as other containers may be in it.
 */

static bool wants(const struct lcx_container *c)
{
	return c->spec->linux_.intel_rdt.set;
}

static struct lcx__resctrl_wish wish_of(const struct lcx_container *c)
{
	const struct lcx__spec_intel_rdt *rdt = &c->spec->linux_.intel_rdt;

	return (struct lcx__resctrl_wish){
		.own = c->d.bundle && c->d.name ? c->d.name : c->d.id,
		.class_name = rdt->clos_id,
		.l3_schema = rdt->l3_cache_schema,
		.mb_schema = rdt->mem_bw_schema,
		.schemata = (const char *const *)rdt->schemata,
		.monitor = rdt->enable_monitoring.value,
	};
}

static int find(const struct lcx_container *c, char **ret, struct lcx_error **err)
{
	if (!c->resctrl_mount)
		return lcx__resctrl_find(ret, err);
	*ret = strdup(c->resctrl_mount);
	return *ret ? 0 : lcx__fail_nomem(err);
}

int lcx__container_check_resctrl(const struct lcx_container *c, struct lcx_error **err)
{
	CLEANUP(freep) char *mount = NULL;

	return wants(c) ? find(c, &mount, err) : 0;
}

/* What is removed with the container stands in the journal before it is made, the last first. */
static int announce(struct lcx_container *c, const struct lcx__resctrl *groups,
		    struct lcx_error **err)
{
	int r = 0;

	if (groups->is_ours)
		r = lcx__journal_add(c->run_fd, "resctrl", groups->class_dir, err);
	if (r == 0 && groups->monitor_dir)
		r = lcx__journal_add(c->run_fd, "resctrl", groups->monitor_dir, err);
	return r;
}

static int note(struct lcx_container *c, const struct lcx__resctrl *groups, struct lcx_error **err)
{
	c->run.resctrl = lcx__strv_free(c->run.resctrl);
	if (lcx__strv_append(&c->run.resctrl, groups->class_dir) < 0 ||
	    (groups->monitor_dir && lcx__strv_append(&c->run.resctrl, groups->monitor_dir) < 0))
		return lcx__fail_nomem(err);
	return 0;
}

int lcx__container_make_resctrl(struct lcx_container *c, struct lcx_error **err)
{
	struct lcx__resctrl_wish wish;
	struct lcx__resctrl groups = {0};
	CLEANUP(freep) char *mount = NULL;
	int r;

	if (!wants(c))
		return 0;
	wish = wish_of(c);
	r = find(c, &mount, err);
	if (r == 0)
		r = lcx__resctrl_look(mount, &wish, &groups, err);
	if (r == 0)
		r = announce(c, &groups, err);
	if (r == 0)
		r = lcx__resctrl_make(mount, &groups, &wish, err);
	if (r == 0)
		r = note(c, &groups, err);
	lcx__resctrl_clear(&groups);
	return r;
}

int lcx__container_enter_resctrl(const struct lcx_container *c, struct lcx__entrance *entrance,
				 struct lcx_error **err)
{
	for (size_t i = 0; c->run.resctrl && c->run.resctrl[i]; i++) {
		int fd = i < ARRAY_SIZE(entrance->class_fds)
				 ? lcx__resctrl_open_tasks(c->run.resctrl[i], err)
				 : lcx__fail(err, EINVAL, "more than one class of service");

		if (fd < 0)
			return fd;
		entrance->class_fds[entrance->n_class_fds++] = fd;
	}
	return 0;
}

static bool differ(const char *a, const char *b)
{
	return a && (!b || strcmp(a, b) != 0);
}

int lcx__container_update_resctrl(const struct lcx_container *c, const struct lcx_spec *before,
				  const struct lcx_spec *after, struct lcx_error **err)
{
	const struct lcx__spec_intel_rdt *old = &before->linux_.intel_rdt;
	const struct lcx__spec_intel_rdt *new = &after->linux_.intel_rdt;
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf lines = STRBUF_EMPTY;
	CLEANUP(freep) char *mount = NULL;
	int r;

	if (differ(new->l3_cache_schema, old->l3_cache_schema))
		lcx__strbuf_addf(&lines, "%s\n", new->l3_cache_schema);
	if (differ(new->mem_bw_schema, old->mem_bw_schema))
		lcx__strbuf_addf(&lines, "%s\n", new->mem_bw_schema);
	if (lines.failed)
		return lcx__fail_nomem(err);
	if (!lines.text)
		return 0;
	if (!old->set)
		return lcx__fail(
			err, EINVAL,
			"linux.intelRdt: the container was made without a class of service, "
			"and is given none afterwards");
	if (!c->run.resctrl || !lcx__container_is_running(c))
		return 0;
	r = find(c, &mount, err);
	return r == 0 ? lcx__resctrl_rewrite(mount, c->run.resctrl[0], lines.text, err)
		      : r;
}

int lcx__container_undo_resctrl(struct lcx_container *c, const char *path, struct lcx_error **err)
{
	(void)c;
	return lcx__resctrl_remove(path, err);
}
