/* SPDX-License-Identifier: MIT */

/*
 * Frames that a bridge, or an interface, does not pass as a rule: back through the port that they
 * came by (hairpin), and those for somebody else's MAC address (promiscuous).
 */
#include <string.h>

#include "net/driver.h"

int lcx__net_parse_switch(const char *text, bool *ret, struct lcx_error **err)
{
	static const struct {
		const char *word;
		bool on;
	} words[] = {{"", true}, {"true", true}, {"1", true}, {"false", false}, {"0", false}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, text) == 0) {
			*ret = words[i].on;
			return 0;
		}
	return lcx__fail(err, EINVAL, "'%s' is neither true nor false", text);
}

LCX_PUBLIC int lcx_network_set_hairpin(struct lcx_network *network, bool hairpin,
				       struct lcx_error **err)
{
	(void)err;
	network->hairpin = hairpin;
	return 0;
}

LCX_PUBLIC int lcx_network_set_promiscuous(struct lcx_network *network, bool promiscuous,
					   struct lcx_error **err)
{
	(void)err;
	network->promiscuous = promiscuous;
	return 0;
}

LCX_PUBLIC bool lcx_network_hairpin(const struct lcx_network *network)
{
	return network->hairpin;
}

LCX_PUBLIC bool lcx_network_promiscuous(const struct lcx_network *network)
{
	return network->promiscuous;
}

LCX_PUBLIC int lcx_attachment_set_hairpin(struct lcx_attachment *attachment, bool hairpin,
					  struct lcx_error **err)
{
	(void)err;
	attachment->hairpin = hairpin;
	return 0;
}

LCX_PUBLIC int lcx_attachment_set_promiscuous(struct lcx_attachment *attachment, bool promiscuous,
					      struct lcx_error **err)
{
	(void)err;
	attachment->promiscuous = promiscuous;
	return 0;
}

LCX_PUBLIC bool lcx_attachment_hairpin(const struct lcx_attachment *attachment)
{
	return attachment->hairpin;
}

LCX_PUBLIC bool lcx_attachment_promiscuous(const struct lcx_attachment *attachment)
{
	return attachment->promiscuous;
}

int lcx__frames_settle(const struct lcx_network *network, struct lcx_error **err)
{
	if (!network->hairpin && !network->promiscuous)
		return 0;
	return lcx__fail(err, EINVAL,
			 "network '%s': driver '%s' has no bridge that could be %s; use driver "
			 "'bridge'",
			 network->name, network->driver,
			 network->hairpin ? "a hairpin" : "promiscuous");
}

/* A branch that hears everything makes the host's own interface do so. */
int lcx__frames_check(const struct lcx_network *network, const struct lcx_attachment *attachment,
		      struct lcx_error **err)
{
	if (attachment->hairpin)
		return lcx__fail(
			err, EINVAL,
			"network '%s' has driver '%s': without a cable there is no hairpin",
			network->name, network->driver);
	if (attachment->promiscuous)
		return lcx__fail(err, EINVAL,
				 "network '%s' has driver '%s': a promiscuous interface would make "
				 "'%s' of the host one, too",
				 network->name, network->driver, network->parent);
	return 0;
}
