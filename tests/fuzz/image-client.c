/* SPDX-License-Identifier: MIT */

/*
 * What the registry client reads: the headers of an answer, where it sends us, the file about
 * registries, and Docker's file of credentials. The first byte chooses which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/registries.h"
#include "image/registry-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void headers(const char *text, size_t length)
{
	struct lcx__request request = {.what = (char *)"fuzz"};
	char *copy = strdup(text), *rest = copy, *line;
	char words[64];

	(void)length;
	while (copy && (line = strsep(&rest, "\n")))
		(void)lcx__response_header(line, 1, strlen(line), &request);
	lcx__response_words(&request.response, words, sizeof(words));
	lcx__response_clear(&request.response);
	(void)lcx_error_free(request.err);
	free(copy);
}

/* Never from https to http, nor to anything else; the result can be compared. */
static void location(const char *text, size_t length)
{
	CLEANUP(freep) char *url = NULL, *origin = NULL, *more = NULL;

	(void)length;
	if (lcx__url_follow("https://reg.example/v2/a/blobs/uploads/?x=y", text, &url) < 0)
		return;
	origin = lcx__url_origin(url);
	if (!origin || strncmp(origin, "https:", 6) != 0 || strstr(origin, "//169.254."))
		__builtin_trap();
	(void)lcx__url_append(url, "digest", text, &more);
}

static void registries(const char *text, size_t length)
{
	CLEANUP(lcx__registries_freep) struct lcx__registries *conf = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx__settings settings = {0};

	if (lcx__registries_parse(text, length, &conf, &err) < 0)
		return;
	(void)lcx__registries_apply(conf, "reg.example", &settings);
	if (!settings.client_cert_file != !settings.client_key_file)
		__builtin_trap();
	lcx__settings_clear(&settings);
}

/* Nobody gets what is another's. */
static void credentials(const char *text, size_t length)
{
	CLEANUP(lcx__authfile_freep) struct lcx__authfile *file = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	struct lcx__credentials c = {0};

	if (lcx__authfile_parse("fuzz", text, length, &file, &err) < 0)
		return;
	(void)lcx__authfile_helper(file, "reg.example");
	if (lcx__authfile_find(file, "reg.example", "a/b", &c, &err) == 0 &&
	    lcx__credentials_any(&c) && !strstr(text, "reg.example") && !strchr(text, '\\'))
		__builtin_trap();
	lcx__credentials_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const targets[])(const char *, size_t) = {headers, location, registries,
								credentials};
	CLEANUP(freep) char *text = NULL;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	targets[data[0] % ARRAY_SIZE(targets)](text, strlen(text));
	return 0;
}
