// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes what is sent to a key server: addresses and bodies, without any I/O. */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const op_names[] = {
	[KME_OP_STATUS] = "status",
	[KME_OP_ENC] = "enc_keys",
	[KME_OP_DEC] = "dec_keys",
};

const char *kme_op_name(enum kme_op op)
{
	return op_names[op];
}

/* RFC 3986, 2.3: these stand for themselves in a URL. */
static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z') || (c && strchr("-._~", c));
}

static void encode(char *to, const char *from)
{
	for (; *from; from++) {
		if (is_unreserved(*from))
			*to++ = *from;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*from);
	}
	*to = '\0';
}

int kme_write_url(char url[KME_URL_MAX], const char *base, const char *sae,
		  enum kme_op op, const struct kme_ask *ask)
{
	char segment[3 * KME_SAE_ID_MAX + 1], query[KME_KEY_ID_MAX + 32] = "";
	int len;

	if (strlen(sae) > KME_SAE_ID_MAX)
		return -ENAMETOOLONG;
	encode(segment, sae);
	if (ask && ask->ids)
		snprintf(query, sizeof(query), "?key_ID=%s", ask->ids[0].text);
	else if (ask)
		snprintf(query, sizeof(query), "?number=%zu&size=%d", ask->n,
			 KME_SECRET_MIN_BYTES * 8);
	len = snprintf(url, KME_URL_MAX, "%s/api/v1/keys/%s/%s%s", base,
		       segment, op_names[op], query);
	return len < KME_URL_MAX ? 0 : -ENAMETOOLONG;
}

size_t kme_write_body(char *body, const struct kme_ask *ask)
{
	char *end = body;
	size_t i;

	if (!ask->ids)
		return (size_t)sprintf(body, "{\"number\":%zu,\"size\":%d}",
				       ask->n, KME_SECRET_MIN_BYTES * 8);
	end += sprintf(end, "{\"key_IDs\":[");
	for (i = 0; i < ask->n; i++)
		end += sprintf(end, "%s{\"key_ID\":\"%s\"}", i ? "," : "",
			       ask->ids[i].text);
	end += sprintf(end, "]}");
	return (size_t)(end - body);
}
