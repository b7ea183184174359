// SPDX-License-Identifier: GPL-2.0-or-later
/* What became of a document. */
#include "outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "common/utf8.h"

/*
 * What apply says while somebody else's change, or one that it made for a follower that was killed, is not over: then it has
 * not looked at the document.
 */
#define BUSY	"another change is being made"

static const char *const names[] = {
	[OUTCOME_NONE] = "none",
	[OUTCOME_APPLIED] = "applied",
	[OUTCOME_UNCHANGED] = "unchanged",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_ROLLED_BACK] = "rolled-back",
	[OUTCOME_WAITS] = "waits",
	[OUTCOME_NO_DOCUMENT] = "no-document",
	[OUTCOME_FAILED] = "failed",
};

const char *outcome_name(enum outcome_kind kind)
{
	return names[kind];
}

enum outcome_kind outcome_find(const char *name)
{
	enum outcome_kind kind;

	for (kind = OUTCOME_APPLIED; name && kind <= OUTCOME_FAILED; kind++) {
		if (!strcmp(names[kind], name))
			return kind;
	}
	return OUTCOME_NONE;
}

bool outcome_is_final(enum outcome_kind kind)
{
	return kind == OUTCOME_APPLIED || kind == OUTCOME_UNCHANGED || kind == OUTCOME_REFUSED ||
	       kind == OUTCOME_ROLLED_BACK;
}

void outcome_set(struct outcome *outcome, enum outcome_kind kind, const char *format, ...)
{
	va_list args;

	outcome->kind = kind;
	va_start(args, format);
	vsnprintf(outcome->why, sizeof(outcome->why), format, args);
	va_end(args);
	qlink_utf8_repair(outcome->why);
}

/* What it must have exited with; -1 for an outcome that it never has with --if-protected. */
static int status_of(enum outcome_kind kind)
{
	switch (kind) {
	case OUTCOME_APPLIED:
	case OUTCOME_UNCHANGED:
		return 0;
	case OUTCOME_REFUSED:
		return 1;
	case OUTCOME_ROLLED_BACK:
		return 3;
	case OUTCOME_NONE:
	case OUTCOME_WAITS:
	case OUTCOME_NO_DOCUMENT:
	case OUTCOME_FAILED:
		break;
	}
	return -1;
}

void outcome_of_apply(struct outcome *outcome, int status, const char *out, const char *err)
{
	json_t *said = json_loads(out, 0, NULL);
	enum outcome_kind kind = outcome_find(json_string_value(json_object_get(said, "outcome")));
	const char *why = json_string_value(json_object_get(said, "why")) ?: "";
	int first_line = (int)strcspn(err, "\n");

	if (kind == OUTCOME_REFUSED && !strncmp(why, BUSY, sizeof(BUSY) - 1))
		outcome_set(outcome, OUTCOME_WAITS, "%s", why);
	else if (kind && status_of(kind) == status)
		outcome_set(outcome, kind, "%s", why);
	else if (status < 0)
		outcome_set(outcome, OUTCOME_FAILED, "qlinkctl apply was killed, or took too long: %.*s", first_line, err);
	else
		outcome_set(outcome, OUTCOME_FAILED, "qlinkctl apply ended with %d: %.*s", status, first_line, err);
	json_decref(said);
}
