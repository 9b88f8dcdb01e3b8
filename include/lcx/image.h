/* SPDX-License-Identifier: MIT */
#ifndef LCX_IMAGE_H
#define LCX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lcx/ctx.h>
#include <lcx/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Images: fetched from a registry or an OCI layout into the context's store,
 * unpacked once per layer, shared by every container and every process that
 * uses the same root directory.
 *
 * A library built without the `image` feature has all of these functions; the
 * fallible ones then return -EOPNOTSUPP.
 *
 * References are written as Docker writes them: "debian", "debian:bookworm",
 * "host:5000/a/b:tag", "name@sha256:...". The default registry is docker.io,
 * the default tag latest.
 */

/**
 * struct lcx_image - an image in the store, as it was when it was opened
 *
 * A handle is a snapshot in memory: it keeps nothing from being removed. A
 * container that uses the image holds it in the store. What an image says about
 * itself is data from a stranger: it is checked for its type, and nothing more.
 */
struct lcx_image;

/**
 * lcx_image_open() - find an image by reference, digest or id
 * @ctx: must outlive the handle
 * @ref: a reference, "sha256:" and 64 digits, or at least 4 digits that begin
 *       the id of one image only
 * @ret: the image, owned by the caller; untouched on failure
 * @err: the failure in words, or NULL if unwanted
 *
 * Return: 0, or a negative errno: -EINVAL for what can't be a reference,
 * -ENOENT if it isn't in the store, -ENOTUNIQ if an id prefix fits several
 * images, -EUCLEAN if what the store holds is damaged (pull it again).
 */
int lcx_image_open(struct lcx_ctx *ctx, const char *ref, struct lcx_image **ret,
		   struct lcx_error **err);

/** lcx_image_free() - drop the handle; NULL is accepted, NULL is returned */
struct lcx_image *lcx_image_free(struct lcx_image *image);

/*
 * All strings and arrays below belong to the image and live as long as it.
 * Arrays of strings end with NULL and are never NULL themselves.
 */

/** lcx_image_id() - the digest of the configuration: "sha256:" and 64 digits */
const char *lcx_image_id(const struct lcx_image *image);

/** lcx_image_manifest_digest() - the digest of the image's own manifest (not of an index around it)
 */
const char *lcx_image_manifest_digest(const struct lcx_image *image);

/** lcx_image_references() - every full reference that names this image, in order */
const char *const *lcx_image_references(const struct lcx_image *image);

/** lcx_image_created_ns() - nanoseconds since 1970, 0 if the image doesn't say */
int64_t lcx_image_created_ns(const struct lcx_image *image);

/** lcx_image_size_bytes() - bytes of all layers, unpacked (the archives' sizes) */
uint64_t lcx_image_size_bytes(const struct lcx_image *image);

/** lcx_image_download_bytes() - bytes of all layers and documents, as transferred */
uint64_t lcx_image_download_bytes(const struct lcx_image *image);

/** lcx_image_os() - as the OCI writes it: "linux" */
const char *lcx_image_os(const struct lcx_image *image);

/** lcx_image_architecture() - as the OCI writes it: "amd64", "arm64" */
const char *lcx_image_architecture(const struct lcx_image *image);

/** lcx_image_variant() - of the architecture: "v8"; "" if the image doesn't say */
const char *lcx_image_variant(const struct lcx_image *image);

/** lcx_image_layer_count() - 0 is possible */
size_t lcx_image_layer_count(const struct lcx_image *image);

/**
 * lcx_image_layer_dir() - the absolute path of an unpacked layer
 * @index: 0 is the *top-most* layer, as in overlay's lowerdir=; the base comes last
 *
 * Deletions are marked as overlayfs does it: a character device 0:0, and
 * trusted.overlay.opaque (user.overlay.opaque where the store was written
 * without CAP_SYS_ADMIN: lcx_image_layers_userxattr()). Read only, please: all
 * containers share it.
 *
 * Return: NULL if @index is out of range.
 */
const char *lcx_image_layer_dir(const struct lcx_image *image, size_t index);

/** lcx_image_layer_diff_id() - the digest of the uncompressed archive; NULL out of range */
const char *lcx_image_layer_diff_id(const struct lcx_image *image, size_t index);

/** lcx_image_layer_size_bytes() - of the uncompressed archive; 0 out of range */
uint64_t lcx_image_layer_size_bytes(const struct lcx_image *image, size_t index);

/** lcx_image_layers_userxattr() - whether overlayfs must be mounted with userxattr */
bool lcx_image_layers_userxattr(const struct lcx_image *image);

/** lcx_image_config_json() - the configuration, byte for byte: its digest is the id */
const char *lcx_image_config_json(const struct lcx_image *image);

/** lcx_image_manifest_json() - the manifest, byte for byte */
const char *lcx_image_manifest_json(const struct lcx_image *image);

/** lcx_image_entrypoint() - what a container starts; empty if the image doesn't say */
const char *const *lcx_image_entrypoint(const struct lcx_image *image);

/** lcx_image_cmd() - default arguments, or the program itself if there is no entry point */
const char *const *lcx_image_cmd(const struct lcx_image *image);

/** lcx_image_env() - "NAME=value" each */
const char *const *lcx_image_env(const struct lcx_image *image);

/** lcx_image_working_dir() - "" if the image doesn't say */
const char *lcx_image_working_dir(const struct lcx_image *image);

/** lcx_image_user() - "user", "uid", "user:group", ... to be looked up in the image; "" for root */
const char *lcx_image_user(const struct lcx_image *image);

/** lcx_image_stop_signal() - "SIGTERM", "15"; "" if the image doesn't say */
const char *lcx_image_stop_signal(const struct lcx_image *image);

/** lcx_image_health_test() - as lcx_container_set_health_test() has it; empty if it doesn't say */
const char *const *lcx_image_health_test(const struct lcx_image *image);

/** enum lcx_health_setting - of health checks; 0 of each is the usual value, in brackets */
enum lcx_health_setting {
	LCX_HEALTH_INTERVAL_NS = 1,   /* from the end of a check to the next one (30 s) */
	LCX_HEALTH_TIMEOUT_NS,        /* a check that takes longer has failed (30 s) */
	LCX_HEALTH_START_PERIOD_NS,   /* failures that soon after the start do not count (none) */
	LCX_HEALTH_START_INTERVAL_NS, /* the interval meanwhile (5 s) */
	LCX_HEALTH_RETRIES,           /* how many failures in a row make it unhealthy (3) */
};

/** lcx_image_health_setting() - 0 if the image doesn't say */
int64_t lcx_image_health_setting(const struct lcx_image *image, enum lcx_health_setting setting);

/** lcx_image_exposed_ports() - "80/tcp" each, sorted */
const char *const *lcx_image_exposed_ports(const struct lcx_image *image);

/** lcx_image_volumes() - paths in the image that want a volume, sorted */
const char *const *lcx_image_volumes(const struct lcx_image *image);

/** lcx_image_label_count() - labels are data about the image and steer nothing */
size_t lcx_image_label_count(const struct lcx_image *image);

/** lcx_image_label_name() - sorted by name; NULL out of range */
const char *lcx_image_label_name(const struct lcx_image *image, size_t index);

/** lcx_image_label_value() - NULL out of range */
const char *lcx_image_label_value(const struct lcx_image *image, size_t index);

/** lcx_image_author() - "" if the image doesn't say */
const char *lcx_image_author(const struct lcx_image *image);

/* History: how the image says that it was made. Index 0 is the *last* step, as layers are counted.
 */

/** lcx_image_history_count() - steps; 0 if the image doesn't say */
size_t lcx_image_history_count(const struct lcx_image *image);

/** lcx_image_history_created_ns() - nanoseconds since 1970; 0 if unknown or out of range */
int64_t lcx_image_history_created_ns(const struct lcx_image *image, size_t index);

/** lcx_image_history_created_by() - the command; "" if unknown, NULL out of range */
const char *lcx_image_history_created_by(const struct lcx_image *image, size_t index);

/** lcx_image_history_author() - "" if unknown, NULL out of range */
const char *lcx_image_history_author(const struct lcx_image *image, size_t index);

/** lcx_image_history_comment() - "" if there is none, NULL out of range */
const char *lcx_image_history_comment(const struct lcx_image *image, size_t index);

/**
 * lcx_image_history_layer() - the layer that a step made
 *
 * Return: its index, for lcx_image_layer_size_bytes() and the like; -1 if the
 * step made none, if the history tells of more layers than there are, or out of range.
 */
int64_t lcx_image_history_layer(const struct lcx_image *image, size_t index);

/**
 * lcx_image_inspect() - everything about an image as one JSON object
 * @ret: a string that the caller releases with lcx_string_free()
 * @err: the failure in words, or NULL if unwanted
 *
 * The keys are those of `docker image inspect`: "Id", "RepoTags", "RepoDigests",
 * "Created" (RFC 3339, "" if unknown), "Author", "Architecture", "Variant", "Os",
 * "Size" (bytes, unpacked), "Config" (the image's own section, as it is),
 * "GraphDriver", "RootFS"; and beyond Docker's "Digest" (of the manifest),
 * "DownloadSize" and "History" (as in the OCI's configuration, oldest first).
 *
 * Return: 0 or -ENOMEM.
 */
int lcx_image_inspect(const struct lcx_image *image, char **ret, struct lcx_error **err);

/* The store */

/** struct lcx_image_list - all images, as they were when the list was made */
struct lcx_image_list;

/**
 * lcx_image_list_new() - open every image of the store
 *
 * Ordered by time of creation, newest first. One of which a part is missing is left
 * out; lcx_image_list_damaged() names it.
 *
 * Return: 0 or a negative errno.
 */
int lcx_image_list_new(struct lcx_ctx *ctx, struct lcx_image_list **ret, struct lcx_error **err);

/** lcx_image_list_count() - images in the list */
size_t lcx_image_list_count(const struct lcx_image_list *list);

/** lcx_image_list_get() - borrow one, for as long as the list; NULL out of range */
const struct lcx_image *lcx_image_list_get(const struct lcx_image_list *list, size_t index);

/**
 * lcx_image_list_damaged() - the names of images that were left out
 *
 * Sorted, ends with NULL, lives as long as the list; empty if all is well.
 */
const char *const *lcx_image_list_damaged(const struct lcx_image_list *list);

/** lcx_image_list_free() - NULL is accepted, NULL is returned */
struct lcx_image_list *lcx_image_list_free(struct lcx_image_list *list);

/**
 * lcx_image_tag() - give an image one more name
 * @ref:      as for lcx_image_open()
 * @new_name: a reference with a tag and without a digest; moved here if it
 *            names another image
 *
 * Return: 0, or a negative errno as lcx_image_open().
 */
int lcx_image_tag(struct lcx_ctx *ctx, const char *ref, const char *new_name,
		  struct lcx_error **err);

/**
 * lcx_image_remove() - remove a name and, with the last name, the image
 * @ref: a reference removes this name; an id removes all names of the image
 *
 * What no other image and no container needs is deleted.
 *
 * Return: 0, or a negative errno: -ENOENT, or -EBUSY naming the container that
 * uses the image, if this was its last name.
 */
int lcx_image_remove(struct lcx_ctx *ctx, const char *ref, struct lcx_error **err);

/**
 * lcx_image_gc() - delete what no name and no container needs
 * @ret_freed_bytes: an estimate; may be NULL
 *
 * Also what a process that died has left. Downloads that were cut off are kept
 * for a week, to be resumed. What another process works on is left alone.
 *
 * Return: 0 or a negative errno.
 */
int lcx_image_gc(struct lcx_ctx *ctx, uint64_t *ret_freed_bytes, struct lcx_error **err);

/**
 * lcx_image_verify() - check an image, or all, down to the last byte
 * @ref: NULL for all images
 *
 * Documents and archives are hashed; each unpacked layer is compared with what its
 * archive unpacks to, which takes as long as unpacking and needs the room for one
 * layer. What is damaged is set aside, so that the next pull makes it anew and the
 * rest is used as it is. Containers that run on a damaged layer keep it until they
 * are removed.
 *
 * Return: 0 if all is well, -EUCLEAN naming the first damage, or another
 * negative errno.
 */
int lcx_image_verify(struct lcx_ctx *ctx, const char *ref, struct lcx_error **err);

/**
 * lcx_image_resolve() - the reference by digest under which a registry has an image of the store
 * @ref: as for lcx_image_open()
 * @ret: "docker.io/library/debian@sha256:...", to be released with lcx_string_free()
 *
 * The image itself isn't read and may be damaged: pulling this repairs it, even if its
 * tag has moved on.
 *
 * Return: 0, or a negative errno as lcx_image_open().
 */
int lcx_image_resolve(struct lcx_ctx *ctx, const char *ref, char **ret, struct lcx_error **err);

/* Archives */

/**
 * lcx_image_import() - take one image out of an archive
 * @path:      a directory with an `oci-layout` file, a tar file of one, or what `docker save`
 *             writes; it may be compressed with gzip or zstd. A tar is read in place and never
 *             unpacked
 * @layout_ref: the name inside the layout (org.opencontainers.image.ref.name) or archive;
 *             NULL if there is only one image, or one for this platform
 * @new_name:  the reference it gets in the store; NULL for @layout_ref, or for the name
 *             that the archive has for it
 * @ret:       the image, owned by the caller; NULL if unwanted
 *
 * All digests and sizes are checked: an archive is as untrusted as a registry.
 *
 * Return: 0, or a negative errno: -ENOENT if there's no such image, -ENOTUNIQ if
 * several would do, -EBADMSG for what breaks the specification or a digest,
 * -ENOSPC and others as the file system reports them.
 */
int lcx_image_import(struct lcx_ctx *ctx, const char *path, const char *layout_ref,
		     const char *new_name, struct lcx_image **ret, struct lcx_error **err);

/**
 * struct lcx_load - all images of an archive on their way into the store, under their own names
 *
 * Either lcx_load_run() it, or call lcx_load_step() until it returns 0. Freeing it stops;
 * images that are complete stay.
 */
struct lcx_load;

/**
 * lcx_load_new() - prepare
 * @ctx: must outlive it
 * @fd:  the archive, as for lcx_image_import(), from its present position on: a file, or a pipe;
 *       borrowed for as long as the load lives
 * @ret: owned by the caller
 *
 * What can't be read in place, as a pipe, is first copied into the store's directory.
 */
int lcx_load_new(struct lcx_ctx *ctx, int fd, struct lcx_load **ret, struct lcx_error **err);

/**
 * lcx_load_step() - a bounded piece of work, about a MiB
 *
 * Return: 1 if there is more, 0 when all images are in the store, or a negative errno as
 * lcx_image_import(); -EINVAL for an archive with an image that has no name.
 */
int lcx_load_step(struct lcx_load *load, struct lcx_error **err);

/** lcx_load_run() - all of it. Return: 0, or as lcx_load_step() */
int lcx_load_run(struct lcx_load *load, struct lcx_error **err);

/** lcx_load_done_bytes() - of layers, as they are in the archive */
uint64_t lcx_load_done_bytes(const struct lcx_load *load);

/** lcx_load_total_bytes() - of the images so far and the present one; 0 until that is known */
uint64_t lcx_load_total_bytes(const struct lcx_load *load);

/** lcx_load_count() - names that were given so far; an image may have several */
size_t lcx_load_count(const struct lcx_load *load);

/** lcx_load_name() - the full reference; valid until the next step; NULL out of range */
const char *lcx_load_name(const struct lcx_load *load, size_t index);

/** lcx_load_id() - of the image with this name; likewise */
const char *lcx_load_id(const struct lcx_load *load, size_t index);

/** lcx_load_free() - NULL is accepted, NULL is returned */
struct lcx_load *lcx_load_free(struct lcx_load *load);

/**
 * struct lcx_save - images on their way into an archive
 *
 * The archive is a tar of an OCI layout that also has Docker's manifest.json, so that
 * `docker load`, `podman load`, skopeo and lcx_load read it. Blobs go out as they came
 * in: digests and signatures stay valid. The same images give the same bytes.
 */
struct lcx_save;

/** lcx_save_new() - prepare; @ctx must outlive it */
int lcx_save_new(struct lcx_ctx *ctx, struct lcx_save **ret, struct lcx_error **err);

/**
 * lcx_save_add() - have an image in the archive
 * @ref: as for lcx_image_open(); a reference is the image's name in the archive, and one that is
 *       named by its id has none
 *
 * From now on it stays in the store, also if it is removed meanwhile, until @save is
 * freed. Return: 0, or as lcx_image_open(); -EUCLEAN if its layers' archives are not in the store
 * any more.
 */
int lcx_save_add(struct lcx_save *save, const char *ref, struct lcx_error **err);

/**
 * lcx_save_step() - write a bounded piece, about a MiB
 * @fd: a file, pipe or socket, the same for all steps; a pipe whose reader goes away is
 *      -EPIPE, without SIGPIPE
 *
 * Return: 1 if there is more, 0 when the archive is complete, or a negative errno as
 * reading and writing report it; -EINVAL if no image was added.
 */
int lcx_save_step(struct lcx_save *save, int fd, struct lcx_error **err);

/** lcx_save_run() - all of it. Return: 0, or as lcx_save_step() */
int lcx_save_run(struct lcx_save *save, int fd, struct lcx_error **err);

/** lcx_save_done_bytes() - of blobs that are written */
uint64_t lcx_save_done_bytes(const struct lcx_save *save);

/** lcx_save_total_bytes() - of all blobs; 0 before the first step */
uint64_t lcx_save_total_bytes(const struct lcx_save *save);

/** lcx_save_free() - NULL is accepted, NULL is returned */
struct lcx_save *lcx_save_free(struct lcx_save *save);

/*
 * Registries. What is set for one pull or push concerns the registry that the reference names. What
 * the administrator's file says concerns each host by its name: see lcx-registries(5). Proxies are
 * taken from the environment, by curl's rules: https_proxy, http_proxy, no_proxy.
 */

/**
 * lcx_image_set_registries_file() - read the configuration of registries from this file
 * @path: absolute; NULL for the default, /etc/lcx/registries.json, which may be missing
 *
 * It is read at once, to tell what is wrong with it, and again whenever it is needed. It decides
 * which registry a name without one means, so every program that shares a store should use the
 * same.
 *
 * Return: 0, or a negative errno: -EINVAL for what isn't understood in it.
 */
int lcx_image_set_registries_file(struct lcx_ctx *ctx, const char *path, struct lcx_error **err);

/**
 * lcx_image_default_auth_file() - where Docker keeps credentials
 *
 * Return: $DOCKER_CONFIG/config.json, else $HOME/.docker/config.json, to be freed by
 * lcx_string_free(); NULL if neither variable is set. The file need not be there.
 */
char *lcx_image_default_auth_file(void);

/* Pulling */

/**
 * struct lcx_pull - one image on its way from a registry into the store
 *
 * Set it up, then either lcx_pull_run() it, or poll lcx_pull_fd() and call
 * lcx_pull_dispatch() whenever it is readable. Freeing it cancels the pull;
 * what was downloaded is resumed by the next one. Layers that the store has, or
 * that another process is fetching just now, are not downloaded again; a layer that is
 * here from another archive (of another compression) is, but not unpacked.
 */
struct lcx_pull;

/**
 * lcx_pull_new() - prepare; nothing is contacted yet
 * @ctx: must outlive the pull
 * @ref: a reference (copied)
 * @ret: the pull, owned by the caller
 *
 * Return: 0, -EINVAL for a bad reference, or another negative errno.
 */
int lcx_pull_new(struct lcx_ctx *ctx, const char *ref, struct lcx_pull **ret,
		 struct lcx_error **err);

/** lcx_pull_set_plain_http() - speak HTTP, not HTTPS; off unless asked for */
int lcx_pull_set_plain_http(struct lcx_pull *pull, bool plain_http, struct lcx_error **err);

/** lcx_pull_set_ca_file() - trust the certificates in this PEM file instead of the system's; NULL:
 * the system's */
int lcx_pull_set_ca_file(struct lcx_pull *pull, const char *path, struct lcx_error **err);

/**
 * lcx_pull_set_credentials() - for this image's registry and its token server, nobody else
 * @user:     NULL for an anonymous pull; must not contain a colon
 * @password: or token
 */
int lcx_pull_set_credentials(struct lcx_pull *pull, const char *user, const char *password,
			     struct lcx_error **err);

/**
 * lcx_pull_set_auth_file() - look credentials up in a file like Docker's config.json
 * @path: lcx_image_default_auth_file(), or another; NULL, the default, for none. It must be there.
 *
 * It is read when the registry, or a mirror of it, asks for credentials and none were set. If it
 * names a credential helper for that registry (credHelpers, credsStore), the program
 * docker-credential-NAME is looked up in $PATH and run in this process's environment: setting the
 * file is consent to that.
 */
int lcx_pull_set_auth_file(struct lcx_pull *pull, const char *path, struct lcx_error **err);

/**
 * lcx_pull_set_client_cert() - show this certificate to the registry, and to nobody else
 * @cert_file: PEM, with the certificates between it and its authority behind it
 * @key_file:  PEM, without a pass phrase; both or neither may be NULL
 */
int lcx_pull_set_client_cert(struct lcx_pull *pull, const char *cert_file, const char *key_file,
			     struct lcx_error **err);

/**
 * lcx_pull_set_platform() - choose out of an index; the default is this machine
 * @platform: "linux/amd64", "linux/arm/v7"
 *
 * Return: 0, or -EINVAL.
 */
int lcx_pull_set_platform(struct lcx_pull *pull, const char *platform, struct lcx_error **err);

/** lcx_pull_set_stall_timeout_ms() - give up a transfer without progress; the default is 30,000 */
int lcx_pull_set_stall_timeout_ms(struct lcx_pull *pull, int32_t timeout_ms,
				  struct lcx_error **err);

/**
 * lcx_pull_run() - pull, and wait for the end
 * @timeout_ms: for the whole pull; -1 waits as long as there is progress
 *
 * Return: 0, or a negative errno: -ETIMEDOUT, -ENOENT if the registry hasn't the
 * image (or not for this platform), -EACCES if it wants other credentials,
 * -EBADMSG for a digest, size or document that is wrong, -EHOSTUNREACH and
 * -ECONNREFUSED for the network, -EPROTO for other answers, -ENOSPC and others as
 * the file system reports them.
 */
int lcx_pull_run(struct lcx_pull *pull, int32_t timeout_ms, struct lcx_error **err);

/** lcx_pull_fd() - borrow the one descriptor to poll for reading */
int lcx_pull_fd(const struct lcx_pull *pull);

/**
 * lcx_pull_dispatch() - do what can be done without waiting
 *
 * One call takes milliseconds: it handles what the network brought, or unpacks
 * a bounded piece. (An fsync at the end of a layer takes as long as the disk.)
 *
 * Return: 1 if there is more to come, 0 when the image is in the store, or the
 * negative errno with which the pull failed; it then has ended.
 */
int lcx_pull_dispatch(struct lcx_pull *pull, struct lcx_error **err);

/**
 * lcx_pull_cancel() - have it end with -ECANCELED, as soon as it is moved on the next time
 *
 * The one function that any thread may call while another one is in lcx_pull_run() or
 * lcx_pull_dispatch(), or polls lcx_pull_fd(), which becomes readable. It doesn't wait. The handle
 * must live until it has returned. What was downloaded is resumed by the next pull.
 */
void lcx_pull_cancel(struct lcx_pull *pull);

/* Padded, so that its size can't change. */
enum lcx_pull_state {
	LCX_PULL_WAITING,     /* not begun, or another process is at it */
	LCX_PULL_DOWNLOADING, /* done of total bytes of the compressed layer */
	LCX_PULL_UNPACKING,   /* done of total bytes of the compressed layer */
	LCX_PULL_DONE,        /* in the store, now or already before */
	LCX_PULL_STATE_PAD_ = 0x7fffffff
};

/** lcx_pull_layer_count() - 0 until the manifest is there */
size_t lcx_pull_layer_count(const struct lcx_pull *pull);

/** lcx_pull_layer_digest() - of the compressed layer; base first; NULL out of range */
const char *lcx_pull_layer_digest(const struct lcx_pull *pull, size_t index);

/** lcx_pull_layer_state() - LCX_PULL_WAITING out of range */
enum lcx_pull_state lcx_pull_layer_state(const struct lcx_pull *pull, size_t index);

/** lcx_pull_layer_total_bytes() - compressed size; 0 out of range */
uint64_t lcx_pull_layer_total_bytes(const struct lcx_pull *pull, size_t index);

/** lcx_pull_layer_done_bytes() - progress in the present state; 0 out of range */
uint64_t lcx_pull_layer_done_bytes(const struct lcx_pull *pull, size_t index);

/** lcx_pull_reference() - the full reference: "docker.io/library/debian:latest" */
const char *lcx_pull_reference(const struct lcx_pull *pull);

/**
 * lcx_pull_image() - open the image that was pulled
 * @ret: owned by the caller, independent of @pull
 *
 * Return: 0, -EAGAIN if the pull has not ended well, or as lcx_image_open().
 */
int lcx_pull_image(struct lcx_pull *pull, struct lcx_image **ret, struct lcx_error **err);

/** lcx_pull_free() - cancel if need be, and release; NULL is accepted, NULL is returned */
struct lcx_pull *lcx_pull_free(struct lcx_pull *pull);

/* Pushing */

/**
 * struct lcx_push - one image on its way from the store into a registry
 *
 * Used as a struct lcx_pull is. The image can't be removed meanwhile. What the registry has already
 * isn't sent: neither layers of this repository, nor those of other repositories there that
 * an image in the store is named after, which are mounted.
 */
struct lcx_push;

/**
 * lcx_push_new() - prepare; nothing is contacted yet
 * @ctx:         must outlive the push
 * @ref:         the image in the store, as for lcx_image_open()
 * @destination: the name it gets in the registry; NULL for @ref, which then must be a name
 * @ret:         the push, owned by the caller
 *
 * Return: 0, or a negative errno: -ENOENT if the image isn't in the store, -EINVAL for a bad
 * destination, -EUCLEAN if it is damaged.
 */
int lcx_push_new(struct lcx_ctx *ctx, const char *ref, const char *destination,
		 struct lcx_push **ret, struct lcx_error **err);

/** lcx_push_set_plain_http() - as lcx_pull_set_plain_http() */
int lcx_push_set_plain_http(struct lcx_push *push, bool plain_http, struct lcx_error **err);

/** lcx_push_set_ca_file() - as lcx_pull_set_ca_file() */
int lcx_push_set_ca_file(struct lcx_push *push, const char *path, struct lcx_error **err);

/** lcx_push_set_client_cert() - as lcx_pull_set_client_cert() */
int lcx_push_set_client_cert(struct lcx_push *push, const char *cert_file, const char *key_file,
			     struct lcx_error **err);

/** lcx_push_set_credentials() - as lcx_pull_set_credentials() */
int lcx_push_set_credentials(struct lcx_push *push, const char *user, const char *password,
			     struct lcx_error **err);

/** lcx_push_set_auth_file() - as lcx_pull_set_auth_file() */
int lcx_push_set_auth_file(struct lcx_push *push, const char *path, struct lcx_error **err);

/** lcx_push_set_stall_timeout_ms() - as lcx_pull_set_stall_timeout_ms() */
int lcx_push_set_stall_timeout_ms(struct lcx_push *push, int32_t timeout_ms,
				  struct lcx_error **err);

/**
 * lcx_push_set_chunk_bytes() - send what is larger in pieces of this size; the default is 64 MiB
 * @bytes: 0 sends everything in one piece; a registry may ask for larger pieces
 *
 * Of a piece that was cut off only what has not arrived is sent again.
 */
int lcx_push_set_chunk_bytes(struct lcx_push *push, uint64_t bytes, struct lcx_error **err);

/**
 * lcx_push_run() - push, and wait for the end
 * @timeout_ms: for the whole push; -1 waits as long as there is progress
 *
 * Return: 0, or a negative errno as lcx_pull_run(); -ENODATA if a layer has to be sent but only
 * its unpacked form is in the store.
 */
int lcx_push_run(struct lcx_push *push, int32_t timeout_ms, struct lcx_error **err);

/** lcx_push_fd() - borrow the one descriptor to poll for reading */
int lcx_push_fd(const struct lcx_push *push);

/**
 * lcx_push_dispatch() - do what can be done without waiting
 *
 * Return: 1 if there is more to come, 0 when the image is in the registry, or the negative errno
 * with which the push failed; it then has ended.
 */
int lcx_push_dispatch(struct lcx_push *push, struct lcx_error **err);

/** lcx_push_cancel() - from any thread, as lcx_pull_cancel() */
void lcx_push_cancel(struct lcx_push *push);

/* Padded, so that its size can't change. */
enum lcx_push_state {
	LCX_PUSH_WAITING,   /* not begun */
	LCX_PUSH_UPLOADING, /* done of total bytes */
	LCX_PUSH_PUSHED,    /* all of it was sent */
	LCX_PUSH_MOUNTED,   /* from another repository of the registry */
	LCX_PUSH_EXISTED,   /* the registry had it */
	LCX_PUSH_STATE_PAD_ = 0x7fffffff
};

/** lcx_push_layer_count() - known from the beginning */
size_t lcx_push_layer_count(const struct lcx_push *push);

/** lcx_push_layer_digest() - of the compressed layer; base first; NULL out of range */
const char *lcx_push_layer_digest(const struct lcx_push *push, size_t index);

/** lcx_push_layer_state() - LCX_PUSH_WAITING out of range */
enum lcx_push_state lcx_push_layer_state(const struct lcx_push *push, size_t index);

/** lcx_push_layer_total_bytes() - compressed size; 0 out of range */
uint64_t lcx_push_layer_total_bytes(const struct lcx_push *push, size_t index);

/** lcx_push_layer_done_bytes() - sent so far; 0 out of range */
uint64_t lcx_push_layer_done_bytes(const struct lcx_push *push, size_t index);

/** lcx_push_reference() - the full name of the destination */
const char *lcx_push_reference(const struct lcx_push *push);

/** lcx_push_manifest_digest() - by which the image can be pulled from there, too */
const char *lcx_push_manifest_digest(const struct lcx_push *push);

/** lcx_push_free() - cancel if need be, and release; NULL is accepted, NULL is returned */
struct lcx_push *lcx_push_free(struct lcx_push *push);

#ifdef __cplusplus
}
#endif

#endif /* LCX_IMAGE_H */
