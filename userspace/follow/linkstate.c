// SPDX-License-Identifier: GPL-2.0-or-later
/* How well each link of the site is protected. */
#include "linkstate.h"

#include <stdlib.h>

#include "libqlink/protection.h"
#include "libqlink/qlink.h"

json_t *linkstate_read(struct qlink_nl **nl)
{
	struct qlink_error error;
	struct qlink_link *links;
	json_t *object;
	uint32_t lacks;
	size_t n, i;

	if (!*nl && qlink_nl_open(nl, &error)) {
		*nl = NULL;
		return NULL;
	}
	/* The module may have been loaded again, with another number of its family. */
	if (qlink_link_dump(*nl, &links, &n, &error)) {
		qlink_nl_close(*nl);
		*nl = NULL;
		return NULL;
	}
	object = json_object();
	for (i = 0; i < n; i++)
		json_object_set_new(object, links[i].ifname,
				    json_string(qlink_name(&qlink_protections, qlink_link_protection(&links[i], &lacks))));
	free(links);
	return object;
}
