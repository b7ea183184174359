/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a document. */
#ifndef FOLLOW_OUTCOME_H
#define FOLLOW_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

/* Longest reason, with its NUL. */
#define OUTCOME_WHY_BYTES	600

/**
 * enum outcome_kind - what became of a document
 */
enum outcome_kind {
	/** @OUTCOME_NONE: nothing yet */
	OUTCOME_NONE,

	/** @OUTCOME_APPLIED: the site has changed as it says */
	OUTCOME_APPLIED,

	/** @OUTCOME_UNCHANGED: the site was as it says already */
	OUTCOME_UNCHANGED,

	/** @OUTCOME_REFUSED: nothing has changed */
	OUTCOME_REFUSED,

	/** @OUTCOME_ROLLED_BACK: a link was not protected again in time, and what was before was put back */
	OUTCOME_ROLLED_BACK,

	/** @OUTCOME_WAITS: it is being applied, or waits for the end of another change */
	OUTCOME_WAITS,

	/** @OUTCOME_NO_DOCUMENT: there is none, and nothing was deleted */
	OUTCOME_NO_DOCUMENT,

	/** @OUTCOME_FAILED: it could not be tried, which is not its fault; it is tried again */
	OUTCOME_FAILED,
};

/**
 * struct outcome - the same with its reason
 */
struct outcome {
	/** @kind: what */
	enum outcome_kind kind;

	/** @why: empty if there is nothing to say */
	char why[OUTCOME_WHY_BYTES];
};

/**
 * outcome_name() - name an outcome, as in the status
 * @kind: which
 *
 * Return: a word.
 */
const char *outcome_name(enum outcome_kind kind);

/**
 * outcome_set() - say what became of a document
 * @outcome: filled in
 * @kind: what
 * @format: the reason, as for printf()
 */
__attribute__((format(printf, 3, 4)))
void outcome_set(struct outcome *outcome, enum outcome_kind kind, const char *format, ...);

/**
 * outcome_find() - find the outcome of a name
 * @name: a word, or %NULL
 *
 * Return: the outcome, OUTCOME_NONE for another word.
 */
enum outcome_kind outcome_find(const char *name);

/**
 * outcome_is_final() - say whether the same document would end so again
 * @kind: the outcome
 *
 * Return: true if it is not tried again until it changes.
 */
bool outcome_is_final(enum outcome_kind kind);

/**
 * outcome_of_apply() - say what "qlinkctl -j apply" has done
 * @outcome: filled in
 * @status: exit status; -1 if it was killed
 * @out: its standard output, with a NUL
 * @err: its standard error, with a NUL
 */
void outcome_of_apply(struct outcome *outcome, int status, const char *out, const char *err);

#endif
