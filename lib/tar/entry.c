/* SPDX-License-Identifier: MIT */
#include "tar/tar.h"

#include <errno.h>
#include <string.h>

void lcx__tar_entry_clear(struct lcx__tar_entry *entry)
{
	free(entry->path);
	free(entry->link);
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		free(entry->xattrs[i].name);
		free(entry->xattrs[i].value);
	}
	free(entry->xattrs);
	*entry = (struct lcx__tar_entry){0};
}

int lcx__tar_path(char *path, struct lcx_error **err)
{
	char *from = path, *to = path;

	while (*from) {
		size_t length = strcspn(from, "/");

		if (length == 2 && memcmp(from, "..", 2) == 0)
			return lcx__fail(err, EBADMSG, "'..' in a path is refused");
		if (length > 0 && !(length == 1 && from[0] == '.')) {
			if (to > path)
				*to++ = '/';
			memmove(to, from, length);
			to += length;
		}
		from += length;
		from += strspn(from, "/");
	}
	*to = '\0';
	return 0;
}

void lcx__tar_show(const char *name, char shown[static LCX__TAR_SHOWN])
{
	size_t at = 0;

	for (; *name && at < LCX__TAR_SHOWN - 8; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0))
			at += (size_t)snprintf(shown + at, 5, "\\x%02x", c);
		else
			shown[at++] = *name;
	}
	strcpy(shown + at, *name ? "..." : "");
}

/* Those that lib/image/tree.c takes: what is written can be read again. */
bool lcx__tar_xattr_travels(const char *name)
{
	static const struct {
		const char *prefix;
		bool travels;
	} rules[] = {
		{"user.overlay.", false},
		{"trusted.overlay.", false},
		{"user.", true},
		{"trusted.", true},
		{"security.capability", true},
		{"system.posix_acl_", true},
		{"", false},
	};
	size_t i = 0;

	while (strncmp(name, rules[i].prefix, strlen(rules[i].prefix)) != 0)
		i++;
	return rules[i].travels;
}
