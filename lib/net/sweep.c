/* SPDX-License-Identifier: MIT */

/*
 * What dead owners have left, by record and by mark; and the firewall put back.
 */
#include <fcntl.h>
#include <string.h>

#include "net/driver.h"
#include "net/monitor.h"
#include "util/fs.h"

struct sweep {
	struct lcx_ctx *ctx;
	bool (*is_alive)(const char *owner, void *data);
	void *data;
	char **networks; /* names */
	char **removed;  /* owners */
	struct lcx__troubles troubles;
};

static void note(struct sweep *sweep, const char *owner)
{
	for (size_t i = 0; sweep->removed[i]; i++)
		if (strcmp(sweep->removed[i], owner) == 0)
			return;
	(void)lcx__strv_append(&sweep->removed, owner);
}

/* An attachment that was made by itself, in this boot, is nobody's to clean up. */
static bool is_standalone(const struct sweep *sweep, const char *owner)
{
	char boot_id[LCX__BOOT_ID_SIZE];
	bool found = false;

	if (lcx__boot_id(boot_id) < 0)
		return true;
	for (size_t i = 0; sweep->networks[i] && !found; i++) {
		CLEANUP(closep)
		int records_fd = lcx__net_records_dir(sweep->ctx, sweep->networks[i], NULL);
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;

		if (records_fd >= 0 && lcx__record_read(records_fd, owner, &record, NULL) == 0)
			found = record->standalone && strcmp(record->boot_id, boot_id) == 0;
	}
	return found;
}

static bool is_dead(struct sweep *sweep, const char *owner)
{
	return lcx__name_is_valid(owner) && !sweep->is_alive(owner, sweep->data) &&
	       !is_standalone(sweep, owner);
}

static void detach(struct sweep *sweep, const char *network, const char *owner)
{
	struct lcx_error *e = NULL;
	int r = lcx_network_detach(sweep->ctx, network, owner, &e);

	lcx__troubles_add(&sweep->troubles, r, &e);
	note(sweep, owner);
}

static void sweep_records(struct sweep *sweep, const char *network)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(sweep->ctx, network, NULL);
	CLEANUP(lcx__strv_freep) char **owners = NULL;

	if (records_fd < 0 || lcx__net_list_names(records_fd, false, &owners) < 0)
		return;
	for (size_t i = 0; owners[i]; i++)
		if (is_dead(sweep, owners[i]))
			detach(sweep, network, owners[i]);
}

struct lessees {
	struct sweep *sweep;
	char **dead;
};

static int note_dead_lessee(const char *owner, void *data)
{
	struct lessees *lessees = data;

	return is_dead(lessees->sweep, owner) ? lcx__strv_append(&lessees->dead, owner) : 0;
}

/* Collected first: a pool is not changed while it is walked. */
static void sweep_leases(struct sweep *sweep, const char *network)
{
	struct lessees lessees = {sweep, lcx__strv_copy(NULL)};
	struct lcx_error *e = NULL;
	int r;

	if (!lessees.dead)
		return;
	r = lcx__pools_list(sweep->ctx, network, note_dead_lessee, &lessees, &e);
	lcx__troubles_add(&sweep->troubles, r, &e);
	/* Asked again: what was said of one holds until the next question only. */
	for (size_t i = 0; lessees.dead[i]; i++)
		if (is_dead(sweep, lessees.dead[i]))
			detach(sweep, network, lessees.dead[i]);
	lcx__strv_free(lessees.dead);
}

static bool is_of_network(const struct lcx_link *link)
{
	return strcmp(lcx_link_kind(link), "bridge") == 0 ||
	       strcmp(lcx_link_kind(link), "vlan") == 0;
}

/* Interfaces with our mark: a bridge or a VLAN names its network, any other its owner. */
static void sweep_links(struct sweep *sweep)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx_link_list_freep) struct lcx_link_list *links = NULL;
	const struct lcx_link *link;
	struct lcx_error *e = NULL;
	char prefix[NET_MARK_SIZE];
	int r;

	lcx__net_mark(sweep->ctx, "", prefix);
	r = lcx_netlink_open(&nl, &e);
	if (r == 0)
		r = lcx_link_list_open(nl, 0, &links, &e);
	lcx__troubles_add(&sweep->troubles, r, &e);
	while (links && (link = lcx_link_list_next(links))) {
		const char *owner = lcx_link_alias(link) + strlen(prefix);

		if (strncmp(lcx_link_alias(link), prefix, strlen(prefix)) != 0 ||
		    is_of_network(link) || !is_dead(sweep, owner))
			continue;
		r = lcx__network_undo_link(sweep->ctx, lcx_link_name(link), owner, &e);
		lcx__troubles_add(&sweep->troubles, r, &e);
		note(sweep, owner);
	}
}

static void sweep_ports(struct sweep *sweep)
{
	CLEANUP(lcx__strv_freep) char **owners = NULL;
	struct lcx_error *e = NULL;
	char prefix[NET_MARK_SIZE];
	int r;

	lcx__net_comment(sweep->ctx, "", prefix);
	r = lcx__firewall_list_owners(prefix, &owners, &e);
	lcx__troubles_add(&sweep->troubles, r, &e);
	for (size_t i = 0; owners && owners[i]; i++) {
		if (!is_dead(sweep, owners[i]))
			continue;
		r = lcx__network_undo_ports(sweep->ctx, owners[i], &e);
		lcx__troubles_add(&sweep->troubles, r, &e);
		note(sweep, owners[i]);
	}
}

/* Asked before its lock is taken, which would make the directory. */
static bool has_records(const struct lcx_ctx *ctx, const char *network)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, network, NULL);

	return records_fd >= 0;
}

/*
 * A network without attachments has no bridge, no entries, and no forwarding of its
 * own, unless the process that removed the last one was killed on the way.
 */
static void sweep_bridge(struct sweep *sweep, struct lcx_netlink *nl, int networks_fd,
			 const char *name)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nft = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(closep) int lock_fd = -1;
	struct lcx_error *e = NULL;
	int r;

	if (!has_records(sweep->ctx, name) ||
	    lcx__network_read(networks_fd, name, &network, NULL) < 0)
		return;
	lock_fd = lcx__net_records_lock(sweep->ctx, name, NULL);
	if (lock_fd < 0 || lcx__net_has_names(lock_fd) != 0)
		return;
	r = lcx__driver_of(network)->remove(sweep->ctx, nl, &nft, network, &e);
	lcx__troubles_add(&sweep->troubles, r, &e);
}

/* Both directories are written under their locks only. */
static void sweep_temporaries(struct sweep *sweep)
{
	CLEANUP(closep) int networks_fd = lcx__net_networks_lock(sweep->ctx, NULL);

	if (networks_fd >= 0)
		(void)lcx__remove_temporaries(networks_fd);
	for (size_t i = 0; sweep->networks[i]; i++) {
		CLEANUP(closep) int records_fd = -1;

		if (!has_records(sweep->ctx, sweep->networks[i]))
			continue;
		records_fd = lcx__net_records_lock(sweep->ctx, sweep->networks[i], NULL);
		if (records_fd >= 0)
			(void)lcx__remove_temporaries(records_fd);
	}
}

/* Names of networks on disk, and of those that only have records. */
static int list_networks(struct lcx_ctx *ctx, int networks_fd, char ***ret)
{
	CLEANUP(lcx__strv_freep) char **names = NULL, **running = NULL;
	CLEANUP(closep) int run_fd = lcx__net_run_dir(ctx, NULL);
	int r = lcx__net_list_names(networks_fd, false, &names);

	if (r == 0 && run_fd >= 0)
		r = lcx__net_list_names(run_fd, true, &running);
	for (size_t i = 0; r == 0 && running && running[i]; i++) {
		bool known = false;

		for (size_t k = 0; names[k]; k++)
			known = known || strcmp(names[k], running[i]) == 0;
		r = known ? 0 : lcx__strv_append(&names, running[i]);
	}
	if (r == 0)
		*ret = TAKE_PTR(names);
	return r;
}

static void sweep_networks(struct sweep *sweep, int networks_fd, char *const *names)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;

	for (size_t i = 0; names[i]; i++) {
		sweep_records(sweep, names[i]);
		sweep_leases(sweep, names[i]);
	}
	sweep_links(sweep);
	sweep_ports(sweep);
	sweep_temporaries(sweep);
	if (lcx_netlink_open(&nl, NULL) == 0)
		for (size_t i = 0; names[i]; i++)
			sweep_bridge(sweep, nl, networks_fd, names[i]);
}

int lcx__network_sweep(struct lcx_ctx *ctx, bool (*is_alive)(const char *owner, void *data),
		       void *data, uint32_t *ret_count, struct lcx_error **err)
{
	struct sweep sweep = {.ctx = ctx, .is_alive = is_alive, .data = data};
	CLEANUP(lcx__strv_freep) char **names = NULL;
	CLEANUP(closep) int networks_fd = -1;
	int r;

	/* A context that never had a network has nothing to look for, and needs no right to look.
	 */
	networks_fd = lcx__open_dir(ctx->root_fd, "networks");
	if (networks_fd == -ENOENT) {
		if (ret_count)
			*ret_count = 0;
		return 0;
	}
	if (networks_fd < 0)
		return lcx__fail_sys(err, -networks_fd, "open '%s/networks'", ctx->root_dir);
	r = list_networks(ctx, networks_fd, &names);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list networks");
	sweep.networks = names;
	sweep.removed = lcx__strv_copy(NULL);
	if (!sweep.removed)
		return lcx__fail_nomem(err);
	sweep_networks(&sweep, networks_fd, names);
	if (ret_count)
		*ret_count = (uint32_t)lcx__strv_length(sweep.removed);
	sweep.removed = lcx__strv_free(sweep.removed);
	return lcx__troubles_end(&sweep.troubles, err);
}

/* ---- reload ---- */

static void reload_ports(struct lcx_ctx *ctx, int records_fd, struct lcx__troubles *troubles)
{
	CLEANUP(lcx__strv_freep) char **owners = NULL;
	struct lcx_error *e = NULL;
	char comment[NET_MARK_SIZE];
	int r;

	if (lcx__net_list_names(records_fd, false, &owners) < 0)
		return;
	for (size_t i = 0; owners[i]; i++) {
		CLEANUP(lcx_attachment_freep) struct lcx_attachment *record = NULL;

		r = lcx__record_read(records_fd, owners[i], &record, &e);
		if (r == 0) {
			lcx__net_comment(ctx, owners[i], comment);
			r = lcx__firewall_add_ports(ctx, comment, record,
						    lcx__monitor_loopback_port(records_fd), false,
						    &e);
		}
		lcx__troubles_add(troubles, r == -ENOENT && !record ? 0 : r, &e);
	}
}

static void revive_monitor(struct lcx_ctx *ctx, const struct lcx_network *network,
			   struct lcx__troubles *troubles)
{
	struct lcx_error *e = NULL;
	CLEANUP(closep) int records_fd = lcx__net_records_lock(ctx, network->name, &e);
	int r = records_fd < 0 ? records_fd : lcx__monitor_revive(ctx, network, records_fd, &e);

	lcx__troubles_add(troubles, r, &e);
}

static void reload_network(struct lcx_ctx *ctx, struct lcx_netlink *nl, int networks_fd,
			   const char *name, bool revive, struct lcx__troubles *troubles)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, name, NULL);
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx_link_freep) struct lcx_link *link = NULL;
	struct lcx_error *e = NULL;
	char comment[NET_MARK_SIZE];
	uint16_t port;
	int r;

	if (records_fd < 0 || lcx__network_read(networks_fd, name, &network, NULL) < 0 ||
	    lcx__driver_of(network)->branch || lcx__bridge_find(ctx, nl, network, &link, NULL) <= 0)
		return;
	lcx__net_comment(ctx, name, comment);
	r = lcx__firewall_add_network(comment, network, 0, &e);
	lcx__troubles_add(troubles, r, &e);
	/* Before what leads to it. */
	if (revive)
		revive_monitor(ctx, network, troubles);
	port = lcx__monitor_port(records_fd);
	r = port ? lcx__firewall_add_names(comment, network, port, &e) : 0;
	lcx__troubles_add(troubles, r, &e);
	reload_ports(ctx, records_fd, troubles);
}

static int reload(struct lcx_ctx *ctx, bool revive, struct lcx_error **err)
{
	CLEANUP(lcx_netlink_freep) struct lcx_netlink *nl = NULL;
	CLEANUP(lcx__strv_freep) char **names = NULL;
	struct lcx__troubles troubles = TROUBLES_NONE;
	CLEANUP(closep) int networks_fd = -1;
	unsigned int bridges = 0;
	int r;

	networks_fd = lcx__net_networks_dir(ctx, err);
	if (networks_fd < 0)
		return networks_fd;
	r = lcx__net_list_names(networks_fd, false, &names);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list networks");
	r = lcx_netlink_open(&nl, err);
	if (r == 0)
		r = lcx__firewall_count_bridges(nl, &bridges, err);
	/* With no bridge there is nothing to protect. */
	if (r < 0 || bridges == 0)
		return r;
	r = lcx__firewall_set_up(lcx__forwarding_was_off(ctx), err);
	if (r < 0)
		return r;
	for (size_t i = 0; names[i]; i++)
		reload_network(ctx, nl, networks_fd, names[i], revive, &troubles);
	return lcx__troubles_end(&troubles, err);
}

int lcx__net_reload_table(struct lcx_ctx *ctx, struct lcx_error **err)
{
	return reload(ctx, false, err);
}

LCX_PUBLIC int lcx_net_reload(struct lcx_ctx *ctx, struct lcx_error **err)
{
	return reload(ctx, true, err);
}
