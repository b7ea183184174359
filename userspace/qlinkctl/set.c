// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl set: configure a link. */
#include "set.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "libqlink/netns.h"
#include "libqlink/option.h"

/*
 * The lower device has a name in this network namespace, and an index in the one
 * of the underlay. If the two differ, refuse: the index would be another device's.
 */
static int set_lower(struct qlink_config *config, const char *device,
		     uint32_t ifindex, const char *name)
{
	if (qlink_config_has(config, IFLA_QLINK_LOWER))
		return ctl_usage("link: given twice");
	if (!name)
		return ctl_usage("link: has no value");
	config->lower = if_nametoindex(name);
	if (!config->lower)
		return ctl_fail("%s: no such device", name);
	if (!qlink_underlay_is_here(ifindex))
		return ctl_fail("%s: link \"%s\": the underlay is in another network namespace",
				device, name);
	config->present |= 1ULL << IFLA_QLINK_LOWER;
	return CTL_OK;
}

static int set_word(struct qlink_config *config, const char *word,
		    const char *value)
{
	struct qlink_why why;
	char text[256];
	int err;

	err = qlink_config_word(config, word, value, &why);
	if (!err)
		return CTL_OK;
	qlink_config_error(err, word, value, &why, text, sizeof(text));
	return ctl_usage("%s", text);
}

/* Check all words that can be checked without the device. */
static int set_words(struct qlink_config *config, const char *device,
		     uint32_t ifindex, char **words)
{
	int err = CTL_OK;

	for (; *words && !err; words += words[1] ? 2 : 1) {
		if (!strcmp(words[0], "link"))
			err = set_lower(config, device, ifindex, words[1]);
		else
			err = set_word(config, words[0], words[1]);
	}
	return err;
}

int set_run(struct ctl *ctl, int argc, char **argv)
{
	struct qlink_config config = { 0 };
	struct qlink_error error;
	uint32_t ifindex;
	int err;

	if (argc < 2)
		return ctl_usage("set: needs a device and what to set");
	ifindex = if_nametoindex(argv[0]);
	err = set_words(&config, argv[0], ifindex, argv + 1);
	if (!err)
		err = ctl_device(ctl, argv[0], &ifindex);
	if (err)
		return err;
	if (qlink_link_set(ctl->nl, ifindex, &config, &error))
		return ctl_refused(argv[0], &error);
	return CTL_OK;
}
