/* SPDX-License-Identifier: MIT */

/*
 * Switches of a container's interface. Only those: any other of its namespace is the
 * description's, and IFNAME stands for a name that is chosen late.
 */
#include <string.h>

#include "init/enter.h"
#include "net/net-internal.h"

#define INTERFACE ".IFNAME."
#define PROC	  "/proc/"

enum { VALUE_LIMIT = 64 };

static const char *const families[] = {
	"net.ipv4.conf", "net.ipv4.neigh", "net.ipv6.conf", "net.ipv6.neigh", "net.mpls.conf",
};

/* The end of "net.ipv4.conf.IFNAME.log_martians"; NULL for any other name. */
static const char *last_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t length = strlen(families[i]);

		if (strncmp(name, families[i], length) == 0 &&
		    strncmp(name + length, INTERFACE, strlen(INTERFACE)) == 0)
			return name + length + strlen(INTERFACE);
	}
	return NULL;
}

static bool is_word(const char *text)
{
	return *text && strlen(text) <= VALUE_LIMIT &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static bool is_value(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			return false;
	return *text && strlen(text) <= VALUE_LIMIT;
}

static bool has_name(const char *assignment, const char *name)
{
	size_t length = strlen(name);

	return strncmp(assignment, name, length) == 0 && assignment[length] == '=';
}

LCX_PUBLIC int lcx_attachment_add_sysctl(struct lcx_attachment *attachment, const char *name,
					 const char *value, struct lcx_error **err)
{
	CLEANUP(freep) char *assignment = NULL;
	const char *word = last_word(name);
	char **there = attachment->sysctls;

	if (!word || !is_word(word))
		return lcx__fail(err, EINVAL,
				 "'%.80s' is not a switch of an interface, as "
				 "net.ipv4.conf.IFNAME.log_martians is",
				 name);
	if (!is_value(value))
		return lcx__fail(err, EINVAL, "'%.64s' is not a value for '%s'", value, name);
	for (; there && *there; there++)
		if (has_name(*there, name))
			return lcx__fail(err, EEXIST, "'%s' is set twice", name);
	if (there && there - attachment->sysctls >= NET_SYSCTLS_LIMIT)
		return lcx__fail(err, E2BIG, "an attachment has at most %d switches",
				 NET_SYSCTLS_LIMIT);
	assignment = lcx__format("%s=%s", name, value);
	return !assignment || lcx__strv_append(&attachment->sysctls, assignment) < 0
		       ? lcx__fail_nomem(err)
		       : 0;
}

LCX_PUBLIC uint32_t lcx_attachment_sysctl_count(const struct lcx_attachment *attachment)
{
	return (uint32_t)lcx__strv_length(attachment->sysctls);
}

LCX_PUBLIC const char *lcx_attachment_sysctl(const struct lcx_attachment *attachment,
					     uint32_t position)
{
	return position < lcx_attachment_sysctl_count(attachment) ? attachment->sysctls[position]
								  : NULL;
}

int lcx__sysctl_inside(struct lcx_ctx *ctx, int netns_fd, const char *interface,
		       const char *assignment, struct lcx_error **err)
{
	CLEANUP(freep) char *name = strdup(assignment), *path = NULL;
	int proc_fd = lcx__own_proc(ctx);
	const char *word;
	char *value;
	int r;

	if (!name)
		return lcx__fail_nomem(err);
	value = strchr(name, '=');
	if (!value)
		return lcx__fail(err, EINVAL, "'%s' sets nothing", assignment);
	*value++ = '\0';
	word = last_word(name);
	if (!word)
		return lcx__fail(err, EINVAL, "'%s' is not a switch of an interface", name);
	/* "net.ipv4.conf" becomes a path; the interface's own name may have dots. */
	name[word - name - (ptrdiff_t)strlen(INTERFACE)] = '\0';
	for (char *c = name; *c; c++)
		if (*c == '.')
			*c = '/';
	path = lcx__format(PROC "sys/%s/%s/%s", name, interface, word);
	if (!path)
		return lcx__fail_nomem(err);
	r = lcx__write_in_netns(netns_fd, proc_fd, proc_fd < 0 ? path : path + strlen(PROC), value);
	return r < 0 ? lcx__fail_sys(err, -r, "write %s to %s in the container's namespace", value,
				     path)
		     : 0;
}
