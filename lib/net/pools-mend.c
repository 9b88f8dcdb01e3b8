/* SPDX-License-Identifier: MIT */

/*
 * A pool's file that a crash of the machine, or a disk, has damaged. What is leased is known a
 * second time: each attachment has a record, which is written before anything has its address and
 * removed after. Records of another boot speak of nothing that is there.
 */
#include <string.h>

#include "net/pools.h"

static bool is_of_this_boot(const struct lcx_attachment *record)
{
	char boot_id[LCX__BOOT_ID_SIZE];

	return lcx__boot_id(boot_id) < 0 || strcmp(boot_id, record->boot_id) == 0;
}

static int lease_again(struct lcx_ipam_pool *pool, const struct lcx_attachment *record,
		       struct lcx_error **err)
{
	char address[LCX_IPAM_ADDRESS_SIZE];
	int r = 0;

	for (size_t i = 0; i < NET_FAMILIES && r == 0; i++) {
		const char *text = record->addresses[i].address;

		if (text[0] != '\0' &&
		    lcx_ipam_subnet_contains(lcx_ipam_pool_subnet(pool), text, NULL) == 1)
			r = lcx_ipam_allocate(pool, record->owner, text, address, sizeof(address),
					      err);
	}
	return r;
}

/* All of them, before anything is changed. */
static int read_records(struct lcx_ctx *ctx, const char *network,
			struct lcx_attachment ***ret_records, size_t *ret_count,
			struct lcx_error **err)
{
	CLEANUP(closep) int records_fd = lcx__net_records_dir(ctx, network, err);
	CLEANUP(lcx__strv_freep) char **owners = NULL;
	int r;

	if (records_fd < 0)
		return records_fd == -ENOENT ? 0 : records_fd;
	r = lcx__net_list_names(records_fd, false, &owners);
	if (r < 0)
		return lcx__fail_sys(err, -r, "list attachments");
	*ret_records = calloc(lcx__strv_length(owners) + 1, sizeof(**ret_records));
	if (!*ret_records)
		return lcx__fail_nomem(err);
	for (size_t i = 0; owners[i] && r == 0; i++) {
		r = lcx__record_read(records_fd, owners[i], &(*ret_records)[*ret_count], err);
		if (r == 0)
			(*ret_count)++;
		if (r == -ENOENT)
			r = 0;
	}
	return r;
}

static int make_again(int pools_fd, const struct lcx_network *network, uint32_t position,
		      struct lcx_attachment *const *records, size_t count, struct lcx_error **err)
{
	CLEANUP(lcx_ipam_pool_freep) struct lcx_ipam_pool *pool = NULL;
	int r;

	lcx__pool_discard(pools_fd, network->name, position);
	r = lcx__pool_make(pools_fd, network, position, err);
	if (r == 0)
		r = lcx__pool_open(pools_fd, network->name, position, &pool, err);
	if (r == 0)
		r = lcx__ipam_note_mended(pool, err);
	for (size_t i = 0; i < count && r == 0; i++)
		if (is_of_this_boot(records[i]))
			r = lease_again(pool, records[i], err);
	/* Half of it would be worse than none: the damage is found again. */
	if (r < 0)
		lcx__pool_discard(pools_fd, network->name, position);
	return r;
}

int lcx__pool_mend(struct lcx_ctx *ctx, int pools_fd, const struct lcx_network *network,
		   uint32_t position, struct lcx_error **err)
{
	struct lcx_attachment **records = NULL;
	size_t count = 0;
	int r = read_records(ctx, network->name, &records, &count, err);

	if (r == 0)
		r = make_again(pools_fd, network, position, records, count, err);
	for (size_t i = 0; i < count; i++)
		(void)lcx_attachment_free(records[i]);
	free(records);
	return lcx__fail_prefix(err, r, "rebuild the address pool of network '%s'", network->name);
}
