// SPDX-License-Identifier: GPL-2.0-or-later
/* The faults that a KME simulates, and how often. */
#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"

#define ANY_OP	(1U << ETSI_STATUS | 1U << ETSI_ENC | 1U << ETSI_DEC)
#define KEY_OPS	(1U << ETSI_ENC | 1U << ETSI_DEC)

/* The operations that a fault applies to, and the number that it takes, if any. */
static const struct {
	const char *name;
	unsigned int ops, preset, min, max;
} table[FAULT_N] = {
	[FAULT_HTTP] = { "http", ANY_OP, 503, 200, 599 },
	[FAULT_HTML] = { "html", ANY_OP, 502, 200, 599 },
	[FAULT_HANG] = { "hang", ANY_OP, 0, 0, 0 },
	[FAULT_DRIP] = { "drip", ANY_OP, 100, 1, 60000 },
	[FAULT_TRUNCATE] = { "truncate", ANY_OP, 0, 0, 0 },
	[FAULT_CUT] = { "cut", ANY_OP, 0, 0, 0 },
	[FAULT_HUGE] = { "huge", ANY_OP, 1024, 1, 65536 },
	[FAULT_GARBAGE] = { "garbage", ANY_OP, 0, 0, 0 },
	[FAULT_SIZE] = { "size", KEY_OPS, 128, 8, 1024 },
	[FAULT_DUPLICATE_ID] = { "duplicate-id", KEY_OPS, 0, 0, 0 },
	[FAULT_DUPLICATE_KEY] = { "duplicate-key", KEY_OPS, 0, 0, 0 },
	[FAULT_SHORT] = { "short", KEY_OPS, 0, 0, 0 },
	[FAULT_EXTRA] = { "extra", KEY_OPS, 0, 0, 0 },
	[FAULT_WRONG_ID] = { "wrong-id", KEY_OPS, 0, 0, 0 },
	[FAULT_BAD_ID] = { "bad-id", KEY_OPS, 0, 0, 0 },
	[FAULT_WRONG_KEY] = { "wrong-key", KEY_OPS, 0, 0, 0 },
	[FAULT_BAD_BASE64] = { "bad-base64", KEY_OPS, 0, 0, 0 },
	[FAULT_ONE_SIDE] = { "one-side", 1U << ETSI_ENC, 0, 0, 0 },
};

static const char *const op_names[] = { "status", "enc_keys", "dec_keys" };

const char *fault_name(enum fault_kind kind)
{
	return table[kind].name;
}

int fault_find(const char *name)
{
	int i;

	for (i = 0; i < FAULT_N; i++)
		if (!strcmp(name, table[i].name))
			return i;
	return -1;
}

/* Reports an option, its value and the rule that the value breaks. */
static int refuse(const char *what, const char *value, const char *rule,
		  struct qlink_why *why)
{
	char text[sizeof(why->text)];

	snprintf(text, sizeof(text), "%s '%.20s': %.80s", what, value, rule);
	*why = (struct qlink_why){ "" };
	memcpy(why->text, text, sizeof(text));
	return -EINVAL;
}

static int parse_op(int kind, const char *text, struct fault *fault,
		    struct qlink_why *why)
{
	size_t op;

	for (op = 0; op < ETSI_OP_N; op++) {
		if (strcmp(text, op_names[op]))
			continue;
		if (!(table[kind].ops & 1U << op))
			return refuse("op", text, "this fault does not apply to it", why);
		fault->ops = 1U << op;
		return 0;
	}
	return refuse("op", text, "not status, enc_keys or dec_keys", why);
}

/* "op OP" or "count N". */
static int parse_option(int kind, const char *word, const char *value,
			struct fault *fault, struct qlink_why *why)
{
	struct qlink_why rule;

	if (!strcmp(word, "op"))
		return parse_op(kind, value, fault, why);
	if (strcmp(word, "count"))
		return refuse("word", word, "must be op or count", why);
	if (qlink_parse_number(value, 1, 1000000000, &fault->left, &rule))
		return refuse("count", value, rule.text, why);
	return 0;
}

int fault_parse(struct faults *faults, int argc, char *const *argv,
		struct qlink_why *why)
{
	int kind = fault_find(argc ? argv[0] : ""), i = 1;
	struct fault fault = { .is_set = true };
	struct qlink_why rule;
	uint64_t arg;

	if (kind < 0)
		return refuse("fault", argc ? argv[0] : "", "no such fault", why);
	fault.ops = table[kind].ops;
	fault.arg = table[kind].preset;
	if (i < argc && table[kind].max && argv[i][0] >= '0' && argv[i][0] <= '9') {
		if (qlink_parse_number(argv[i], table[kind].min,
				       table[kind].max, &arg, &rule))
			return refuse(argv[0], argv[i], rule.text, why);
		fault.arg = (unsigned int)arg;
		i++;
	}
	for (; i < argc; i += 2) {
		if (i + 1 == argc)
			return refuse("word", argv[i], "must have a value", why);
		if (parse_option(kind, argv[i], argv[i + 1], &fault, why))
			return -EINVAL;
	}
	faults->fault[kind] = fault;
	return 0;
}

bool fault_happens(struct faults *faults, enum fault_kind kind,
		   enum etsi_op op, unsigned int *arg)
{
	struct fault *fault = &faults->fault[kind];

	if (!fault->is_set || !(fault->ops & 1U << op))
		return false;
	if (arg)
		*arg = fault->arg;
	if (fault->left && !--fault->left)
		fault->is_set = false;
	faults->served[kind]++;
	return true;
}
