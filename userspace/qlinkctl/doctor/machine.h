/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor looks at: the machine, its links, and what the agent says. */
#ifndef QLINKCTL_DOCTOR_MACHINE_H
#define QLINKCTL_DOCTOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

/* Most things that could not be seen. */
#define UNSEEN_MAX	8

/**
 * struct module_state - the kernel module
 */
struct module_state {
	/** @is_loaded: /sys/module/qlink exists */
	bool is_loaded;

	/** @is_known: modinfo was asked about the file; the next two are valid */
	bool is_known;

	/** @file: the file for this kernel; empty if there is none */
	char file[200];

	/** @is_signed: the file has a signature */
	bool is_signed;

	/** @needs_signature: this kernel loads signed modules only */
	bool needs_signature;

	/** @release: of the kernel */
	char release[65];

	/** @loaded_source: hash of the sources of the loaded module; empty if it has none */
	char loaded_source[40];

	/** @file_source: that of the file */
	char file_source[40];
};

/**
 * struct machine - what was seen, once for all links; an object that was not seen is %NULL
 */
struct machine {
	/** @module: the kernel module */
	struct module_state module;

	/** @links: as "qlinkctl -j show" prints them, or with less if ip had to be asked */
	json_t *links;

	/** @before: the same, @waited_ms earlier */
	json_t *before;

	/** @waited_ms: time between both */
	unsigned int waited_ms;

	/** @unreachable: ICMP messages of unreachable ports and hosts that came meanwhile */
	uint64_t unreachable;

	/** @devices: as "ip -d -j address show" prints them */
	json_t *devices;

	/** @neighbours: as "ip -j neighbour show" prints them */
	json_t *neighbours;

	/** @rules: the array "nftables" of "nft -j list ruleset" */
	json_t *rules;

	/** @status: of the agent */
	json_t *status;

	/** @agent_error: errno of the control socket, 0 if the agent answered; ETIMEDOUT if it did not */
	int agent_error;

	/** @control: path of the control socket */
	const char *control;

	/** @config: path of the configuration of the agent; %NULL if it is not known */
	const char *config;

	/** @config_error: why qlinkd refuses the configuration; empty if it does not */
	char config_error[400];

	/** @is_own_try: qlinkd was asked as a user who may read fewer files than the service */
	bool is_own_try;

	/** @has_config: qlinkd was asked about the configuration, because no agent runs */
	bool has_config;

	/** @unit: the state of qlinkd.service, as "failed, Result=exit-code, NRestarts=12"; empty without systemd */
	char unit[200];

	/** @now: time of the system's clock */
	time_t now;

	/** @is_synchronised: the kernel says that the clock is */
	bool is_synchronised;

	/** @unseen: what could not be seen, and why */
	char unseen[UNSEEN_MAX][200];

	/** @n_unseen: how many of these */
	size_t n_unseen;
};

/**
 * struct facts - what is known of one link; an object that is not known is %NULL, and all are borrowed
 */
struct facts {
	/** @machine: what all links share */
	const struct machine *machine;

	/** @device: name of the link */
	const char *device;

	/** @link: the link, as an element of @links */
	const json_t *link;

	/** @before: the same, earlier */
	const json_t *before;

	/** @self: the device, as an element of @devices */
	const json_t *self;

	/** @lower: the device that sealed frames leave by */
	const json_t *lower;

	/** @remote: address of the peer for sealed frames, empty over eth and while it is not known */
	char remote[64];

	/** @route: what "ip -j route get" says about it; owned */
	json_t *route;

	/** @no_route: or why there is none */
	char no_route[200];

	/** @agent_link: what the agent says about the link */
	const json_t *agent_link;

	/** @agent_peer: what it says about the peer of the link */
	const json_t *agent_peer;

	/** @agent_route: what "ip -j route get" says about the peer's agent; owned */
	json_t *agent_route;
};

/**
 * fact() - find a member of an object in an object
 * @object: the object, or %NULL
 * @path: names with dots between them
 *
 * Return: the member, borrowed; %NULL if there is none.
 */
const json_t *fact(const json_t *object, const char *path);

/**
 * fact_text() - find a text
 * @object: the object, or %NULL
 * @path: as for fact()
 *
 * Return: the text; an empty one if there is none.
 */
const char *fact_text(const json_t *object, const char *path);

/**
 * fact_is() - compare a text
 * @object: the object, or %NULL
 * @path: as for fact()
 * @text: what it is compared with
 *
 * Return: whether it is there and the same.
 */
bool fact_is(const json_t *object, const char *path, const char *text);

/**
 * fact_number() - find a number
 * @object: the object, or %NULL
 * @path: as for fact()
 *
 * Return: the number; 0 if there is none.
 */
long long fact_number(const json_t *object, const char *path);

/**
 * fact_find() - find an object of an array by a text in it
 * @array: the array, or %NULL
 * @path: of the text in each object
 * @text: the text
 *
 * Return: the first object that has it, borrowed; %NULL if none has.
 */
const json_t *fact_find(const json_t *array, const char *path, const char *text);

/**
 * fact_growth() - say how much a counter of a link has grown while doctor waited
 * @facts: the link
 * @path: of the counter in an element of the links
 *
 * Return: by how much; 0 if it is not known.
 */
long long fact_growth(const struct facts *facts, const char *path);

/**
 * fact_lists() - ask whether an array has a text
 * @array: the array, or %NULL
 * @text: the text
 *
 * Return: whether one of its elements is this text.
 */
bool fact_lists(const json_t *array, const char *text);

/**
 * text_clean() - replace bytes that would move a cursor, or that are not UTF-8, by question marks
 * @text: the text
 */
void text_clean(char *text);

/**
 * machine_unseen() - note that something could not be seen
 * @machine: the machine
 * @format: what, and why
 */
__attribute__((format(printf, 2, 3)))
void machine_unseen(struct machine *machine, const char *format, ...);

#endif
