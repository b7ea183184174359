/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chains of all links, kept over a restart: the newest of each in memory, and a thread that writes them. */
#ifndef QLINKD_STATE_H
#define QLINKD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"
#include "slot.h"

/* A disk that takes longer for one turn of the writer is said to be too slow. */
#define STATE_SLOW_MS	10000
/* A disk that does not answer for so long loses what waits when the agent ends. */
#define STATE_CLOSE_MS	2000

struct state;

/**
 * struct state_settings - where chains are kept
 */
struct state_settings {
	/** @path: of the state file */
	const char *path;

	/** @key: file of the state key */
	const char *key;

	/** @agent: the agent's name */
	const char *agent;
};

/**
 * struct state_status - how the state file does
 */
struct state_status {
	/** @is_new: there was no file at the start */
	bool is_new;

	/** @unread: why the file could not be read at the start, a negative errno; 0 if it could */
	int unread;

	/** @damaged: slots that were torn or damaged at the start */
	uint32_t damaged;

	/** @foreign: slots that were sealed under another key */
	uint32_t foreign;

	/** @links: links of the configuration that have a chain */
	uint32_t links;

	/** @others: chains of links that the configuration does not have, or of another agent */
	uint32_t others;

	/** @waiting: links whose newest chains have yet to be written */
	uint32_t waiting;

	/** @written: slots written since the start */
	uint64_t written;

	/** @lost: chains for which there was no memory, or no place in the file */
	uint64_t lost;

	/** @is_slow: the disk has worked on one turn of the writer for STATE_SLOW_MS */
	bool is_slow;

	/** @err: why the last attempt to write failed, a negative errno; 0 if it did not */
	int err;
};

/**
 * state_check() - refuse settings that cannot work
 * @settings: the settings
 * @why: filled in on failure: option, path and rule
 *
 * Context: Process; reads files.
 * Return: 0, or a negative errno.
 */
int state_check(const struct state_settings *settings, struct qlink_why *why);

/**
 * state_open() - read the chains that are kept, and keep them from now on
 * @state: set to the state; the caller closes it with state_close()
 * @settings: copied
 * @why: filled in on failure
 *
 * Slots that are damaged or sealed under another key, and a disk that fails, are no failure:
 * the links have no chain then, and state_read_status() tells.
 *
 * Context: Process; waits for the disk; starts a thread.
 * Return: 0, or a negative errno.
 */
int state_open(struct state **state, const struct state_settings *settings, struct qlink_why *why);

/**
 * state_close() - write what waits, wipe and stop
 * @state: from state_open(), or %NULL
 *
 * Context: Process; waits for the disk, for STATE_CLOSE_MS at most.
 * Return: whether all that waited was written.
 */
bool state_close(struct state *state);

/**
 * state_begin_links() - begin to say which links the configuration has
 * @state: from state_open()
 *
 * Until state_add_link() names them, the slots of all links may be given to others.
 *
 * Context: The thread that opened the state.
 */
void state_begin_links(struct state *state);

/**
 * state_add_link() - say that the configuration has a link
 * @state: from state_open()
 * @peer: name of its peer
 * @device: its name
 *
 * Context: The thread that opened the state.
 */
void state_add_link(struct state *state, const char *peer, const char *device);

/**
 * state_find() - get the newest chains of a link
 * @state: from state_open()
 * @peer: name of its peer
 * @device: its name
 * @tx: chains of the sending direction, filled in if there are any; secret
 * @rx: likewise of the receiving one
 *
 * Context: The thread that opened the state; does not wait for the disk.
 * Return: whether there are chains, one of which at least does not start from zero.
 */
bool state_find(struct state *state, const char *peer, const char *device, struct chain *tx,
		struct chain *rx);

/**
 * state_save() - keep new chains of a link
 * @state: from state_open()
 * @peer: name of its peer
 * @device: its name
 * @tx: chains of the sending direction
 * @rx: likewise of the receiving one
 *
 * Chains that wait to be written are replaced by newer ones.
 *
 * Context: The thread that opened the state; does not wait for the disk.
 */
void state_save(struct state *state, const char *peer, const char *device, const struct chain *tx,
		const struct chain *rx);

/**
 * state_wipe() - wipe the chains of a link, and overwrite both of its slots
 * @state: from state_open()
 * @peer: name of its peer
 * @device: its name
 *
 * Context: The thread that opened the state; does not wait for the disk.
 */
void state_wipe(struct state *state, const char *peer, const char *device);

/**
 * state_waits() - tell whether the newest chains of a link have yet to be written
 * @state: from state_open()
 * @peer: name of its peer
 * @device: its name
 *
 * Context: The thread that opened the state; does not wait for the disk.
 * Return: %true until they are on the disk; %false also while the disk fails, for which nobody should
 * wait.
 */
bool state_waits(struct state *state, const char *peer, const char *device);

/**
 * state_fd() - get what tells that state_waits() may have changed
 * @state: from state_open()
 *
 * Return: an eventfd(2) that does not block. The caller reads it; the state closes it.
 */
int state_fd(const struct state *state);

/**
 * state_flush() - wait until all chains are written
 * @state: from state_open()
 * @ms: for so long at most
 *
 * Return: whether they are.
 */
bool state_flush(struct state *state, unsigned int ms);

/**
 * state_read_status() - ask how the file does
 * @state: from state_open()
 * @status: filled in
 *
 * Context: The thread that opened the state; does not wait for the disk.
 */
void state_read_status(struct state *state, struct state_status *status);

#endif
