/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "security/seccomp-arch.h"
#include "security/seccomp-prelude.h"
#include "security/seccomp.h"
#include "util/fs.h"

#if HAVE_SECCOMP
#include <seccomp.h>
#endif

/*
 * A filter is found by its *key*: everything that the compiler would look at,
 * as text. A hash of it names the slot and the file, but the whole key is kept
 * and compared, so two profiles whose hashes collide cost time and nothing else; so no
 * cryptography is needed. A checksum finds files that a full disk or a crash has spoilt.
 *
 * The cache only ever saves work: whatever goes wrong with its files, the filter
 * is compiled.
 */

enum { N_SLOTS = 16, MAX_FILE = 1 << 20 };

struct slot {
	char *key;
	void *bpf;
	size_t size;
};

struct lcx__seccomp_cache {
	int dir_fd; /* -1: in memory only */
	struct slot slots[N_SLOTS];
};

struct file_header {
	char magic[8];
	uint32_t key_length, bpf_size;
	uint64_t checksum; /* of what follows */
};

static const char magic[8] = "lcxbpf3";

/* FNV-1a. */
static uint64_t hash(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void add_compiler(struct lcx__strbuf *key)
{
#if HAVE_SECCOMP
	const struct scmp_version *version = seccomp_version();

	lcx__strbuf_addf(key, "%u.%u.%u", version->major, version->minor, version->micro);
#endif
	lcx__strbuf_addf(key, " %s %s\n", LCX_VERSION, lcx__arch_native()->oci_name);
}

static char *make_key(const struct lcx_seccomp *resolved)
{
	struct lcx__strbuf key = STRBUF_EMPTY;

	add_compiler(&key);
	lcx__strbuf_addf(&key, "default %x %d %x\n", resolved->default_action.value,
			 resolved->default_errno_ret.set ? (int)resolved->default_errno_ret.value
							 : -1,
			 (unsigned int)resolved->flags.value);
	for (char **arch = resolved->architectures; arch && *arch; arch++)
		lcx__strbuf_addf(&key, "arch %s\n", *arch);
	for (size_t i = 0; i < resolved->rules.n; i++) {
		const struct lcx__seccomp_rule *rule = &resolved->rules.items[i];

		lcx__strbuf_addf(&key, "rule %x %d", rule->action.value,
				 rule->errno_ret.set ? (int)rule->errno_ret.value : -1);
		for (size_t j = 0; j < rule->args.n; j++) {
			const struct lcx__seccomp_arg *arg = &rule->args.items[j];

			lcx__strbuf_addf(&key, " %u:%u:%" PRIx64 ":%" PRIx64, arg->index.value,
					 arg->op.value, arg->value.value, arg->value_two.value);
		}
		for (char **name = rule->names; *name; name++) {
			lcx__strbuf_add(&key, " ", 1);
			lcx__strbuf_adds(&key, *name);
		}
		lcx__strbuf_add(&key, "\n", 1);
	}
	return lcx__strbuf_take(&key);
}

struct lcx__seccomp_cache *lcx__seccomp_cache_free(struct lcx__seccomp_cache *cache)
{
	if (!cache)
		return NULL;
	for (size_t i = 0; i < N_SLOTS; i++) {
		free(cache->slots[i].key);
		free(cache->slots[i].bpf);
	}
	closep(&cache->dir_fd);
	free(cache);
	return NULL;
}

/* Only a directory that nobody else can write to may hold filters. */
static bool is_private(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

int lcx__seccomp_cache_new(int run_fd, struct lcx__seccomp_cache **ret, struct lcx_error **err)
{
	CLEANUP(lcx__seccomp_cache_freep)
	struct lcx__seccomp_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return lcx__fail_nomem(err);
	cache->dir_fd = -1;
	if (run_fd >= 0) {
		if (mkdirat(run_fd, "seccomp", 0700) < 0 && errno != EEXIST)
			return lcx__fail_sys(err, errno, "make directory 'seccomp'");
		cache->dir_fd = lcx__open_dir(run_fd, "seccomp");
		if (cache->dir_fd < 0)
			return lcx__fail_sys(err, -cache->dir_fd, "open directory 'seccomp'");
		if (!is_private(cache->dir_fd))
			return lcx__fail(
				err, EPERM,
				"directory 'seccomp' belongs to, or can be written by, another "
				"user; remove it");
	}
	*ret = TAKE_PTR(cache);
	return 0;
}

/* Take over key and filter. */
static void keep(struct slot *slot, char *key, void *bpf, size_t size)
{
	free(slot->key);
	free(slot->bpf);
	*slot = (struct slot){.key = key, .bpf = bpf, .size = size};
}

enum { NAME_SIZE = 32 };

static void file_name(uint64_t h, char name[static NAME_SIZE])
{
	(void)snprintf(name, NAME_SIZE, "%016" PRIx64 ".bpf", h);
}

/* Whether @text is a file of ours, whole, for @key; *@ret points to the filter in it. */
static bool file_is_good(const char *text, size_t length, const char *key, const char **ret,
			 size_t *ret_size)
{
	struct file_header header;
	const char *body = text + sizeof(header);

	if (length < sizeof(header))
		return false;
	memcpy(&header, text, sizeof(header));
	length -= sizeof(header);
	if (memcmp(header.magic, magic, sizeof(magic)) != 0 || header.key_length != strlen(key) ||
	    header.bpf_size == 0 || header.bpf_size % 8 != 0 ||
	    header.bpf_size > LCX__MAX_BPF_SIZE ||
	    length != (size_t)header.key_length + header.bpf_size)
		return false;
	if (hash(body, length) != header.checksum || memcmp(body, key, header.key_length) != 0)
		return false;
	*ret = body + header.key_length;
	*ret_size = header.bpf_size;
	return true;
}

static bool load_file(struct lcx__seccomp_cache *cache, uint64_t h, struct slot *slot, char **key)
{
	CLEANUP(freep) char *text = NULL;
	char name[NAME_SIZE];
	const char *filter;
	size_t length, size;
	void *bpf;

	file_name(h, name);
	if (cache->dir_fd < 0 || lcx__read_file(cache->dir_fd, name, MAX_FILE, &text, &length) < 0)
		return false;
	if (!file_is_good(text, length, *key, &filter, &size))
		return false;
	bpf = malloc(size);
	if (!bpf)
		return false;
	memcpy(bpf, filter, size);
	keep(slot, TAKE_PTR(*key), bpf, size);
	return true;
}

/* A cache that can't be written is slow, not broken: failures are ignored. */
static void store_file(const struct lcx__seccomp_cache *cache, uint64_t h, const struct slot *slot)
{
	CLEANUP(lcx__strbuf_free) struct lcx__strbuf file = STRBUF_EMPTY;
	struct file_header header = {.key_length = (uint32_t)strlen(slot->key),
				     .bpf_size = (uint32_t)slot->size};
	char name[NAME_SIZE];

	if (cache->dir_fd < 0)
		return;
	memcpy(header.magic, magic, sizeof(magic));
	lcx__strbuf_add(&file, &header, sizeof(header));
	lcx__strbuf_adds(&file, slot->key);
	lcx__strbuf_add(&file, slot->bpf, slot->size);
	if (file.failed)
		return;
	header.checksum = hash(file.text + sizeof(header), file.length - sizeof(header));
	memcpy(file.text, &header, sizeof(header));
	file_name(h, name);
	(void)lcx__replace_file(cache->dir_fd, name, file.text, file.length, 0600, false);
}

int lcx__seccomp_cache_get(struct lcx__seccomp_cache *cache, const struct lcx_seccomp *profile,
			   uint64_t capabilities, struct lcx__seccomp_filter *ret,
			   struct lcx_error **err)
{
	CLEANUP(lcx__seccomp_release_resolved) struct lcx_seccomp resolved = {0};
	CLEANUP(freep) char *key = NULL;
	struct lcx__seccomp_filter filter = {0};
	struct slot *slot;
	uint64_t h;
	int r;

	r = lcx__seccomp_resolve(profile, capabilities, &resolved, err);
	if (r < 0)
		return r;
	key = make_key(&resolved);
	if (!key)
		return lcx__fail_nomem(err);
	h = hash(key, strlen(key));
	slot = &cache->slots[h % N_SLOTS];

	if ((!slot->key || strcmp(slot->key, key) != 0) && !load_file(cache, h, slot, &key)) {
		r = lcx__seccomp_compile_resolved(&resolved, &filter, err);
		if (r < 0)
			return r;
		keep(slot, TAKE_PTR(key), filter.bpf, filter.size);
		store_file(cache, h, slot);
	}
	*ret = (struct lcx__seccomp_filter){
		.bpf = slot->bpf,
		.size = slot->size,
		.flags = (uint32_t)resolved.flags.value,
	};
	return 0;
}
