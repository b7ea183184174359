// SPDX-License-Identifier: GPL-2.0-or-later
/* Requests to the kernel, its acks, and the wiping of messages. */
#include "libqlink/nl.c"

#include "tap.h"

static uint8_t secret[QLINK_SECRET_BYTES] =
	"KEYKEYKEYKEYKEYKEYKEYKEYKEYKEYKEsaltsaltsal";

static struct qlink_key sample_key(void)
{
	return (struct qlink_key){
		.direction = QLINK_DIRECTION_RX, .epoch = 7,
		.source = QLINK_SOURCE_QKD, .kmes = 3, .kme_key_id = { 1 },
		.hard_blocks = 99, .secret = secret,
	};
}

struct seen {
	unsigned int types;
	uint8_t key[QLINK_KEY_BYTES];
	uint8_t salt[QLINK_SALT_BYTES];
};

static int see(void *arg, unsigned int type, const void *data, size_t len)
{
	struct seen *seen = arg;

	seen->types |= 1U << type;
	if (type == QLINK_A_KEY_KEY)
		return qlink_attr_copy(seen->key, sizeof(seen->key), data, len);
	if (type == QLINK_A_KEY_SALT)
		return qlink_attr_copy(seen->salt, sizeof(seen->salt), data, len);
	return 0;
}

TEST(an_install_sends_key_and_salt_separately)
{
	struct qlink_nl nl = { .family = 30 };
	struct qlink_key key = sample_key();
	struct qlink_key back = { 0 };
	struct seen seen = { 0 };
	struct nl_msg *msg = nl_request_new(&nl, QLINK_CMD_KEY_INSTALL, 0, 5, KEY_ROOM);
	struct nlattr *nest;

	CHECK_NUMBER("put", nl_request_put_keys(msg, &key, 1, qlink_key_put), 0);
	nest = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, QLINK_A_KEY);
	CHECK(nest, "no key in the request");
	CHECK(nest->nla_type & NLA_F_NESTED, "no nest flag, which a strict kernel requires");
	qlink_attr_walk(nla_data(nest), (size_t)nla_len(nest), see, &seen);
	qlink_attr_walk(nla_data(nest), (size_t)nla_len(nest), qlink_key_take, &back);
	CHECK(!memcmp(seen.key, secret, 32), "wrong key");
	CHECK(!memcmp(seen.salt, secret + 32, 12), "wrong salt");
	CHECK_NUMBER("epoch", back.epoch, 7);
	CHECK_NUMBER("blocks", back.hard_blocks, 99);
	CHECK_NUMBER("KMEs", back.kmes, 3);
	CHECK_NUMBER("ID", back.kme_key_id[0], 1);
	nlmsg_free(msg);
}

TEST(options_of_a_key_that_were_not_given_are_not_sent)
{
	struct qlink_nl nl = { .family = 30 };
	struct qlink_key key = sample_key();
	struct seen seen = { 0 };
	struct nl_msg *msg = nl_request_new(&nl, QLINK_CMD_KEY_INSTALL, 0, 5, KEY_ROOM);
	struct nlattr *nest;

	key.hard_blocks = 0;
	key.kmes = 0;
	memset(key.kme_key_id, 0, sizeof(key.kme_key_id));
	nl_request_put_keys(msg, &key, 1, qlink_key_put);
	nest = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, QLINK_A_KEY);
	qlink_attr_walk(nla_data(nest), (size_t)nla_len(nest), see, &seen);
	CHECK_NUMBER("attributes", seen.types,
		     1U << QLINK_A_KEY_DIRECTION | 1U << QLINK_A_KEY_EPOCH |
		     1U << QLINK_A_KEY_SOURCE | 1U << QLINK_A_KEY_KEY |
		     1U << QLINK_A_KEY_SALT);
	nlmsg_free(msg);
}

TEST(a_delete_sends_no_key_bytes)
{
	struct qlink_nl nl = { .family = 30 };
	struct qlink_key key = sample_key();
	struct seen seen = { 0 };
	struct nl_msg *msg = nl_request_new(&nl, QLINK_CMD_KEY_DEL, 0, 5, KEY_ROOM);
	struct nlattr *nest;

	nl_request_put_keys(msg, &key, 1, qlink_key_put_name);
	nest = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, QLINK_A_KEY);
	qlink_attr_walk(nla_data(nest), (size_t)nla_len(nest), see, &seen);
	CHECK_NUMBER("attributes", seen.types,
		     1U << QLINK_A_KEY_DIRECTION | 1U << QLINK_A_KEY_EPOCH);
	nlmsg_free(msg);
}

TEST(many_keys_fit_into_one_request)
{
	const size_t n = 5000;
	struct qlink_nl nl = { .family = 30 };
	struct qlink_key *keys = calloc(n, sizeof(*keys));
	struct nl_msg *msg = nl_request_new(&nl, QLINK_CMD_KEY_INSTALL, 0, 5, n * KEY_ROOM);
	size_t i;

	for (i = 0; i < n; i++)
		keys[i] = sample_key();
	CHECK_NUMBER("put", nl_request_put_keys(msg, keys, n, qlink_key_put), 0);
	nlmsg_free(msg);
	free(keys);
}

/* The socket is not open, so sending fails; the message is wiped all the same. */
TEST(the_message_is_wiped_after_sending)
{
	struct qlink_error error = { 0 };
	struct nl_reply reply = { .error = &error };
	struct qlink_nl nl = { .sock = nl_socket_alloc(), .family = 30 };
	struct qlink_key key = sample_key();
	struct nl_msg *msg = nl_request_new(&nl, QLINK_CMD_KEY_INSTALL, 0, 5, KEY_ROOM);
	const uint8_t *at = (const uint8_t *)nlmsg_hdr(msg);
	size_t size = nlmsg_get_max_size(msg), i, left = 0;

	CHECK(install_send(&nl, msg, &key, 1, &reply) < 0, "sent without a socket");
	CHECK(error.err > 0, "no errno");
	for (i = 0; i < size; i++)
		left += at[i] != 0;
	CHECK_NUMBER("bytes that were not wiped", left, 0);
	nlmsg_free(msg);
	nl_socket_free(nl.sock);
}

/* An ack as the kernel sends it with NETLINK_CAP_ACK: header only, then TLVs. */
struct ack {
	struct nlmsghdr hdr;
	struct nlmsgerr err;
	uint8_t tlvs[64];
};

static size_t tlv(uint8_t *at, uint16_t type, const void *data, size_t len)
{
	struct nlattr head = { .nla_len = (uint16_t)(sizeof(head) + len), .nla_type = type };

	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), data, len);
	return NLA_ALIGN(head.nla_len);
}

TEST(a_refusal_has_the_kernels_text)
{
	static const char said[] = "epoch 5 is not above 9";
	struct qlink_error error = { 0 };
	struct nl_reply reply = { .error = &error };
	uint32_t offset = 44;
	struct ack ack = { .err.error = -EEXIST };
	size_t len = 0;

	len += tlv(ack.tlvs + len, NLMSGERR_ATTR_MSG, said, sizeof(said));
	len += tlv(ack.tlvs + len, NLMSGERR_ATTR_OFFS, &offset, sizeof(offset));
	ack.hdr.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + sizeof(ack.err) + len);
	ack.hdr.nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	CHECK_NUMBER("stops", on_error(NULL, &ack.err, &reply), NL_STOP);
	CHECK(reply.is_done, "still waiting");
	CHECK_NUMBER("result", reply.err, -EEXIST);
	CHECK_NUMBER("errno", error.err, EEXIST);
	CHECK_TEXT("text", qlink_error_text(&error), said);
	CHECK(error.has_offset && error.offset == 44, "offset %u", error.offset);
}

TEST(a_refusal_without_text_has_the_errno)
{
	struct qlink_error error = { 0 };
	struct nl_reply reply = { .error = &error };
	struct ack ack = { .err.error = -EPERM };

	ack.hdr.nlmsg_len = NLMSG_HDRLEN + sizeof(ack.err);
	ack.hdr.nlmsg_flags = NLM_F_CAPPED;
	on_error(NULL, &ack.err, &reply);
	CHECK_NUMBER("result", reply.err, -EPERM);
	CHECK_TEXT("text", qlink_error_text(&error), "Operation not permitted");
	CHECK(!error.has_offset, "an offset that was not in the ack");
}

TEST(a_refusal_names_the_attribute_that_is_missing)
{
	struct qlink_error error = { 0 };
	struct nl_reply reply = { .error = &error };
	struct ack ack = { .err.error = -EINVAL };
	uint32_t type = QLINK_A_IFINDEX;
	size_t len;

	len = tlv(ack.tlvs, NLMSGERR_ATTR_MISS_TYPE, &type, sizeof(type));
	ack.hdr.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + sizeof(ack.err) + len);
	ack.hdr.nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
	on_error(NULL, &ack.err, &reply);
	CHECK_TEXT("text", qlink_error_text(&error),
		   "required attribute 1 is missing");
}

TEST(an_error_number_out_of_range_is_a_malformed_reply)
{
	static const int32_t errors[] = { 17, -4096, INT32_MIN };
	struct qlink_error error = { 0 };
	size_t i;

	for (i = 0; i < COUNT(errors); i++) {
		struct nl_reply reply = { .error = &error };
		struct ack ack = { .err.error = errors[i] };

		ack.hdr.nlmsg_len = NLMSG_HDRLEN + sizeof(ack.err);
		ack.hdr.nlmsg_flags = NLM_F_CAPPED;
		on_error(NULL, &ack.err, &reply);
		CHECK_NUMBER("result", reply.err, -EBADMSG);
		CHECK_NUMBER("errno", error.err, EBADMSG);
	}
}

static int count_take(void *arg, const void *attrs, size_t len)
{
	(void)attrs;
	CHECK(len < 1024, "attributes of %zu bytes", len);
	++*(unsigned int *)arg;
	return 0;
}

TEST(a_reply_without_its_header_is_malformed)
{
	struct qlink_error error = { 0 };
	unsigned int n = 0;
	struct nl_reply reply = { .error = &error, .take = count_take, .arg = &n };
	struct nl_msg *msg = nlmsg_alloc_simple(30, 0);

	on_valid(msg, &reply);
	CHECK_NUMBER("taken", n, 0);
	CHECK_NUMBER("result", reply.err, -EBADMSG);
	CHECK_TEXT("text", qlink_error_text(&error), "the reply does not parse");
	nlmsg_free(msg);
}

TEST(a_list_grows_and_starts_items_at_zero)
{
	struct qlink_list list = { .item_size = sizeof(struct qlink_key) };
	struct qlink_key *key;
	int i;

	for (i = 0; i < 100; i++) {
		key = qlink_list_next(&list);
		CHECK(key && !key->epoch && !key->frames, "item %d is not zero", i);
		key->epoch = (uint64_t)i + 1;
		list.n++;
	}
	key = list.items;
	CHECK_NUMBER("first", key[0].epoch, 1);
	CHECK_NUMBER("last", key[99].epoch, 100);
	free(list.items);
}

TEST(one_key_reply_may_hold_many_keys)
{
	static const uint64_t epochs[] = { 3, 4 };
	struct qlink_list list = { .item_size = sizeof(struct qlink_key) };
	uint8_t reply[128], nest[32];
	size_t len = 0, i;
	struct qlink_key *keys;

	for (i = 0; i < COUNT(epochs); i++)
		len += tlv(reply + len, QLINK_A_KEY | NLA_F_NESTED, nest,
			   tlv(nest, QLINK_A_KEY_EPOCH, &epochs[i], 8));
	CHECK_NUMBER("take", key_list_take(&list, reply, len), 0);
	CHECK_NUMBER("keys", list.n, 2);
	keys = list.items;
	CHECK_NUMBER("second", keys[1].epoch, 4);
	free(list.items);
}
