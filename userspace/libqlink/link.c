// SPDX-License-Identifier: GPL-2.0-or-later
/* A link as userspace sees it: its configuration, its rings, its attributes. */
#include "link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

#define SOURCE_PORTS_MAX	64

/* Where an attribute of a configuration lies, and how it travels. */
struct field {
	uint16_t offset;
	uint16_t size;
	enum { AS_IS, BIG_ENDIAN_16, ADDRESS } form;
};

#define FIELD(member, how) { \
	.offset = offsetof(struct qlink_config, member), \
	.size = sizeof(((struct qlink_config *)0)->member), .form = (how) }

static const struct field fields[IFLA_QLINK_MAX + 1] = {
	[IFLA_QLINK_ID] = FIELD(id, AS_IS),
	[IFLA_QLINK_LOWER] = FIELD(lower, AS_IS),
	[IFLA_QLINK_ETHERTYPE] = FIELD(ethertype, BIG_ENDIAN_16),
	[IFLA_QLINK_PEER] = FIELD(peer, AS_IS),
	[IFLA_QLINK_LOCAL] = FIELD(local, ADDRESS),
	[IFLA_QLINK_REMOTE] = FIELD(remote, ADDRESS),
	[IFLA_QLINK_PORT] = FIELD(port, BIG_ENDIAN_16),
	[IFLA_QLINK_SOURCE_PORTS] = FIELD(source_ports, AS_IS),
	[IFLA_QLINK_ACCEPT] = FIELD(accept, AS_IS),
	[IFLA_QLINK_REKEY_MS] = FIELD(rekey_ms, AS_IS),
	[IFLA_QLINK_REKEY_FRAMES] = FIELD(rekey_frames, AS_IS),
	[IFLA_QLINK_REKEY_BYTES] = FIELD(rekey_bytes, AS_IS),
	[IFLA_QLINK_HARD_SECONDS] = FIELD(hard_seconds, AS_IS),
	[IFLA_QLINK_GRACE_MS] = FIELD(grace_ms, AS_IS),
	[IFLA_QLINK_KEYS_LOW] = FIELD(keys_low, AS_IS),
	[IFLA_QLINK_KEEPALIVE_MS] = FIELD(keepalive_ms, AS_IS),
	[IFLA_QLINK_BLOCKS2_LOG2] = FIELD(blocks2_log2, AS_IS),
};

static int parse_u32(const char *text, uint32_t min, uint32_t max,
		     uint32_t *value, struct qlink_why *why)
{
	uint64_t number;
	int err;

	err = qlink_parse_number(text, min, max, &number, why);
	if (!err)
		*value = (uint32_t)number;
	return err;
}

static int parse_u16(const char *text, uint16_t max, uint16_t *value,
		     struct qlink_why *why)
{
	uint64_t number;
	int err;

	err = qlink_parse_number(text, 1, max, &number, why);
	if (!err)
		*value = (uint16_t)number;
	return err;
}

static int word_id(struct qlink_config *config, const char *text,
		   struct qlink_why *why)
{
	return parse_u16(text, UINT16_MAX, &config->id, why);
}

static int word_ethertype(struct qlink_config *config, const char *text,
			  struct qlink_why *why)
{
	return qlink_parse_ethertype(text, &config->ethertype, why);
}

static int word_peer(struct qlink_config *config, const char *text,
		     struct qlink_why *why)
{
	return qlink_parse_mac(text, config->peer, why);
}

static int word_local(struct qlink_config *config, const char *text,
		      struct qlink_why *why)
{
	return qlink_parse_addr(text, &config->local, why);
}

static int word_remote(struct qlink_config *config, const char *text,
		       struct qlink_why *why)
{
	return qlink_parse_addr(text, &config->remote, why);
}

static int word_port(struct qlink_config *config, const char *text,
		     struct qlink_why *why)
{
	return parse_u16(text, UINT16_MAX, &config->port, why);
}

static int word_source_ports(struct qlink_config *config, const char *text,
			     struct qlink_why *why)
{
	return parse_u16(text, SOURCE_PORTS_MAX, &config->source_ports, why);
}

static int word_accept(struct qlink_config *config, const char *text,
		       struct qlink_why *why)
{
	return qlink_parse_accept(text, &config->accept, why);
}

static int word_rekey_ms(struct qlink_config *config, const char *text,
			 struct qlink_why *why)
{
	return parse_u32(text, 0, QLINK_REKEY_MS_MAX, &config->rekey_ms, why);
}

static int word_rekey_frames(struct qlink_config *config, const char *text,
			     struct qlink_why *why)
{
	return qlink_parse_number(text, 0, QLINK_REKEY_COUNT_MAX,
				  &config->rekey_frames, why);
}

static int word_rekey_bytes(struct qlink_config *config, const char *text,
			    struct qlink_why *why)
{
	return qlink_parse_number(text, 0, QLINK_REKEY_COUNT_MAX,
				  &config->rekey_bytes, why);
}

static int word_hard_seconds(struct qlink_config *config, const char *text,
			     struct qlink_why *why)
{
	return parse_u32(text, 1, QLINK_HARD_SECONDS_MAX,
			 &config->hard_seconds, why);
}

static int word_grace_ms(struct qlink_config *config, const char *text,
			 struct qlink_why *why)
{
	return parse_u32(text, 1, QLINK_GRACE_MS_MAX, &config->grace_ms, why);
}

static int word_keys_low(struct qlink_config *config, const char *text,
			 struct qlink_why *why)
{
	return parse_u32(text, 0, UINT32_MAX, &config->keys_low, why);
}

static int word_keepalive_ms(struct qlink_config *config, const char *text,
			     struct qlink_why *why)
{
	config->keepalive_ms = 0;
	if (!strcmp(text, "0"))
		return 0;
	if (!parse_u32(text, QLINK_KEEPALIVE_MS_MIN, QLINK_KEEPALIVE_MS_MAX,
		       &config->keepalive_ms, why))
		return 0;
	return qlink_refuse(why, -EINVAL, "neither 0 nor a number from %d to %d",
			    QLINK_KEEPALIVE_MS_MIN, QLINK_KEEPALIVE_MS_MAX);
}

static int word_blocks2_log2(struct qlink_config *config, const char *text,
			     struct qlink_why *why)
{
	uint64_t number;
	int err;

	err = qlink_parse_number(text, QLINK_BLOCKS2_LOG2_MIN,
				 QLINK_BLOCKS2_LOG2_MAX, &number, why);
	if (!err)
		config->blocks2_log2 = (uint8_t)number;
	return err;
}

static const struct {
	const char *word;
	unsigned int attr;
	int (*parse)(struct qlink_config *config, const char *text,
		     struct qlink_why *why);
} words[] = {
	{ "id", IFLA_QLINK_ID, word_id },
	{ "ethertype", IFLA_QLINK_ETHERTYPE, word_ethertype },
	{ "peer", IFLA_QLINK_PEER, word_peer },
	{ "local", IFLA_QLINK_LOCAL, word_local },
	{ "remote", IFLA_QLINK_REMOTE, word_remote },
	{ "port", IFLA_QLINK_PORT, word_port },
	{ "source-ports", IFLA_QLINK_SOURCE_PORTS, word_source_ports },
	{ "accept", IFLA_QLINK_ACCEPT, word_accept },
	{ "rekey-ms", IFLA_QLINK_REKEY_MS, word_rekey_ms },
	{ "rekey-frames", IFLA_QLINK_REKEY_FRAMES, word_rekey_frames },
	{ "rekey-bytes", IFLA_QLINK_REKEY_BYTES, word_rekey_bytes },
	{ "hard-seconds", IFLA_QLINK_HARD_SECONDS, word_hard_seconds },
	{ "grace-ms", IFLA_QLINK_GRACE_MS, word_grace_ms },
	{ "keys-low", IFLA_QLINK_KEYS_LOW, word_keys_low },
	{ "keepalive-ms", IFLA_QLINK_KEEPALIVE_MS, word_keepalive_ms },
	{ "blocks2-log2", IFLA_QLINK_BLOCKS2_LOG2, word_blocks2_log2 },
};

int qlink_config_word(struct qlink_config *config, const char *word,
		      const char *value, struct qlink_why *why)
{
	size_t i;
	int err;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, word))
			break;
	if (i == sizeof(words) / sizeof(words[0]))
		return -ENOENT;
	if (qlink_config_has(config, words[i].attr))
		return -EEXIST;
	if (!value)
		return -ENODATA;
	err = words[i].parse(config, value, why);
	if (!err)
		config->present |= 1ULL << words[i].attr;
	return err;
}

void qlink_config_error(int err, const char *word, const char *value,
			const struct qlink_why *why, char *buf, size_t size)
{
	switch (err) {
	case -ENOENT:
		snprintf(buf, size, "\"%s\": no such option", word);
		break;
	case -EEXIST:
		snprintf(buf, size, "%s: given twice", word);
		break;
	case -ENODATA:
		snprintf(buf, size, "%s: has no value", word);
		break;
	default:
		snprintf(buf, size, "%s \"%s\": %s", word, value, why->text);
	}
}

static int field_put(const struct qlink_config *config, unsigned int attr,
		     qlink_attr_put put, void *arg)
{
	const struct field *field = &fields[attr];
	const void *value = (const char *)config + field->offset;
	const struct qlink_addr *addr = value;
	uint16_t wire;

	switch (field->form) {
	case AS_IS:
		break;
	case BIG_ENDIAN_16:
		memcpy(&wire, value, sizeof(wire));
		wire = htons(wire);
		return put(arg, attr, &wire, sizeof(wire));
	case ADDRESS:
		return put(arg, attr, addr->bytes, addr->len);
	}
	return put(arg, attr, value, field->size);
}

int qlink_config_put(const struct qlink_config *config, qlink_attr_put put,
		     void *arg)
{
	unsigned int attr;
	int err;

	for (attr = 1; attr <= IFLA_QLINK_MAX; attr++) {
		if (!fields[attr].size || !qlink_config_has(config, attr))
			continue;
		err = field_put(config, attr, put, arg);
		if (err)
			return err;
	}
	return 0;
}

static int addr_take(struct qlink_addr *addr, const void *data, size_t len)
{
	if (len != 0 && len != 4 && len != 16)
		return -EBADMSG;
	addr->len = (uint8_t)len;
	memcpy(addr->bytes, data, len);
	return 0;
}

static int field_take(struct qlink_config *config, unsigned int attr,
		      const void *data, size_t len)
{
	const struct field *field = &fields[attr];
	void *value = (char *)config + field->offset;
	uint16_t wire;
	int err = 0;

	switch (field->form) {
	case AS_IS:
		err = qlink_attr_copy(value, field->size, data, len);
		break;
	case BIG_ENDIAN_16:
		err = qlink_attr_copy(&wire, sizeof(wire), data, len);
		if (err)
			break;
		wire = ntohs(wire);
		memcpy(value, &wire, sizeof(wire));
		break;
	case ADDRESS:
		err = addr_take(value, data, len);
		break;
	}
	if (!err)
		config->present |= 1ULL << attr;
	return err;
}

/* One source of struct qlink_ring.usage, as it travels. */
struct usage_reply {
	uint8_t source;
	struct qlink_usage usage;
};

static int usage_take_attr(void *reply, unsigned int type, const void *data,
			   size_t len)
{
	static const struct qlink_attr_field usage_fields[] = {
		[QLINK_A_USAGE_SOURCE] = QLINK_ATTR_FIELD(struct usage_reply, source),
		[QLINK_A_USAGE_FRAMES] = QLINK_ATTR_FIELD(struct usage_reply, usage.frames),
		[QLINK_A_USAGE_BYTES] = QLINK_ATTR_FIELD(struct usage_reply, usage.bytes),
	};

	return qlink_attr_copy_field(reply, usage_fields,
				     sizeof(usage_fields) / sizeof(usage_fields[0]),
				     type, data, len);
}

/* A source that only a newer kernel has is passed over. */
static int usage_take(struct qlink_ring *ring, const void *data, size_t len)
{
	struct usage_reply reply = { 0 };
	int err;

	err = qlink_attr_walk(data, len, usage_take_attr, &reply);
	if (!err && reply.source <= QLINK_SOURCE_STATIC)
		ring->usage[reply.source] = reply.usage;
	return err;
}

int qlink_ring_take(void *arg, unsigned int type, const void *data, size_t len)
{
	static const struct qlink_attr_field ring_fields[] = {
		[QLINK_A_RING_ID] = QLINK_ATTR_FIELD(struct qlink_ring, id),
		[QLINK_A_RING_NEWEST_EPOCH] = QLINK_ATTR_FIELD(struct qlink_ring, newest_epoch),
		[QLINK_A_RING_CURRENT_EPOCH] = QLINK_ATTR_FIELD(struct qlink_ring, current_epoch),
		[QLINK_A_RING_CURRENT_SOURCE] = QLINK_ATTR_FIELD(struct qlink_ring, current_source),
		[QLINK_A_RING_STAGED] = QLINK_ATTR_FIELD(struct qlink_ring, staged),
		[QLINK_A_RING_RETIRED] = QLINK_ATTR_FIELD(struct qlink_ring, retired),
		[QLINK_A_RING_REKEYS] = QLINK_ATTR_FIELD(struct qlink_ring, rekeys),
		[QLINK_A_RING_AGE_MS] = QLINK_ATTR_FIELD(struct qlink_ring, age_ms),
		[QLINK_A_RING_OVERDUE] = QLINK_ATTR_FIELD(struct qlink_ring, overdue),
	};
	struct qlink_ring *ring = arg;

	if (type == QLINK_A_RING_USAGE)
		return usage_take(ring, data, len);
	if (type == QLINK_A_RING_CURRENT_SOURCE)
		ring->has_source = true;
	return qlink_attr_copy_field(ring, ring_fields,
				     sizeof(ring_fields) / sizeof(ring_fields[0]),
				     type, data, len);
}

int qlink_link_take(void *arg, unsigned int type, const void *data, size_t len)
{
	static const struct qlink_attr_field link_fields[IFLA_QLINK_MAX + 1] = {
		[IFLA_QLINK_UNDERLAY] = QLINK_ATTR_FIELD(struct qlink_link, underlay),
		[IFLA_QLINK_STATE] = QLINK_ATTR_FIELD(struct qlink_link, state),
		[IFLA_QLINK_WIPED_BY] = QLINK_ATTR_FIELD(struct qlink_link, wiped_by),
		[IFLA_QLINK_WIPES] = QLINK_ATTR_FIELD(struct qlink_link, wipes),
		[IFLA_QLINK_PEER_HEARD] = QLINK_ATTR_FIELD(struct qlink_link, peer_heard),
		[IFLA_QLINK_PEER_EPOCH] = QLINK_ATTR_FIELD(struct qlink_link, peer_epoch),
		[IFLA_QLINK_ECHO_US] = QLINK_ATTR_FIELD(struct qlink_link, echo_us),
		[IFLA_QLINK_BLOCKS2] = QLINK_ATTR_FIELD(struct qlink_link, blocks2),
		[IFLA_QLINK_GENERATION] = QLINK_ATTR_FIELD(struct qlink_link, generation),
	};
	struct qlink_link *link = arg;

	switch (type) {
	case IFLA_QLINK_TX:
		return qlink_attr_walk(data, len, qlink_ring_take, &link->tx);
	case IFLA_QLINK_RX:
		return qlink_attr_walk(data, len, qlink_ring_take, &link->rx);
	case IFLA_QLINK_PEER_HEARD:
		link->has_peer = true;
		break;
	}
	if (type <= IFLA_QLINK_MAX && fields[type].size)
		return field_take(&link->config, type, data, len);
	return qlink_attr_copy_field(link, link_fields, IFLA_QLINK_MAX + 1, type,
				     data, len);
}

int qlink_stats_take(void *stats, unsigned int type, const void *data,
		     size_t len)
{
	uint64_t *counters = stats;

	if (type > QLINK_A_STATS_MAX || type == QLINK_A_STATS_PAD)
		return 0;
	return qlink_attr_copy(&counters[type], sizeof(*counters), data, len);
}

static int port_take(void *port, unsigned int type, const void *data, size_t len)
{
	uint64_t *counters = port;

	if (type > QLINK_A_PORT_MAX || type == QLINK_A_PORT_PAD)
		return 0;
	return qlink_attr_copy(&counters[type], sizeof(*counters), data, len);
}

int qlink_name_take(char *name, size_t size, const void *data, size_t len)
{
	size_t n = strnlen(data, len);

	if (n >= size)
		return -EBADMSG;
	memcpy(name, data, n);
	name[n] = '\0';
	return 0;
}

int qlink_link_take_message(void *arg, unsigned int type, const void *data,
			    size_t len)
{
	struct qlink_link *link = arg;

	switch (type) {
	case QLINK_A_IFINDEX:
		return qlink_attr_copy(&link->ifindex, sizeof(link->ifindex),
				       data, len);
	case QLINK_A_IFNAME:
		return qlink_name_take(link->ifname, sizeof(link->ifname), data, len);
	case QLINK_A_LINK:
		return qlink_attr_walk(data, len, qlink_link_take, link);
	case QLINK_A_STATS:
		return qlink_attr_walk(data, len, qlink_stats_take, link->stats);
	case QLINK_A_PORT:
		link->has_port = true;
		return qlink_attr_walk(data, len, port_take, link->port);
	}
	return 0;
}
