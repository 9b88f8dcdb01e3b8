/* SPDX-License-Identifier: MIT */

/*
 * Any text as a manifest or an index, announced as what its first byte says. What is
 * accepted must be what it was announced as, and within its limits.
 */
#include <stdint.h>
#include <string.h>

#include "image/manifest.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const announced[] = {
	NULL,
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.v1+prettyjws",
	"text/plain; charset=utf-8",
};

static void check_descriptor(const struct lcx__descriptor *d)
{
	struct lcx__digest digest;

	if (!d->media_type || lcx__digest_parse(d->digest.text, &digest) < 0 || d->size > INT64_MAX)
		__builtin_trap();
}

static void check(const struct lcx__manifest *m, size_t kind)
{
	static const char *const platforms[] = {"linux/amd64", "linux/amd64/v3", "linux/arm/v6",
						"linux/arm64"};
	const struct lcx__descriptor *chosen = NULL;
	struct lcx__platform platform;

	if ((kind == 1 || kind == 3) != m->is_index && kind >= 1 && kind <= 4)
		__builtin_trap();
	if (kind == 5 || m->n_items > (m->is_index ? LCX__MANIFESTS_MAX : LCX__LAYERS_MAX))
		__builtin_trap();
	if (!m->is_index)
		check_descriptor(&m->config);
	for (size_t i = 0; i < m->n_items; i++)
		check_descriptor(&m->items[i]);
	for (size_t i = 0; m->is_index && i < ARRAY_SIZE(platforms); i++)
		if (lcx__platform_parse(platforms[i], &platform, NULL) < 0 ||
		    (lcx__index_choose(m, &platform, NULL, &chosen, NULL) == 0 &&
		     (chosen < m->items || chosen >= m->items + m->n_items)))
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(lcx__manifest_freep) struct lcx__manifest *m = NULL;
	CLEANUP(lcx_error_freep) struct lcx_error *err = NULL;
	CLEANUP(freep) char *text = NULL;
	size_t kind;

	if (size == 0)
		return 0;
	kind = data[0] % ARRAY_SIZE(announced);
	text = fuzz_text(data + 1, size - 1);
	if (text && lcx__manifest_parse(text, strlen(text), announced[kind], &m, &err) == 0)
		check(m, kind);
	return 0;
}
