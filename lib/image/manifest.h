/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The three documents around an image, in their OCI and Docker forms: index (list),
 * manifest, configuration. All are hostile: parsed strictly, limited in size, and
 * of the one type that was announced.
 */

#include <stdint.h>

#include "lcx/image.h"
#include "image/digest.h"

enum {
	LCX__DOCUMENT_MAX = 4 << 20, /* what registries accept as a manifest */
	LCX__LAYERS_MAX = 500,       /* what overlayfs mounts */
	LCX__MANIFESTS_MAX = 4096,   /* in an index */
};

struct lcx__platform {
	char os[32], architecture[32], variant[16];
};

/* The best that this machine runs. */
void lcx__platform_host(struct lcx__platform *platform);

/* "os/architecture[/variant]"; -EINVAL in words. */
int lcx__platform_parse(const char *text, struct lcx__platform *ret, struct lcx_error **err);

/* How well @has runs where @want is asked for: 0 not at all, more is better. */
int lcx__platform_rank(const struct lcx__platform *has, const struct lcx__platform *want);

struct lcx__descriptor {
	char *media_type;
	struct lcx__digest digest;
	uint64_t size;
	char *ref_name;   /* org.opencontainers.image.ref.name; NULL if absent */
	char *image_name; /* io.containerd.image.name: the full one; NULL if absent */
	bool is_artifact; /* an index says so of an item */
	bool has_platform;
	struct lcx__platform platform;
};

struct lcx__manifest {
	bool is_index;
	const char *media_type;        /* as it calls itself, without parameters; static */
	struct lcx__descriptor config; /* of a manifest */
	struct lcx__descriptor *items; /* layers, base first, or the manifests of an index */
	size_t n_items;
};

/*
 * @content_type: what the registry or the descriptor announced, or NULL; a body that
 * says otherwise, or could be read both ways, is refused.
 */
int lcx__manifest_parse(const char *data, size_t length, const char *content_type,
			struct lcx__manifest **ret, struct lcx_error **err);
struct lcx__manifest *lcx__manifest_free(struct lcx__manifest *manifest);

DEFINE_CLEANUP(struct lcx__manifest *, lcx__manifest_free)

/*
 * The item of an index that runs on @platform, the best variant first. @ref_name,
 * if not NULL, must be the item's name. -ENOENT names what there is.
 */
int lcx__index_choose(const struct lcx__manifest *index, const struct lcx__platform *platform,
		      const char *ref_name, const struct lcx__descriptor **ret,
		      struct lcx_error **err);

/* Accept: header for manifests. */
#define LCX__MANIFEST_ACCEPT                                                                       \
	"application/vnd.oci.image.index.v1+json, "                                                \
	"application/vnd.oci.image.manifest.v1+json, "                                             \
	"application/vnd.docker.distribution.manifest.list.v2+json, "                              \
	"application/vnd.docker.distribution.manifest.v2+json"

struct lcx__label {
	char *name, *value;
};

/* One step of the image's making; strings are "" if absent. */
struct lcx__history {
	int64_t created_ns;
	char *created_by, *author, *comment;
	bool empty_layer; /* it made no layer */
};

struct lcx__config {
	int64_t created_ns;
	char *author;
	char *os, *architecture, *variant;
	struct lcx__digest *diff_ids;  /* base first */
	struct lcx__digest *chain_ids; /* of a layer and all below it: what it unpacks to */
	size_t n_diff_ids;
	char **entrypoint, **cmd, **env, **exposed_ports, **volumes;
	char *working_dir, *user, *stop_signal;
	char **health_test;
	uint64_t health[LCX_HEALTH_RETRIES + 1]; /* by enum lcx_health_setting */
	struct lcx__label *labels; /* sorted by name */
	size_t n_labels;
	struct lcx__history *history; /* oldest first */
	size_t n_history;
};

int lcx__config_parse(const char *data, size_t length, struct lcx__config **ret,
		      struct lcx_error **err);
struct lcx__config *lcx__config_free(struct lcx__config *config);

DEFINE_CLEANUP(struct lcx__config *, lcx__config_free)
