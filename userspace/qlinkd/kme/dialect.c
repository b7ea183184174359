// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client asks of a key server and what the server answers, in any dialect; no I/O. */
#include "dialect.h"

/* What the configuration has to know of each dialect, without its code. */
static const struct {
	const char *name;
	bool has_post, has_psk, is_file;
} kinds[KME_DIALECT_N] = {
	[KME_DIALECT_ETSI014] = { "etsi014", .has_post = true },
	[KME_DIALECT_SKIP] = { "skip", .has_psk = true },
	[KME_DIALECT_VAULT] = { "vault", .has_post = true, .is_file = true },
};

static const char *const op_names[] = {
	[KME_OP_STATUS] = "status",
	[KME_OP_ENC] = "enc_keys",
	[KME_OP_DEC] = "dec_keys",
};

static const char *const fault_names[] = {
	[KME_FAULT_MEMBER] = "bad_member",
	[KME_FAULT_ID] = "bad_id",
	[KME_FAULT_BASE64] = "bad_base64",
	[KME_FAULT_HEX] = "bad_hex",
	[KME_FAULT_SIZE] = "bad_size",
	[KME_FAULT_REPEATED] = "repeated",
	[KME_FAULT_UNKNOWN_ID] = "unknown_id",
	[KME_FAULT_EXTRA] = "extra",
};

static const char *const outcome_names[] = {
	[KME_OUTCOME_KEYS] = "keys",
	[KME_OUTCOME_EMPTY] = "empty",
	[KME_OUTCOME_DENIED] = "denied",
	[KME_OUTCOME_BROKEN] = "broken",
};

void kme_status_init(struct kme_status *status)
{
	*status = (struct kme_status){ -1, -1, -1, -1, -1, -1, "", "" };
}

const char *kme_dialect_name(enum kme_dialect_kind kind)
{
	return kinds[kind].name;
}

bool kme_dialect_has_post(enum kme_dialect_kind kind)
{
	return kinds[kind].has_post;
}

bool kme_dialect_has_psk(enum kme_dialect_kind kind)
{
	return kinds[kind].has_psk;
}

bool kme_dialect_is_file(enum kme_dialect_kind kind)
{
	return kinds[kind].is_file;
}

const char *kme_op_name(enum kme_op op)
{
	return op_names[op];
}

const char *kme_fault_name(enum kme_fault fault)
{
	return fault_names[fault];
}

const char *kme_outcome_name(enum kme_outcome outcome)
{
	return outcome_names[outcome];
}

size_t kme_answer_room(size_t n_keys)
{
	return KME_ANSWER_BASE_BYTES + n_keys * KME_ANSWER_KEY_BYTES;
}

/* Not isalnum(), which depends on the locale. */
static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool kme_id_is_good(const char *text, size_t len)
{
	size_t i;

	if (len < KME_KEY_ID_MIN || len > KME_KEY_ID_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (!is_alphanumeric(text[i]) && text[i] != '-')
			return false;
	return true;
}
