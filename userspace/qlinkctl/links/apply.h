/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a link as it is declared, or changes it to that. */
#ifndef QLINKCTL_APPLY_H
#define QLINKCTL_APPLY_H

#include "qlinkctl/ctl.h"
#include "declared.h"

/**
 * enum apply_outcome - what became of a link
 */
enum apply_outcome {
	/** @APPLY_KEPT: it was as declared */
	APPLY_KEPT,

	/** @APPLY_MADE: it was made */
	APPLY_MADE,

	/** @APPLY_CHANGED: it was there, and was changed */
	APPLY_CHANGED,

	/** @APPLY_WAITS: its device is there; its underlay is not yet */
	APPLY_WAITS,

	/** @APPLY_REFUSED: the kernel refused it, or a device of another kind has its name */
	APPLY_REFUSED,

	/** @APPLY_ABSENT: it is not there; only of apply_look() */
	APPLY_ABSENT,

	/** @APPLY_DIFFERS: it is there, and not as declared; only of apply_look() */
	APPLY_DIFFERS,
};

/**
 * struct apply_result - what became of a link, and why
 */
struct apply_result {
	/** @outcome: what */
	enum apply_outcome outcome;

	/** @err: negative errno of a refusal; 0 for any other outcome */
	int err;

	/** @ifindex: its index, 0 if it is not there */
	uint32_t ifindex;

	/** @lower: index of its lower device, 0 for none */
	uint32_t lower;

	/** @text: why, or what was changed; may be empty */
	char text[400];
};

/**
 * apply_link() - make a link as it is declared, or change it to that
 * @ctl: this run, whose socket is open
 * @link: the declaration
 * @result: filled in
 *
 * The device is made also while its lower device or its local address is missing, so that what
 * configures networks finds it. It sends nothing until it has an underlay; call this again when
 * a device or an address appears.
 *
 * What is not declared is not touched, and nothing is deleted.
 */
void apply_link(struct ctl *ctl, const struct declared_link *link, struct apply_result *result);

/**
 * apply_look() - say how a link differs from its declaration, and change nothing
 * @ctl: this run, whose socket is open
 * @link: the declaration
 * @result: filled in
 */
void apply_look(struct ctl *ctl, const struct declared_link *link, struct apply_result *result);

/**
 * apply_word() - the word for an outcome
 * @outcome: what became of a link
 *
 * Return: as in "made".
 */
const char *apply_word(enum apply_outcome outcome);

/**
 * apply_print() - print what became of a link
 * @link: the declaration
 * @result: what became of it
 *
 * One line on standard output; a refusal goes to standard error, with file and line.
 */
void apply_print(const struct declared_link *link, const struct apply_result *result);

#endif
