/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

#include "net/driver.h"

static struct unit_dir dir;
static struct lcx_ctx *ctx;

static void set_up(void)
{
	unit_dir_make(&dir);
	ck_assert_ok(lcx__ctx_new(dir.path, NULL, &ctx, NULL));
}

static void tear_down(void)
{
	ctx = lcx_ctx_free(ctx);
	unit_dir_remove(&dir);
}

/* ---- ports ---- */

static const struct {
	const char *text, *address;
	unsigned int host, container, count;
	const char *protocol;
} port_cases[] = {
	{"80", "0.0.0.0", 0, 80, 1, "tcp"},
	{"8080:80", "0.0.0.0", 8080, 80, 1, "tcp"},
	{"8080:80/udp", "0.0.0.0", 8080, 80, 1, "udp"},
	{"127.0.0.1:8080:80/sctp", "127.0.0.1", 8080, 80, 1, "sctp"},
	{"127.0.0.1::80", "127.0.0.1", 0, 80, 1, "tcp"},
	{":80", "0.0.0.0", 0, 80, 1, "tcp"},
	{"8000-8010:9000-9010/tcp", "0.0.0.0", 8000, 9000, 11, "tcp"},
	{"65535:65535", "0.0.0.0", 65535, 65535, 1, "tcp"},
	{"1-65535:1-65535", "0.0.0.0", 1, 1, 65535, "tcp"},
	{"[fd00::1]:8080:80", "fd00::1", 8080, 80, 1, "tcp"},
	{"[::]::80/udp", "::", 0, 80, 1, "udp"},
};

START_TEST(published_port_is_parsed)
{
	CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;

	ck_assert_ok(lcx_port_parse(port_cases[_i].text, &port, NULL));
	ck_assert_str_eq(lcx_port_host_address(port), port_cases[_i].address);
	ck_assert_uint_eq(lcx_port_host_port(port), port_cases[_i].host);
	ck_assert_uint_eq(lcx_port_container_port(port), port_cases[_i].container);
	ck_assert_uint_eq(lcx_port_count(port), port_cases[_i].count);
	ck_assert_str_eq(lcx_port_protocol(port), port_cases[_i].protocol);
	ck_assert_ok(lcx_attachment_new("web", &attachment, NULL));
	ck_assert_ok(lcx_attachment_add_port(attachment, port, NULL));
}
END_TEST

static const char *const bad_ports[] = {
	"",
	"0",
	"65536",
	"80/",
	"80/icmp",
	"80/TCP",
	"x",
	"-80",
	"80-",
	"90-80",
	" 80",
	"80 ",
	"+80",
	"0x50",
	"8080:80:90:100",
	"8080:",
	"8000-8001:80",
	"80:8000-8001",
	"1.2.3:80:80",
	"::1:80:80",
	"fd00::1:80:80",
	"[fd00::1:80:80",
	"[::1]:80:80/udp",
	"80:0",
	"0:80",
	"99999999999999999999:80",
	"80\n",
	"127.0.0.1:80:80:80/tcp",
	"host:80:80",
	("0000000000000000000000000000000000000000000000000000000000000000000000000"
	 "0000000000000000000000000000000000000000000000000000000000000000000000080"),
};

START_TEST(wrong_port_is_refused_with_the_grammar)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_port *port = NULL;
	int r = lcx_port_parse(bad_ports[_i], &port, &err);

	ck_assert_msg(r == -EINVAL || r == -EAFNOSUPPORT, "'%s' gives %d", bad_ports[_i], r);
	ck_assert_ptr_null(port);
	ck_assert(strstr(lcx_error_message(err), "published port") != NULL);
}
END_TEST

START_TEST(range_beyond_the_last_port_is_refused)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL;
	CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(lcx_attachment_new("web", &attachment, NULL));
	ck_assert_ok(lcx_port_new(65000, &port, NULL));
	ck_assert_ok(lcx_port_set_count(port, 537, NULL));
	ck_assert_fails(lcx_attachment_add_port(attachment, port, &err), EINVAL, err,
			"beyond 65535");
	ck_assert_ok(lcx_port_set_count(port, 536, NULL));
	ck_assert_ok(lcx_attachment_add_port(attachment, port, NULL));
	ck_assert_uint_eq(lcx_attachment_port_count(attachment), 1);
	ck_assert_ptr_null(lcx_attachment_port(attachment, 1));
}
END_TEST

/* ---- networks on disk ---- */

START_TEST(network_is_read_as_it_was_written)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL, *read = NULL;
	CLEANUP(closep) int fd = -1;

	ck_assert_ok(lcx_network_new("web", &network, NULL));
	ck_assert_ok(lcx_network_set_range(network, "10.99.0.128/25", NULL));
	ck_assert_ok(lcx_network_add_subnet(network, "fd00:99::/64", NULL));
	ck_assert_ok(lcx_network_add_exclusion(network, "fd00:99::7", NULL));
	ck_assert_ok(lcx_network_set_gateway(network, "10.99.0.254", NULL));
	ck_assert_ok(lcx_network_add_subnet(network, "10.99.0.0/24", NULL));
	ck_assert_ok(lcx_network_set_bridge(network, "br7", NULL));
	ck_assert_ok(lcx_network_set_mtu(network, 1400, NULL));
	ck_assert_ok(lcx_network_set_internal(network, true, NULL));
	strcpy(network->created, "2026-01-31T23:59:59.000000001Z");
	fd = lcx__net_networks_lock(ctx, NULL);
	ck_assert_ok(fd);
	ck_assert_ok(lcx__network_settle_subnets(fd, network, NULL));
	ck_assert_ok(lcx__network_write(fd, network, NULL));

	ck_assert_ok(lcx_network_open(ctx, "web", &read, NULL));
	ck_assert_str_eq(lcx_network_subnet(read), "10.99.0.0/24");
	ck_assert_str_eq(lcx_network_gateway(read), "10.99.0.254");
	ck_assert_str_eq(lcx_network_range_at(read, 0), "10.99.0.128/25");
	ck_assert_uint_eq(lcx_network_subnet_count(read), 2);
	ck_assert_str_eq(lcx_network_subnet_at(read, 1), "fd00:99::/64");
	ck_assert_str_eq(lcx_network_gateway_at(read, 1), "fd00:99::1");
	ck_assert_str_eq(lcx_network_range_at(read, 1), "");
	ck_assert_ptr_null(lcx_network_subnet_at(read, 2));
	ck_assert_uint_eq(lcx_network_exclusion_count(read), 1);
	ck_assert_str_eq(lcx_network_exclusion(read, 0), "fd00:99::7");
	ck_assert_str_eq(lcx_network_bridge(read), "br7");
	ck_assert_uint_eq(lcx_network_mtu(read), 1400);
	ck_assert(lcx_network_internal(read));
	ck_assert_str_eq(lcx_network_created(read), network->created);
}
END_TEST

START_TEST(frames_are_kept_and_said_in_words)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL, *record = NULL;
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL, *read = NULL;
	CLEANUP(closep) int fd = lcx__net_records_lock(ctx, "bridge", NULL);

	ck_assert_ok(lcx_network_new("web", &network, NULL));
	ck_assert_ok(lcx_network_set_option(network, "hairpin", "1", NULL));
	ck_assert_ok(lcx_network_set_option(network, "promiscuous", "", NULL));
	ck_assert_int_eq(lcx_network_set_option(network, "hairpin", "yes", NULL), -EINVAL);
	ck_assert_ok(lcx_network_create(ctx, network, NULL));
	ck_assert_ok(lcx_network_open(ctx, "web", &read, NULL));
	ck_assert(lcx_network_hairpin(read) && lcx_network_promiscuous(read));

	ck_assert_ok(lcx_attachment_new("web", &attachment, NULL));
	ck_assert_ok(lcx_attachment_set_option(attachment, "promiscuous", "true", NULL));
	ck_assert_ok(lcx_attachment_set_option(attachment, "hairpin", "false", NULL));
	ck_assert_ok(lcx__record_write(fd, attachment, NULL));
	ck_assert_ok(lcx__record_read(fd, "web", &record, NULL));
	ck_assert(lcx_attachment_promiscuous(record) && !lcx_attachment_hairpin(record));
}
END_TEST

START_TEST(network_on_a_parent_is_read_as_it_was_written)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL, *read = NULL;
	CLEANUP(closep) int fd = lcx__net_networks_lock(ctx, NULL);

	ck_assert_ok(lcx_network_new("web", &network, NULL));
	ck_assert_ok(lcx_network_set_driver(network, "ipvlan", NULL));
	ck_assert_ok(lcx_network_set_option(network, "parent", "eth0.10", NULL));
	ck_assert_ok(lcx_network_set_option(network, "ipvlan_mode", "l3s", NULL));
	ck_assert_ok(lcx_network_set_option(network, "ipvlan_flag", "vepa", NULL));
	ck_assert_ok(lcx_network_set_subnet(network, "10.99.0.0/24", NULL));
	ck_assert_ok(lcx__driver_settle(fd, network, NULL));
	ck_assert_ok(lcx__network_settle_subnets(fd, network, NULL));
	ck_assert_ok(lcx__network_write(fd, network, NULL));

	ck_assert_ok(lcx_network_open(ctx, "web", &read, NULL));
	ck_assert_str_eq(lcx_network_driver(read), "ipvlan");
	ck_assert_str_eq(lcx_network_parent(read), "eth0.10");
	ck_assert_str_eq(lcx_network_mode(read), "l3s");
	ck_assert_str_eq(read->flag, "vepa");
	ck_assert_str_eq(lcx_network_bridge(read), "");
	ck_assert(lcx__driver_routes(read));
	ck_assert(!lcx__driver_gives_mac(read));
}
END_TEST

START_TEST(record_of_a_branch_tells_where_it_is)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL, *read = NULL;
	CLEANUP(closep) int fd = lcx__net_records_lock(ctx, "bridge", NULL);

	ck_assert_ok(lcx_attachment_new("web", &attachment, NULL));
	attachment->netns_number = 7;
	attachment->inner_index = 0x40000001;
	ck_assert_ok(lcx__record_write(fd, attachment, NULL));
	ck_assert_ok(lcx__record_read(fd, "web", &read, NULL));
	ck_assert_int_eq(read->netns_number, 7);
	ck_assert_uint_eq(read->inner_index, 0x40000001);
	ck_assert_ok(lcx__record_remove(fd, "web", NULL));
}
END_TEST

/* The first one is whole: what the others lack is what they are refused for. */
static const char *const damaged_networks[] = {
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"",
	"[]",
	"{",
	"{}",
	"{\"name\":\"web\"}",
	"{\"name\":\"other\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bus\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0\",\"gateway\":"
	"\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.8.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"../b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":-1,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[1],\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":{},\"exclusions\":[],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[\"x\"],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[1],"
	"\"bridge\":\"b\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"macvlan\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"parent\":\"eth0\",\"mode\":\"bridge\",\"flag\":\"\",\"mtu\":0,"
	"\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"macvlan\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"\",\"parent\":\"../"
	"eth0\",\"mode\":\"bridge\",\"flag\":\"\",\"mtu\":0,\"internal\":false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"macvlan\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"\",\"parent\":\"eth0\",\"mode\":\"l2\",\"flag\":\"\",\"mtu\":0,\"internal\":"
	"false,\"created\":\"x\"}",
	"{\"name\":\"web\",\"driver\":\"bridge\",\"subnets\":[{\"subnet\":\"10.9.0.0/"
	"24\",\"gateway\":\"10.9.0.1\",\"range\":\"\",\"chosen\":true}],\"exclusions\":[],"
	"\"bridge\":\"b\",\"parent\":\"eth0\",\"mode\":\"\",\"flag\":\"\",\"mtu\":0,\"internal\":"
	"false,\"created\":\"x\"}",
};

START_TEST(damaged_network_is_said_to_be)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(closep) int fd = lcx__net_networks_lock(ctx, NULL);
	struct lcx_network *network = NULL;

	ck_assert_ok(lcx__replace_file(fd, "web.json", damaged_networks[_i],
				       strlen(damaged_networks[_i]), 0600, false));
	if (_i == 0) {
		ck_assert_ok(lcx_network_open(ctx, "web", &network, NULL));
		lcx_network_free(network);
		return;
	}
	ck_assert_fails(lcx_network_open(ctx, "web", &network, &err), EUCLEAN, err, "damaged");
	ck_assert_ptr_null(network);
}
END_TEST

START_TEST(names_that_are_paths_are_refused)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_network *network = NULL;
	struct lcx_attachment *attachment = NULL;

	ck_assert_fails(lcx_network_new("../x", &network, &err), EINVAL, err, "cannot name");
	ck_assert_fails(lcx_network_new("host", &network, &err), EINVAL, err, "cannot name");
	ck_assert_fails(lcx_network_new("pasta", &network, &err), EINVAL, err, "cannot name");
	ck_assert_fails(lcx_network_open(ctx, "a/b", &network, &err), EINVAL, err, "cannot name");
	ck_assert_fails(lcx_network_open(ctx, "nosuch", &network, &err), ENOENT, err, "create it");
	ck_assert_fails(lcx_network_remove(ctx, "..", &err), EINVAL, err, "cannot name");
	ck_assert_fails(lcx_attachment_new("a/b", &attachment, &err), EINVAL, err, "owner");
	ck_assert_fails(lcx_network_detach(ctx, "bridge", "../x", &err), EINVAL, err,
			"cannot name");
}
END_TEST

static const struct {
	const char *subnet;
	int r;
} subnet_cases[] = {
	{"10.89.0.0/24", 0},       {"10.89.0.0/30", 0},     {"10.89.0.0/31", -EINVAL},
	{"10.89.0.1/24", -EINVAL}, {"10.0.0.0/7", -EINVAL}, {"fd00::/64", 0},
	{"fd00::/126", 0},         {"fd00::/127", -EINVAL}, {"fd00::1/64", -EINVAL},
	{"fe80::/64", -EINVAL},    {"::/16", -EINVAL},      {"224.0.0.0/24", -EINVAL},
	{"10.89.0.0", -EINVAL},    {"bridge", -EINVAL},
};

START_TEST(subnets_of_networks_are_checked)
{
	CLEANUP(lcx_network_freep) struct lcx_network *network = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;

	ck_assert_ok(lcx_network_new("web", &network, NULL));
	ck_assert_int_eq(lcx_network_set_subnet(network, subnet_cases[_i].subnet, &err),
			 subnet_cases[_i].r);
}
END_TEST

/* ---- records ---- */

START_TEST(record_is_read_as_it_was_written)
{
	CLEANUP(lcx_attachment_freep) struct lcx_attachment *attachment = NULL, *read = NULL;
	CLEANUP(lcx_port_freep) struct lcx_port *port = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(closep) int fd = -1;

	ck_assert_fails(lcx_attachment_open(ctx, "bridge", "web", &read, &err), ENOENT, err,
			"not attached");
	ck_assert_ok(lcx_attachment_new("web", &attachment, NULL));
	ck_assert_ok(lcx_attachment_set_address(attachment, "10.88.0.7", NULL));
	ck_assert_ok(lcx_attachment_set_mac(attachment, "02:42:0a:58:00:02", NULL));
	strcpy(attachment->network, "bridge");
	ck_assert_ok(lcx_port_parse("127.0.0.1:80-90:80-90/udp", &port, NULL));
	ck_assert_ok(lcx_attachment_add_port(attachment, port, NULL));
	fd = lcx__net_records_lock(ctx, "bridge", NULL);
	ck_assert_ok(fd);
	ck_assert_ok(lcx__record_write(fd, attachment, NULL));

	ck_assert_ok(lcx_attachment_open(ctx, "bridge", "web", &read, NULL));
	ck_assert_str_eq(lcx_attachment_address(read), "10.88.0.7");
	ck_assert_str_eq(lcx_attachment_mac(read), "02:42:0a:58:00:02");
	ck_assert_str_eq(lcx_attachment_interface(read), "eth0");
	ck_assert_uint_eq(lcx_port_count(lcx_attachment_port(read, 0)), 11);
	ck_assert_str_eq(lcx_port_protocol(lcx_attachment_port(read, 0)), "udp");
	ck_assert_ok(lcx__record_remove(fd, "web", NULL));
	ck_assert_ok(lcx__record_remove(fd, "web", NULL));
	read = lcx_attachment_free(read);
	ck_assert_fails(lcx_attachment_open(ctx, "bridge", "web", &read, &err), ENOENT, err,
			"not attached");
}
END_TEST

START_TEST(several_failures_are_all_told)
{
	struct lcx__troubles troubles = TROUBLES_NONE;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx_error *e = NULL;

	lcx__troubles_add(&troubles, 0, &e);
	lcx__troubles_add(&troubles, lcx__fail(&e, EBUSY, "one"), &e);
	lcx__troubles_add(&troubles, lcx__fail(&e, EPERM, "two"), &e);
	ck_assert_ptr_null(e);
	ck_assert_fails(lcx__troubles_end(&troubles, &err), EBUSY, err, "one; two");
}
END_TEST

/* ---- files ---- */

static char *resolv(const char *text, bool keep)
{
	char *result = NULL;

	ck_assert_ok(lcx_net_resolv_conf(text, NULL, NULL, NULL, keep, &result, NULL));
	return result;
}

static const struct {
	const char *host;
	bool keep_loopback;
	const char *container;
} resolv_cases[] = {
	{"nameserver 192.0.2.53\n", false, "nameserver 192.0.2.53\n"},
	{"# x\n;y\nsearch a.example  b.example \nnameserver\t192.0.2.53\noptions ndots:2\n", false,
	 "nameserver 192.0.2.53\nsearch a.example  b.example\noptions ndots:2\n"},
	{"nameserver 127.0.0.53\nnameserver 192.0.2.53\n", false, "nameserver 192.0.2.53\n"},
	{"nameserver 127.0.0.53\n", true, "nameserver 127.0.0.53\n"},
	{"nameserver 127.0.0.53\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver 0.0.0.0\n",
	 false, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
	{"", false, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
	{"nameserver", false, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"},
	{"domain one\nsearch two\nnameserver 192.0.2.1", false,
	 "nameserver 192.0.2.1\nsearch two\n"},
	{"nameserver 192.0.2.1\r\n", false, "nameserver 192.0.2.1\n"},
	{"sortlist 1\nnameserver fd00::53\n", false, "nameserver fd00::53\n"},
};

START_TEST(resolv_conf_loses_what_is_the_hosts_only)
{
	CLEANUP(freep) char *text = resolv(resolv_cases[_i].host, resolv_cases[_i].keep_loopback);

	ck_assert_str_eq(text, resolv_cases[_i].container);
}
END_TEST

START_TEST(resolv_conf_takes_what_is_asked_for)
{
	static const char *const servers[] = {"192.0.2.1", "192.0.2.2", NULL},
				 *const search[] = {".", NULL},
				 *const options[] = {"ndots:5", "edns0", NULL},
				 *const bad[] = {"a\nb", NULL};
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = NULL;

	ck_assert_ok(lcx_net_resolv_conf("search x\nnameserver 1.1.1.1\n", servers, search, options,
					 false, &text, NULL));
	ck_assert_str_eq(text,
			 "nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions ndots:5 edns0\n");
	ck_assert_fails(lcx_net_resolv_conf("", NULL, bad, NULL, false, &text, &err), EINVAL, err,
			"resolv.conf");
	ck_assert_fails(lcx_net_resolv_conf("", bad, NULL, NULL, false, &text, &err), EINVAL, err,
			"not an address");
}
END_TEST

static const struct {
	const char *name;
	bool valid;
} host_cases[] = {
	{"web", true},
	{"web.example.org", true},
	{"a-b_c.1", true},
	{"", false},
	{".web", false},
	{"web.", false},
	{"a..b", false},
	{"-a", false},
	{"a-", false},
	{"a.-b", false},
	{"a b", false},
	{"a\nb", false},
	{"ä", false},
	{"a23456789012345678901234567890123456789012345678901234567890123", true},
	{"a234567890123456789012345678901234567890123456789012345678901234", false},
};

START_TEST(host_names_are_checked)
{
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = NULL;

	ck_assert_int_eq(lcx_net_hostname_file(host_cases[_i].name, &text, &err),
			 host_cases[_i].valid ? 0 : -EINVAL);
}
END_TEST

START_TEST(hosts_file_names_the_container)
{
	CLEANUP(freep) char *text = NULL, *bare = NULL;

	ck_assert_ok(lcx_net_hosts_file("web.example.org", "10.88.0.2", &text, NULL));
	ck_assert(strstr(text, "\n10.88.0.2\tweb.example.org web\n") != NULL);
	ck_assert(strstr(text, "127.0.0.1\tlocalhost\n") == text);
	ck_assert_ok(lcx_net_hosts_file("web", NULL, &bare, NULL));
	ck_assert(strstr(bare, "\n127.0.1.1\tweb\n") != NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net");
	TCase *ports = tcase_create("ports"), *disk = tcase_create("disk"),
	      *files = tcase_create("files");

	tcase_add_loop_test(ports, published_port_is_parsed, 0, ARRAY_SIZE(port_cases));
	tcase_add_loop_test(ports, wrong_port_is_refused_with_the_grammar, 0,
			    ARRAY_SIZE(bad_ports));
	tcase_add_test(ports, range_beyond_the_last_port_is_refused);
	suite_add_tcase(suite, ports);

	tcase_add_checked_fixture(disk, set_up, tear_down);
	tcase_add_test(disk, network_is_read_as_it_was_written);
	tcase_add_test(disk, frames_are_kept_and_said_in_words);
	tcase_add_test(disk, network_on_a_parent_is_read_as_it_was_written);
	tcase_add_test(disk, record_of_a_branch_tells_where_it_is);
	tcase_add_loop_test(disk, damaged_network_is_said_to_be, 0, ARRAY_SIZE(damaged_networks));
	tcase_add_test(disk, names_that_are_paths_are_refused);
	tcase_add_loop_test(disk, subnets_of_networks_are_checked, 0, ARRAY_SIZE(subnet_cases));
	tcase_add_test(disk, record_is_read_as_it_was_written);
	tcase_add_test(disk, several_failures_are_all_told);
	suite_add_tcase(suite, disk);

	tcase_add_loop_test(files, resolv_conf_loses_what_is_the_hosts_only, 0,
			    ARRAY_SIZE(resolv_cases));
	tcase_add_test(files, resolv_conf_takes_what_is_asked_for);
	tcase_add_loop_test(files, host_names_are_checked, 0, ARRAY_SIZE(host_cases));
	tcase_add_test(files, hosts_file_names_the_container);
	suite_add_tcase(suite, files);
	return unit_run(suite);
}
