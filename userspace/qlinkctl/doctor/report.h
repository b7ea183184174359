/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes what doctor has found, for people and as JSON. */
#ifndef QLINKCTL_DOCTOR_REPORT_H
#define QLINKCTL_DOCTOR_REPORT_H

#include <stdio.h>

#include "finding.h"
#include "machine.h"

/* What doctor says of a link, worst last but for what it cannot tell. */
enum verdict {
	VERDICT_PROTECTED,
	VERDICT_NOT_PROTECTED,
	VERDICT_UNKNOWN,
};

/**
 * report_verdict() - say whether a link is protected
 * @facts: the link
 * @findings: folded
 *
 * Return: %VERDICT_PROTECTED only if the kernel says so and nothing was found but advice.
 */
enum verdict report_verdict(const struct facts *facts, const struct findings *findings);

/**
 * report_text() - write what was found, causes first, and below each what follows from it
 * @facts: the link
 * @findings: folded
 * @to: where it goes
 */
void report_text(const struct facts *facts, const struct findings *findings, FILE *to);

/**
 * report_json() - the same as JSON
 * @facts: the link
 * @findings: folded
 *
 * Return: the object of qlinkctl(8), which the caller frees; %NULL if memory is short.
 */
json_t *report_json(const struct facts *facts, const struct findings *findings);

#endif
