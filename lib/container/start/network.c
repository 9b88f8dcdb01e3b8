/* SPDX-License-Identifier: MIT */
#include "container/start/start.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "container/network/network.h"
#include "container/pod.h"
#include "container/users/users.h"
#include "net/net.h"
#include "net/pasta.h"
#include "util/fs.h"
#include "util/process.h"

/* A start's network: planned before anything is made, applied while the process sets up its files.
 */

static int add_ports(const struct lcx_container *c, struct lcx_attachment *attachment,
		     struct lcx_error **err)
{
	int r = 0;

	for (char **port = c->d.ports; r == 0 && port && *port; port++) {
		CLEANUP(lcx_port_freep) struct lcx_port *parsed = NULL;

		r = lcx_port_parse(*port, &parsed, err);
		if (r == 0)
			r = lcx_attachment_add_port(attachment, parsed, err);
	}
	return r;
}

static int open_place(struct start *s, size_t i, struct lcx_error **err)
{
	struct place *place = &s->places[i];
	int r = lcx_network_open(s->c->ctx, lcx__container_network_at(s->c, i), &place->network,
				 err);

	if (r == 0)
		r = lcx__container_attachment(s->c, i, &place->attachment, err);
	return r == 0 ? lcx__start_keep_addresses(s, place, err) : r;
}

/* That gives the way out, and so publishes: the highest priority, among equals the first. */
static struct place *way_out(const struct start *s)
{
	struct place *found = NULL;

	for (size_t i = 0; i < s->n_places; i++) {
		struct place *place = &s->places[i];

		if (!lcx_network_internal(place->network) &&
		    (!found || lcx_attachment_gateway_priority(place->attachment) >
				       lcx_attachment_gateway_priority(found->attachment)))
			found = place;
	}
	return found ? found : s->places;
}

/* Ports that are taken are an error before anything is made. */
static int plan(struct start *s, struct lcx_error **err)
{
	int r = add_ports(s->c, way_out(s)->attachment, err);

	for (size_t i = 0; r == 0 && i < s->n_places; i++)
		r = lcx__network_plan(s->c->ctx, s->places[i].network, s->places[i].attachment,
				      err);
	return r;
}

/* ---- pasta ---- */

static int plan_pasta(struct start *s, struct lcx_error **err)
{
	int r = lcx__container_check_pasta(s->c, err);

	if (r == 0)
		r = lcx_attachment_new(s->c->d.id, &s->pasta, err);
	if (r == 0)
		r = add_ports(s->c, s->pasta, err);
	return r == 0 ? lcx__pasta_plan(s->pasta, err) : r;
}

/*
 * Journalled when it is there: before that, and whatever becomes of this process, its keeper ends
 * it with the container's. The entry is for those who can't wait for that: its ports are wanted
 * again.
 */
static int start_pasta(struct start *s, int netlink_fd, struct lcx_error **err)
{
	const struct run_state *run = &s->c->run;
	CLEANUP(closep) int pidfd = lcx__open_process(run->pid.value, run->start_time.value);
	CLEANUP(freep) char *object = NULL;
	int64_t start_time;
	int pid, r;

	if (pidfd < 0)
		return lcx__fail_sys(err, -pidfd, "open process %jd", (intmax_t)run->pid.value);
	pid = lcx__pasta_start(s->pasta, netlink_fd, pidfd, err);
	if (pid < 0)
		return pid;
	r = lcx__read_start_time(pid, &start_time);
	if (r < 0)
		return lcx__fail_sys(err, -r, "pasta, process %d", pid);
	object = lcx__format("%d %jd", pid, (intmax_t)start_time);
	return object ? lcx__journal_add(s->c->run_fd, "pasta", object, err) : lcx__fail_nomem(err);
}

/* ---- its stage, and what is done while the process is launched ---- */

int lcx__start_network(struct start *s, struct lcx_error **err)
{
	struct lcx_container *c = s->c;
	size_t n = lcx__container_network_count(c);
	int r = lcx__container_open_shared(c, s->shared, &s->n_shared, err);

	if (r == 0 && lcx__network_is_pasta(c->d.network))
		return plan_pasta(s, err);
	if (r < 0 || n == 0)
		return r;
	s->places = calloc(n, sizeof(*s->places));
	if (!s->places)
		return lcx__fail_nomem(err);
	s->n_places = n;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = open_place(s, i, err);
	if (r == 0)
		r = plan(s, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = lcx__journal_add(c->run_fd, "network", lcx__container_network_at(c, i), err);
	return r;
}

/*
 * The first of its networks needs no socket of the namespace for this: meanwhile the process begins
 * to set up its files. One with users of its own waits for these; and where interfaces are lent,
 * these choose their names first.
 */
int lcx__start_connect(struct start *s, struct lcx_error **err)
{
	struct place *first = s->places;
	int64_t began = lcx__monotonic_ns();
	int r;

	if (s->n_places == 0 || lcx__container_is_lent(s->c) || lcx__container_has_users(s->c))
		return 0;
	r = lcx__network_connect(s->c->ctx, first->network, first->attachment, s->netns_fd, err);
	first->connected = r == 0;
	lcx__add_step(s->c, " ", "connect to the network", lcx__monotonic_ns() - began);
	return lcx__fail_stage(err, r, "network");
}

static int apply(struct start *s, struct place *place, int netlink_fd, struct lcx_error **err)
{
	return (place->connected ? lcx__network_finish : lcx__network_apply)(
		s->c->ctx, place->network, place->attachment, s->netns_fd, netlink_fd, err);
}

int lcx__start_on_netlink(void *data, int netlink_fd, struct lcx_error **err)
{
	struct start *s = data;
	int64_t began = lcx__monotonic_ns();
	/* First: names that are free are chosen for the others. */
	int r = lcx__start_lend(s, netlink_fd, err);

	for (size_t i = 0; r == 0 && i < s->n_places; i++)
		r = apply(s, &s->places[i], netlink_fd, err);
	if (r == 0 && s->pasta)
		r = start_pasta(s, netlink_fd, err);
	closep(&s->netns_fd);
	lcx__add_step(s->c, " ", "attach to the network", lcx__monotonic_ns() - began);
	return lcx__fail_stage(err, r, "network");
}

/* Of the network that publishes them. */
static void describe_ports(const struct lcx_attachment *attachment, struct lcx__strbuf *text)
{
	for (uint32_t i = 0; i < lcx_attachment_port_count(attachment); i++) {
		const struct lcx_port *port = lcx_attachment_port(attachment, i);
		uint16_t last = (uint16_t)(lcx_port_count(port) - 1);

		lcx__strbuf_addf(text, "%s%s:%u", i ? ", " : "", lcx_port_host_address(port),
				 lcx_port_host_port(port));
		if (last)
			lcx__strbuf_addf(text, "-%u", lcx_port_host_port(port) + last);
		lcx__strbuf_addf(text, "->%u", lcx_port_container_port(port));
		if (last)
			lcx__strbuf_addf(text, "-%u", lcx_port_container_port(port) + last);
		lcx__strbuf_addf(text, "/%s", lcx_port_protocol(port));
	}
}

int lcx__start_record_network(struct start *s, struct lcx_error **err)
{
	struct lcx__strbuf ports = STRBUF_EMPTY;
	struct run_state *run = &s->c->run;

	if (s->n_places == 0 && !s->pasta)
		return 0;
	/* With pasta it has those of the host. */
	run->address = strdup(s->pasta ? "" : lcx_attachment_address(s->places[0].attachment));
	run->mac = strdup(s->pasta ? "" : lcx_attachment_mac(s->places[0].attachment));
	lcx__strbuf_adds(&ports, "");
	if (s->pasta)
		describe_ports(s->pasta, &ports);
	for (size_t i = 0; i < s->n_places; i++)
		describe_ports(s->places[i].attachment, &ports);
	run->ports = lcx__strbuf_take(&ports);
	return run->address && run->mac && run->ports ? 0 : lcx__fail_nomem(err);
}

/* ---- the files that describe it to the container ----------------------- */

/*
 * Contents that depend on the address are filled in later, into the same files. Cut after the
 * writing: for a file that was emptied first, ext4 waits for the disk when it is closed. They are
 * with the container, not in the run directory, whose memory they could fill: it writes to them.
 */
static int write_file(struct lcx_container *c, const char *name, const char *text,
		      struct lcx_error **err)
{
	CLEANUP(closep)
	int fd = openat(c->dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t length = strlen(text);
	int r;

	if (fd < 0 || fchmod(fd, 0644) < 0)
		return lcx__fail_sys(err, errno, "write '%s'", name);
	r = lcx__write_all(fd, text, length);
	if (r == 0 && ftruncate(fd, (off_t)length) < 0)
		r = -errno;
	if (r == 0)
		r = lcx__container_own_file(c, fd);
	return r < 0 ? lcx__fail_sys(err, -r, "write '%s'", name) : 0;
}

static const char *hostname_of(const struct lcx_container *c)
{
	return c->spec->hostname ? c->spec->hostname : "localhost";
}

/* That of the network with the way out, if it has one; else the first. */
static const char *name_server(struct start *s)
{
	const struct place *way = s->n_places > 0 ? way_out(s) : NULL;
	const char *server = way ? lcx__network_name_server(way->network, way->attachment) : NULL;

	for (size_t i = 0; i < s->n_places && !server; i++)
		server = lcx__network_name_server(s->places[i].network, s->places[i].attachment);
	return server;
}

/* This host's address on the network with the way out, else on the first one, if it is there. */
static const char *host_address(struct start *s)
{
	const struct place *way = s->n_places > 0 ? way_out(s) : NULL;
	const struct lcx_network *network;

	if (strcmp(s->c->d.network, "host") == 0)
		return "127.0.0.1";
	if (s->n_places == 0)
		return NULL;
	network = (way ? way : s->places)->network;
	return strcmp(lcx_network_driver(network), "bridge") == 0 ? lcx_network_gateway(network)
								  : NULL;
}

/* @is_final: it has its addresses, if it gets any. */
static int write_hosts(struct start *s, bool is_final, struct lcx_error **err)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf all = STRBUF_EMPTY;
	CLEANUP(freep) char *text = NULL;
	const char *address =
		s->n_places > 0 ? lcx_attachment_address(s->places[0].attachment) : NULL;
	int r = lcx_net_hosts_file(hostname_of(s->c), address, &text, err);

	if (r < 0)
		return r;
	lcx__strbuf_adds(&all, text);
	r = lcx__container_add_hosts(s->c, host_address(s), is_final, &all, err);
	if (r < 0)
		return r;
	return all.failed ? lcx__fail_nomem(err) : write_file(s->c, "hosts", all.text, err);
}

/* The host's servers; once the container has an address, its network's resolver. */
static int write_resolv_conf(struct start *s, const char *server, struct lcx_error **err)
{
	CLEANUP(freep) char *text = NULL;
	int r = lcx__container_resolv_conf(s->c, server, &text, err);

	return r < 0 ? r : write_file(s->c, "resolv.conf", text, err);
}

int lcx__start_files(struct start *s, struct lcx_error **err)
{
	CLEANUP(freep) char *hostname = NULL;
	int r;

	if (!lcx__container_has_files(s->c))
		return 0;
	r = lcx_net_hostname_file(hostname_of(s->c), &hostname, err);
	if (r == 0)
		r = write_file(s->c, "hostname", hostname, err);
	if (r == 0)
		r = write_resolv_conf(
			s, lcx__network_is_pasta(s->c->d.network) ? lcx__pasta_name_server() : NULL,
			err);
	if (r == 0)
		r = write_hosts(s, !lcx__container_has_network(s->c), err);
	return r;
}

int lcx__start_write_hosts(struct start *s, struct lcx_error **err)
{
	const char *server = name_server(s);
	int r;

	if (s->n_places == 0 || !lcx__container_has_files(s->c))
		return 0;
	r = write_hosts(s, true, err);
	return r == 0 && server ? write_resolv_conf(s, server, err) : r;
}
