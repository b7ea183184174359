/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor finds about a link: causes in the order of cause and effect, and which follows from which. */
#ifndef QLINKCTL_DOCTOR_FINDING_H
#define QLINKCTL_DOCTOR_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most findings about one link; what comes after them is left out. */
#define FINDINGS_MAX	32

/**
 * enum layer - where a cause lies; a cause can only follow from causes of lower layers
 */
enum layer {
	LAYER_MODULE, LAYER_DEVICE, LAYER_UNDERLAY, LAYER_ROUTE, LAYER_WALL, LAYER_FRAMES, LAYER_CLOCK, LAYER_FILES,
	LAYER_DATES, LAYER_CONFIG, LAYER_AGENT, LAYER_AGENT_WALL, LAYER_CHANNEL, LAYER_TRUST, LAYER_POLICY, LAYER_KME, LAYER_STOCK,
	LAYER_SESSION, LAYER_KEYS, LAYER_GRADE, LAYER_ECHO, LAYER_REST,
};

/**
 * enum cause - what can be wrong, in the order of layers; doctor_causes has the names
 */
enum cause {
	CAUSE_MODULE_MISSING, CAUSE_MODULE_UNSIGNED, CAUSE_MODULE_UNLOADED, CAUSE_MODULE_DIFFERS,
	CAUSE_NO_DEVICE, CAUSE_NOT_QLINK, CAUSE_NO_UNDERLAY, CAUSE_DEVICE_DOWN,
	CAUSE_LOWER_DOWN, CAUSE_NO_CARRIER, CAUSE_LOWER_TAKEN, CAUSE_NO_LOCAL_ADDRESS, CAUSE_FRAMES_TOO_BIG,
	CAUSE_MTU_SMALL,
	CAUSE_NO_ROUTE, CAUSE_ROUTE_LOOP, CAUSE_NEIGHBOUR_SILENT,
	CAUSE_WALL_FRAMES,
	CAUSE_ADDRESS_DIFFERS, CAUSE_ID_DIFFERS, CAUSE_PORT_UNREACHABLE, CAUSE_KEYS_DIFFER,
	CAUSE_CLOCK_WRONG,
	CAUSE_FILE_UNREADABLE, CAUSE_CERTIFICATE_NAME,
	CAUSE_CERTIFICATE_EXPIRED, CAUSE_CERTIFICATE_EARLY, CAUSE_EXPIRES_SOON,
	CAUSE_CONFIG_REFUSED,
	CAUSE_AGENT_DOWN, CAUSE_AGENT_SILENT, CAUSE_AGENT_ELSEWHERE, CAUSE_LINK_UNKNOWN, CAUSE_RELOAD_REFUSED,
	CAUSE_WALL_AGENTS,
	CAUSE_AGENT_NO_ROUTE, CAUSE_THROUGH_QLINK, CAUSE_PEER_AGENT_DOWN, CAUSE_PEER_UNREACHABLE,
	CAUSE_PEER_CERTIFICATE, CAUSE_PEER_CA, CAUSE_PEER_NAME, CAUSE_PEER_REFUSES, CAUSE_PEER_SUITE, CAUSE_NO_CONNECTION,
	CAUSE_POLICIES_DIFFER, CAUSE_VERSIONS_DIFFER, CAUSE_SUITE_LOW, CAUSE_PSK_DIFFERS, CAUSE_CHAIN, CAUSE_NO_EPOCH,
	CAUSE_KERNEL_REFUSES, CAUSE_ID_TAKEN, CAUSE_PEER_LINK_UNKNOWN,
	CAUSE_KME_DOWN, CAUSE_KME_TLS, CAUSE_KME_REFUSES, CAUSE_KME_SAE, CAUSE_KME_SWAPPED, CAUSE_KME_FILES, CAUSE_KME_FAILS,
	CAUSE_KMES_FEW, CAUSE_PEER_KME,
	CAUSE_STOCK_DRY,
	CAUSE_NO_AGREEMENT,
	CAUSE_NO_KEY, CAUSE_NO_RX_KEY,
	CAUSE_LOWER_SOURCE, CAUSE_OVERDUE,
	CAUSE_ONE_WAY, CAUSE_SILENT, CAUSE_NO_KEEPALIVES,
	CAUSE_UNKNOWN,
	CAUSE_N,
};

/**
 * struct cause_row - what is always the same about a cause
 */
struct cause_row {
	/** @name: its name in JSON and in qlinkctl(8) */
	const char *name;

	/** @layer: an enum layer */
	uint8_t layer;

	/** @is_advice: it does not keep the link from being protected */
	bool is_advice;

	/** @why: why it matters */
	const char *why;
};

extern const struct cause_row doctor_causes[CAUSE_N];

/**
 * struct finding - a cause that was found
 */
struct finding {
	/** @cause: which one */
	enum cause cause;

	/** @follows: the finding from which it follows, or %NULL */
	const struct finding *follows;

	/** @also: bits of layers that it may follow from here, besides those it always may */
	uint32_t also;

	/** @what: what is wrong, as a sentence without a full stop */
	char what[300];

	/** @evidence: what was seen */
	char evidence[500];

	/** @command: what mends it: a command, or words after a "#" where no command can */
	char command[300];
};

/**
 * struct findings - what was found about a link
 */
struct findings {
	/** @list: in the order in which it was found, and after findings_fold() of causes */
	struct finding list[FINDINGS_MAX];

	/** @n: how many */
	size_t n;
};

/**
 * findings_add() - add a finding
 * @to: the findings
 * @cause: what was found; once for each link, a second time only for another KME
 * @format: what is wrong
 *
 * Return: the finding, whose @evidence and @command the caller fills in.
 */
__attribute__((format(printf, 3, 4)))
struct finding *findings_add(struct findings *to, enum cause cause, const char *format, ...);

/**
 * finding_saw() - fill in the evidence of a finding
 * @finding: the finding
 * @format: what was seen
 */
__attribute__((format(printf, 2, 3)))
void finding_saw(struct finding *finding, const char *format, ...);

/**
 * finding_mend() - fill in the command that mends it
 * @finding: the finding
 * @format: the command; it may have %s, a word of it, and %lld
 *
 * People copy the command to a shell. So a word that a shell would take for more is put in quotes.
 */
__attribute__((format(printf, 2, 3)))
void finding_mend(struct finding *finding, const char *format, ...);

/**
 * finding_mend_with() - fill in a command from a table, with a value for a word of it
 * @finding: the finding
 * @command: the command
 * @word: the word, in capital letters; it may stand in @command more than once, or not at all
 * @value: what takes its place, as a word of finding_mend(); @word stays if this is empty
 */
void finding_mend_with(struct finding *finding, const char *command, const char *word, const char *value);

/**
 * findings_has() - ask whether a cause was found
 * @findings: the findings
 * @cause: the cause
 *
 * Return: whether it was.
 */
bool findings_has(const struct findings *findings, enum cause cause);

/**
 * findings_have_layer() - ask whether anything but advice was found in one of some layers
 * @findings: the findings
 * @layers: bits of enum layer
 *
 * Return: whether there was.
 */
bool findings_have_layer(const struct findings *findings, uint32_t layers);

/**
 * findings_fold() - sort findings by cause and effect, and say which follows from which
 * @findings: the findings
 */
void findings_fold(struct findings *findings);

/**
 * layer_follows() - say from which layers a layer may follow
 * @layer: an enum layer
 *
 * Return: bits of lower layers.
 */
uint32_t layer_follows(unsigned int layer);

#endif
