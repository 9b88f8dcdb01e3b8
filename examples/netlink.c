/* SPDX-License-Identifier: MIT */

/*
 * lib/netlink on its own: a bridge with an address, and a cable from it into
 * another network namespace. Run it as root:
 *
 *     netlink BRIDGE ADDRESS/PREFIX NETNS-FILE INNER-ADDRESS/PREFIX
 *
 * e.g. `netlink br7 10.77.0.1/24 /run/netns/red 10.77.0.2/24`; with no argument
 * it lists the interfaces. The example has no socket inside the namespace, and
 * the library never enters one, so the inner end is configured in a child of ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lcx/netlink.h>

static int complain(int r, struct lcx_error *err)
{
	if (r < 0)
		fprintf(stderr, "netlink: %s\n", lcx_error_message(err));
	lcx_error_free(err);
	return r < 0 ? 1 : 0;
}

static int list(struct lcx_netlink *nl, struct lcx_error **err)
{
	struct lcx_link_list *links = NULL;
	const struct lcx_link *link;
	int r = lcx_link_list_open(nl, 0, &links, err);

	if (r < 0)
		return r;
	while ((link = lcx_link_list_next(links))) {
		struct lcx_address_list *addresses = NULL;

		printf("%u %s %s mtu %u %s\n", lcx_link_index(link), lcx_link_name(link),
		       lcx_link_kind(link), lcx_link_mtu(link), lcx_link_alias(link));
		r = lcx_address_list_open(nl, lcx_link_index(link), &addresses, err);
		while (r == 0 && lcx_address_list_next(addresses))
			printf("    %s\n", lcx_address_list_text(addresses));
		lcx_address_list_free(addresses);
		if (r < 0)
			break;
	}
	lcx_link_list_free(links);
	return r;
}

/* Up, with an address. */
static int configure(struct lcx_netlink *nl, const char *name, const char *address,
		     struct lcx_error **err)
{
	struct lcx_link *link = NULL;
	int r = lcx_link_open(nl, name, &link, err);

	if (r == 0)
		r = lcx_address_add(nl, lcx_link_index(link), address, err);
	if (r == 0)
		r = lcx_link_set_up(nl, lcx_link_index(link), true, err);
	lcx_link_free(link);
	return r;
}

static int configure_inside(int netns_fd, const char *address)
{
	struct lcx_netlink *nl = NULL;
	struct lcx_error *err = NULL;
	int status = 1, r;
	pid_t pid = fork();

	if (pid == 0) {
		r = setns(netns_fd, CLONE_NEWNET) < 0 ? -errno : lcx_netlink_open(&nl, &err);
		if (r == 0)
			r = configure(nl, "eth0", address, &err);
		_exit(complain(r, err));
	}
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	return status == 0 ? 0 : -EIO;
}

static int cable(struct lcx_netlink *nl, const char *bridge, const char *address, int netns_fd,
		 const char *inner, struct lcx_error **err)
{
	struct lcx_link_config *near_end = NULL, *far_end = NULL;
	struct lcx_link *link = NULL;
	int r = lcx_bridge_create(nl, bridge, NULL, err);

	if (r == 0)
		r = configure(nl, bridge, address, err);
	if (r == 0)
		r = lcx_link_open(nl, bridge, &link, err);
	if (r == 0)
		r = lcx_link_config_new(&near_end, err);
	if (r == 0)
		r = lcx_link_config_new(&far_end, err);
	if (r == 0) {
		(void)lcx_link_config_set_master(near_end, lcx_link_index(link), NULL);
		(void)lcx_link_config_set_up(near_end, true, NULL);
		(void)lcx_link_config_set_alias(near_end, "made by the netlink example", NULL);
		(void)lcx_link_config_set_netns_fd(far_end, netns_fd, NULL);
		r = lcx_veth_create(nl, "lcxdemo0", near_end, "eth0", far_end, err);
	}
	if (r == 0)
		r = configure_inside(netns_fd, inner);
	lcx_link_config_free(near_end);
	lcx_link_config_free(far_end);
	lcx_link_free(link);
	return r;
}

int main(int argc, char **argv)
{
	struct lcx_netlink *nl = NULL;
	struct lcx_error *err = NULL;
	int netns_fd = -1, r;

	r = lcx_netlink_open(&nl, &err);
	if (r == 0 && argc == 1)
		r = list(nl, &err);
	if (r == 0 && argc == 5) {
		netns_fd = open(argv[3], O_RDONLY | O_CLOEXEC);
		if (netns_fd < 0)
			perror(argv[3]);
		r = netns_fd < 0 ? -ENOENT : cable(nl, argv[1], argv[2], netns_fd, argv[4], &err);
	}
	if (netns_fd >= 0)
		close(netns_fd);
	lcx_netlink_free(nl);
	return complain(r, err);
}
