/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection to a peer: TLS 1.3, mutual, post-quantum, or none. */
#ifndef QLINKD_TLS_H
#define QLINKD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/why.h"
#include "qlinkd/secrets/exchange.h"

/**
 * enum tls_refusal - why a connection did not come about
 * @TLS_REFUSAL_GROUP: the peer does not offer X25519MLKEM768
 * @TLS_REFUSAL_VERSION: it does not speak TLS 1.3
 * @TLS_REFUSAL_SIGNATURE: it has no certificate of a kind that we take
 * @TLS_REFUSAL_NO_CERTIFICATE: it shows none
 * @TLS_REFUSAL_CA: its certificate is not of our CA, or is broken
 * @TLS_REFUSAL_DATES: its certificate is expired or not yet valid
 * @TLS_REFUSAL_IDENTITY: its certificate names somebody else
 * @TLS_REFUSAL_ALERT: it refuses us, and says why
 * @TLS_REFUSAL_TIMEOUT: the handshake takes too long
 * @TLS_REFUSAL_TOO_MANY: too many others dial us
 * @TLS_REFUSAL_ROUTE: the way to it leads through a qlink
 * @TLS_REFUSAL_OTHER: anything else that is no TLS of ours
 */
enum tls_refusal {
	TLS_REFUSAL_GROUP,
	TLS_REFUSAL_VERSION,
	TLS_REFUSAL_SIGNATURE,
	TLS_REFUSAL_NO_CERTIFICATE,
	TLS_REFUSAL_CA,
	TLS_REFUSAL_DATES,
	TLS_REFUSAL_IDENTITY,
	TLS_REFUSAL_ALERT,
	TLS_REFUSAL_TIMEOUT,
	TLS_REFUSAL_TOO_MANY,
	TLS_REFUSAL_ROUTE,
	TLS_REFUSAL_OTHER,
	TLS_N_REFUSALS,
};

/**
 * struct tls_config - who we are, and whom we believe
 */
struct tls_config {
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
struct tls_context;

/* One connection. */
struct tls;

/**
 * tls_context_new() - read certificates and keys
 * @context: where it goes; the caller frees it with tls_context_free()
 * @config: not kept
 * @why: filled in on failure, with the path
 *
 * Return: 0, or %-EINVAL with @why.
 */
int tls_context_new(struct tls_context **context,
		    const struct tls_config *config,
		    struct qlink_why *why);

/**
 * tls_context_free() - give a context back, when its channels are closed
 * @context: from tls_context_new(), or %NULL
 */
void tls_context_free(struct tls_context *context);

/**
 * tls_refuse() - count a connection that others refuse than the channel itself
 * @context: the context
 * @refusal: an enum tls_refusal
 * @why: filled in: its name, then the rule
 * @format: the rule, as for printf()
 *
 * Return: %-EACCES.
 */
int tls_refuse(struct tls_context *context, enum tls_refusal refusal,
	       struct qlink_why *why, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * tls_refused() - count what was refused
 * @context: the context
 * @refusal: an enum tls_refusal
 *
 * Return: how often, ever.
 */
uint64_t tls_refused(const struct tls_context *context,
		     enum tls_refusal refusal);

/**
 * tls_refusal_name() - name a refusal as counters and logs have it
 * @refusal: an enum tls_refusal
 *
 * Return: as "wrong-ca".
 */
const char *tls_refusal_name(enum tls_refusal refusal);

/**
 * tls_new() - begin TLS on a connected socket
 * @channel: where it goes; the caller frees it with tls_free()
 * @context: outlives it
 * @fd: connected, non-blocking; stays the caller's
 * @has_dialled: we made the connection
 * @peers: names that the peer may have, ended by %NULL; outlive the channel
 *
 * Return: 0, or %-ENOMEM.
 */
int tls_new(struct tls **channel, struct tls_context *context,
	    int fd, bool has_dialled, const char *const *peers);

/**
 * tls_free() - end a connection, politely if it was made
 * @channel: from tls_new(), or %NULL
 */
void tls_free(struct tls *channel);

/**
 * tls_handshake() - go on with the handshake
 * @channel: the channel
 * @why: filled in on refusal: its name, then the rule
 *
 * Return:
 * * %0		- made; all rules hold
 * * %-EAGAIN	- call again when tls_wants_write() or the socket is readable
 * * %-EACCES	- refused, as @why tells, and counted
 */
int tls_handshake(struct tls *channel, struct qlink_why *why);

/**
 * tls_wants_write() - say what the handshake, a read or a write waits for
 * @channel: the channel; its last call returned %-EAGAIN
 *
 * Return: whether it waits to write; it waits to read if not.
 */
bool tls_wants_write(const struct tls *channel);

/**
 * tls_peer() - say who the peer is
 * @channel: its handshake is made
 *
 * Return: one of the names that tls_new() was given.
 */
const char *tls_peer(const struct tls *channel);

/**
 * tls_keys() - get what the agreement binds to the connection
 * @channel: its handshake is made
 * @keys: filled in; the exporter is secret
 *
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int tls_keys(struct tls *channel, struct exchange_binding *keys);

/**
 * tls_read() - read what the peer says
 * @channel: its handshake is made
 * @data: where it goes
 * @room: bytes at @data
 *
 * Return: bytes read, 0 when the peer has closed, %-EAGAIN, %-EACCES when the
 * peer refused us after the handshake (counted as alert), or %-EIO.
 */
ssize_t tls_read(struct tls *channel, uint8_t *data, size_t room);

/**
 * tls_write() - say something to the peer
 * @channel: its handshake is made
 * @data: the bytes
 * @len: how many, above 0
 *
 * Return: bytes taken, %-EAGAIN: call again with the same, or %-EIO.
 */
ssize_t tls_write(struct tls *channel, const uint8_t *data, size_t len);

#endif
