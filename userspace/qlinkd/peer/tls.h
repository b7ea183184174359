/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to a peer: TLS 1.3, mutual, post-quantum, or none. */
#ifndef QLINKD_CHANNEL_H
#define QLINKD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/why.h"
#include "qlinkd/secrets/exchange.h"

/**
 * enum channel_refusal - why a connection did not come about
 * @CHANNEL_REFUSAL_GROUP: the peer does not offer X25519MLKEM768
 * @CHANNEL_REFUSAL_VERSION: it does not speak TLS 1.3
 * @CHANNEL_REFUSAL_SIGNATURE: it has no certificate of a kind that we take
 * @CHANNEL_REFUSAL_NO_CERTIFICATE: it shows none
 * @CHANNEL_REFUSAL_CA: its certificate is not of our CA, or is broken
 * @CHANNEL_REFUSAL_STALE: its certificate is expired or not yet valid
 * @CHANNEL_REFUSAL_IDENTITY: its certificate names somebody else
 * @CHANNEL_REFUSAL_ALERT: it refuses us, and says why
 * @CHANNEL_REFUSAL_SLOW: the handshake takes too long
 * @CHANNEL_REFUSAL_CROWD: too many others dial us
 * @CHANNEL_REFUSAL_ROUTE: the way to it leads through a qlink
 * @CHANNEL_REFUSAL_OTHER: anything else that is no TLS of ours
 */
enum channel_refusal {
	CHANNEL_REFUSAL_GROUP,
	CHANNEL_REFUSAL_VERSION,
	CHANNEL_REFUSAL_SIGNATURE,
	CHANNEL_REFUSAL_NO_CERTIFICATE,
	CHANNEL_REFUSAL_CA,
	CHANNEL_REFUSAL_STALE,
	CHANNEL_REFUSAL_IDENTITY,
	CHANNEL_REFUSAL_ALERT,
	CHANNEL_REFUSAL_SLOW,
	CHANNEL_REFUSAL_CROWD,
	CHANNEL_REFUSAL_ROUTE,
	CHANNEL_REFUSAL_OTHER,
	CHANNEL_N_REFUSALS,
};

/**
 * struct channel_config - who we are, and whom we believe
 */
struct channel_config {
	/** @cert: path of our certificate, PEM */
	const char *cert;

	/** @key: path of its private key, PEM */
	const char *key;

	/** @ca: path of the CA's certificate, PEM; no other is believed */
	const char *ca;

	/** @signatures: kinds of signatures taken; %NULL for mldsa65 */
	const char *signatures;
};

/* Settings and counters of all channels of an agent. */
struct channel_context;

/* One connection. */
struct channel;

/**
 * channel_context_new() - read certificates and keys
 * @context: where it goes; the caller frees it with channel_context_free()
 * @config: not kept
 * @why: filled in on failure, with the path
 *
 * Return: 0, or %-EINVAL with @why.
 */
int channel_context_new(struct channel_context **context,
			const struct channel_config *config,
			struct qlink_why *why);

/**
 * channel_context_free() - give a context back, when its channels are closed
 * @context: from channel_context_new(), or %NULL
 */
void channel_context_free(struct channel_context *context);

/**
 * channel_refuse() - count a connection that others refuse than the channel itself
 * @context: the context
 * @refusal: an enum channel_refusal
 * @why: filled in: its name, then the rule
 * @format: the rule, as for printf()
 *
 * Return: %-EACCES.
 */
int channel_refuse(struct channel_context *context, enum channel_refusal refusal,
		   struct qlink_why *why, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * channel_refused() - count what was refused
 * @context: the context
 * @refusal: an enum channel_refusal
 *
 * Return: how often, ever.
 */
uint64_t channel_refused(const struct channel_context *context,
			 enum channel_refusal refusal);

/**
 * channel_refusal_name() - name a refusal as counters and logs have it
 * @refusal: an enum channel_refusal
 *
 * Return: as "wrong-ca".
 */
const char *channel_refusal_name(enum channel_refusal refusal);

/**
 * channel_new() - begin TLS on a connected socket
 * @channel: where it goes; the caller frees it with channel_free()
 * @context: outlives it
 * @fd: connected, non-blocking; stays the caller's
 * @has_dialled: we made the connection
 * @peers: names that the peer may have, ended by %NULL; outlive the channel
 *
 * Return: 0, or %-ENOMEM.
 */
int channel_new(struct channel **channel, struct channel_context *context,
		int fd, bool has_dialled, const char *const *peers);

/**
 * channel_free() - end a connection, politely if it was made
 * @channel: from channel_new(), or %NULL
 */
void channel_free(struct channel *channel);

/**
 * channel_handshake() - go on with the handshake
 * @channel: the channel
 * @why: filled in on refusal: its name, then the rule
 *
 * Return:
 * * %0		- made; all rules hold
 * * %-EAGAIN	- call again when channel_wants_write() or the socket is readable
 * * %-EACCES	- refused, as @why tells, and counted
 */
int channel_handshake(struct channel *channel, struct qlink_why *why);

/**
 * channel_wants_write() - say what the handshake, a read or a write waits for
 * @channel: the channel; its last call returned %-EAGAIN
 *
 * Return: whether it waits to write; it waits to read if not.
 */
bool channel_wants_write(const struct channel *channel);

/**
 * channel_peer() - say who the peer is
 * @channel: its handshake is made
 *
 * Return: one of the names that channel_new() was given.
 */
const char *channel_peer(const struct channel *channel);

/**
 * channel_keys() - get what the agreement binds to the connection
 * @channel: its handshake is made
 * @keys: filled in; the exporter is secret
 *
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int channel_keys(struct channel *channel, struct exchange_channel *keys);

/**
 * channel_read() - read what the peer says
 * @channel: its handshake is made
 * @data: where it goes
 * @room: bytes at @data
 *
 * Return: bytes read, 0 when the peer has closed, %-EAGAIN, %-EACCES when the
 * peer refused us after the handshake (counted as alert), or %-EIO.
 */
ssize_t channel_read(struct channel *channel, uint8_t *data, size_t room);

/**
 * channel_write() - say something to the peer
 * @channel: its handshake is made
 * @data: the bytes
 * @len: how many, above 0
 *
 * Return: bytes taken, %-EAGAIN: call again with the same, or %-EIO.
 */
ssize_t channel_write(struct channel *channel, const uint8_t *data, size_t len);

#endif
