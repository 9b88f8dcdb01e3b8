/* SPDX-License-Identifier: MIT */
#include "image/offer.h"

#include <errno.h>
#include <string.h>

#include "image/reference.h"
#include "util/str.h"

static void clear(struct lcx__offer *offer)
{
	(void)lcx__strv_free(offer->names);
	free(offer->ref_name);
	free(offer->media_type);
	free(offer->config);
	(void)lcx__strv_free(offer->layers);
	(void)lcx__strv_free(offer->steps);
}

struct lcx__offer *lcx__offers_add(struct lcx__offers *offers)
{
	struct lcx__offer *bigger = reallocarray(offers->items, offers->n + 1, sizeof(*bigger));

	if (!bigger)
		return NULL;
	offers->items = bigger;
	bigger[offers->n] = (struct lcx__offer){0};
	return &bigger[offers->n++];
}

void lcx__offers_clear(struct lcx__offers *offers)
{
	for (size_t i = 0; i < offers->n; i++)
		clear(&offers->items[i]);
	free(offers->items);
	*offers = (struct lcx__offers){0};
}

int lcx__offer_add_name(struct lcx__offer *offer, const char *name, struct lcx_error **err)
{
	CLEANUP(lcx__reference_freep) struct lcx__reference *ref = NULL;
	CLEANUP(freep) char *full = NULL;
	int r = lcx__reference_parse(name, &ref, err);

	if (r == -ENOMEM)
		return r;
	if (r < 0 || ref->digest.text[0])
		return lcx__fail(err, EBADMSG, "'%.200s' can't be an image's name", name);
	full = lcx__reference_format(ref);
	if (!full || lcx__strv_append(&offer->names, full) < 0)
		return lcx__fail_nomem(err);
	return 0;
}

int lcx__archive_offers(const struct lcx__bundle *bundle, struct lcx__offers *ret,
			struct lcx_error **err)
{
	if (!lcx__bundle_has(bundle, "oci-layout") && lcx__bundle_has(bundle, "manifest.json"))
		return lcx__docker_offers(bundle, ret, err);
	if (!lcx__bundle_has(bundle, "oci-layout") && lcx__bundle_has(bundle, "repositories"))
		return lcx__legacy_offers(bundle, ret, err);
	return lcx__layout_offers(bundle, ret, err);
}
