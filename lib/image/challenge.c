/* SPDX-License-Identifier: MIT */
#include "image/challenge.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/*
 * challenge = scheme [ 1*SP parameter *( "," parameter ) ]
 * parameter = token "=" ( token | quoted-string )
 *
 * A word that no "=" follows begins the next challenge. The commas between
 * challenges and between parameters are the same, so they are skipped like blanks.
 */
struct reader {
	const char *at;
};

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_separators(struct reader *r)
{
	r->at += strspn(r->at, " \t,");
}

static char *read_token(struct reader *r)
{
	const char *start = r->at;

	while (is_token(*r->at))
		r->at++;
	return strndup(start, (size_t)(r->at - start));
}

/* NULL for a string without an end, too: then the rest of the header is of no use. */
static char *read_quoted(struct reader *r)
{
	char *text = malloc(strlen(r->at) + 1), *to = text;

	if (!text)
		return NULL;
	for (r->at++; *r->at && *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at[1])
			r->at++;
		*to++ = *r->at;
	}
	*to = '\0';
	if (*r->at == '"') {
		r->at++;
		return text;
	}
	free(text);
	return NULL;
}

static void replace(char **field, char *value)
{
	free(*field);
	*field = value;
}

static void take_parameter(struct lcx__challenge *c, const char *name, char *value)
{
	if (strcasecmp(name, "realm") == 0)
		replace(&c->realm, value);
	else if (strcasecmp(name, "service") == 0)
		replace(&c->service, value);
	else
		free(value);
}

static void begin(struct lcx__challenge *c, const char *scheme)
{
	lcx__challenge_clear(c);
	if (strcasecmp(scheme, "bearer") == 0)
		c->scheme = LCX__CHALLENGE_BEARER;
	else if (strcasecmp(scheme, "basic") == 0)
		c->scheme = LCX__CHALLENGE_BASIC;
}

/* Move @from to @best if it is better, and usable: a bearer challenge needs a realm. */
static void keep_better(struct lcx__challenge *best, struct lcx__challenge *from)
{
	bool usable = from->scheme != LCX__CHALLENGE_BEARER || (from->realm && from->realm[0]);

	if (usable && from->scheme > best->scheme) {
		lcx__challenge_clear(best);
		*best = *from;
		*from = (struct lcx__challenge){0};
	}
}

static void clearp(struct lcx__challenge *c)
{
	lcx__challenge_clear(c);
}

int lcx__challenge_parse(const char *value, struct lcx__challenge *ret)
{
	CLEANUP(clearp) struct lcx__challenge current = {0};
	struct reader r = {value};

	for (skip_separators(&r); *r.at; skip_separators(&r)) {
		CLEANUP(freep) char *word = read_token(&r);
		char *text;

		if (!word)
			return -ENOMEM;
		if (word[0] == '\0')
			break;
		r.at += strspn(r.at, " \t");
		if (*r.at != '=') {
			keep_better(ret, &current);
			begin(&current, word);
			continue;
		}
		r.at++;
		r.at += strspn(r.at, " \t");
		text = *r.at == '"' ? read_quoted(&r) : read_token(&r);
		if (!text)
			break;
		take_parameter(&current, word, text);
	}
	keep_better(ret, &current);
	return 0;
}

void lcx__challenge_clear(struct lcx__challenge *c)
{
	free(c->realm);
	free(c->service);
	*c = (struct lcx__challenge){0};
}
