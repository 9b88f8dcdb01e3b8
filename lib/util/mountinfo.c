/* SPDX-License-Identifier: MIT */
#include "util/mountinfo.h"

#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"

static bool is_octal(const char *digits)
{
	return strspn(digits, "01234567") >= 3 && digits[0] < '4';
}

/* A space stands there as "\040": proc(5). */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && is_octal(text + 1)) {
			*to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	}
	return false;
}

/* "36 35 98:0 /root /point rw,noatime shared:1 - ext3 /dev/root rw,errors=continue" */
bool lcx__mountinfo_next(char **text, struct lcx__mount_line *ret)
{
	char *line, *words[6], *options, *super, *rest;

	while ((line = strsep(text, "\n"))) {
		rest = strstr(line, " - ");
		if (!rest)
			continue;
		*rest = '\0';
		rest += 3;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			words[i] = strsep(&line, " ");
		options = ret->options = words[5];
		ret->type = strsep(&rest, " ");
		ret->source = strsep(&rest, " ");
		super = ret->super_options = strsep(&rest, " ");
		if (!options || !super || sscanf(words[0], "%llu", &ret->id) != 1 ||
		    sscanf(words[2], "%u:%u", &ret->major, &ret->minor) != 2)
			continue;
		ret->root = words[3];
		ret->point = words[4];
		unescape(ret->root);
		unescape(ret->point);
		ret->writable = !has_word(options, "ro") && !has_word(super, "ro");
		return true;
	}
	return false;
}
