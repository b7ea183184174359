/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS of a connection to a peer: TLS 1.3, both ends authenticated, post-quantum, or refused. */
#ifndef QLINKD_TLS_H
#define QLINKD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "common/why.h"
#include "qlinkd/credentials/credentials.h"
#include "qlinkd/secrets/exchange.h"

/**
 * enum tls_refusal - why a connection was refused
 * @TLS_REFUSAL_GROUP: the peer offers no group of a suite that this end has
 * @TLS_REFUSAL_VERSION: the peer does not support TLS 1.3
 * @TLS_REFUSAL_SIGNATURE: the peer has no certificate with an allowed signature algorithm
 * @TLS_REFUSAL_NO_CERTIFICATE: the peer sends no certificate
 * @TLS_REFUSAL_CA: the peer's certificate is not from our CA, or is invalid
 * @TLS_REFUSAL_DATES: the peer's certificate, or our CRL for it, is expired or not yet valid
 * @TLS_REFUSAL_IDENTITY: the peer's certificate has another name
 * @TLS_REFUSAL_ALERT: the peer refused us with a TLS alert
 * @TLS_REFUSAL_TIMEOUT: the handshake takes too long
 * @TLS_REFUSAL_TOO_MANY: too many callers
 * @TLS_REFUSAL_SHORT: no descriptor or no memory for a caller
 * @TLS_REFUSAL_ROUTE: the route to the peer uses a qlink device
 * @TLS_REFUSAL_SUITE: the connection has a lower suite than the configuration demands
 * @TLS_REFUSAL_UPDATES: the peer changes its keys of TLS too often
 * @TLS_REFUSAL_OTHER: any other failure of the handshake
 * @TLS_N_REFUSALS: number of refusals
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
	TLS_REFUSAL_SHORT,
	TLS_REFUSAL_ROUTE,
	TLS_REFUSAL_SUITE,
	TLS_REFUSAL_UPDATES,
	TLS_REFUSAL_OTHER,
	TLS_N_REFUSALS,
};

/**
 * DOC: Suites
 *
 * Suite 1 is the group X25519MLKEM768 and signatures of ML-DSA-65; suite 2 is SecP384r1MLKEM1024
 * and ML-DSA-87. Every end verifies signatures of both, so that two sites can change to suite 2
 * one after the other. Only an end whose own certificate has an ML-DSA-87 key offers the group of
 * suite 2, and offers it first. So a connection has suite 2 if both ends can have it: TLS 1.3
 * notices who takes a group out of what the ends offer (RFC 8446, appendix D).
 */
#define TLS_SUITE_1	1
#define TLS_SUITE_2	2

/**
 * DOC: KeyUpdate
 *
 * Each end changes the key that it sends with (RFC 8446, 4.6.3) before it has sealed so many records, or
 * after so long, whichever is first (5.5 has 2^24.5 records for AES-GCM). It does not ask the peer to do
 * the same, because the peer has the same rule. The exporter, and so the binding of keys to the
 * connection, does not change by this: it is computed once, from the handshake (7.5).
 *
 * OpenSSL takes any number of KeyUpdates, so a peer may send only so many here.
 */

/**
 * struct tls_limits - when a key of TLS is changed
 */
struct tls_limits {
	/** @records: records that are sealed with one key, at most */
	uint64_t records;

	/** @age_ms: how long one key seals, in ms */
	uint64_t age_ms;

	/** @heard_most: KeyUpdates that the peer may send at once */
	uint32_t heard_most;

	/** @heard_ms: ms in which it may send one more */
	uint32_t heard_ms;
};

/* The limits of a context until tls_context_limit(). */
extern const struct tls_limits tls_default_limits;

/* TLS settings and counters that all connections of an agent share. */
struct tls_context;

/* TLS of one connection. */
struct tls;

/**
 * tls_context_new() - make the settings of all connections
 * @context: set to the context; the caller frees it with tls_context_free()
 * @credentials: our certificate and key, and the CA that we trust; no other CA is trusted
 * @signatures: allowed signature algorithms, an OpenSSL list; %NULL for mldsa87 and mldsa65
 * @why: filled in on failure
 *
 * Context: Process.
 * Return: 0, or %-EINVAL with @why; then @context is %NULL.
 */
int tls_context_new(struct tls_context **context, const struct credentials *credentials,
		    const char *signatures, struct qlink_why *why);

/**
 * tls_context_suite() - get the highest suite that this end can have
 * @context: the context
 *
 * Return: TLS_SUITE_2 if our certificate has an ML-DSA-87 key, else TLS_SUITE_1.
 */
unsigned int tls_context_suite(const struct tls_context *context);

/**
 * tls_context_free() - free a context after all its connections
 * @context: from tls_context_new(), or %NULL
 *
 * Context: Process.
 */
void tls_context_free(struct tls_context *context);

/**
 * tls_context_take() - use other certificates and another key from now on
 * @context: keeps its counters; connections that it has keep what they began with
 * @from: gets what @context had
 *
 * Context: Process.
 */
void tls_context_take(struct tls_context *context, struct tls_context *from);

/**
 * tls_context_limit() - set when connections change their keys
 * @context: the context; connections that it has have these limits from now on, except for
 *	those of what the peer may send
 * @limits: copied
 */
void tls_context_limit(struct tls_context *context, const struct tls_limits *limits);

/**
 * struct tls_updates - how many KeyUpdates there were
 */
struct tls_updates {
	/** @sent: by this end, of which OpenSSL sends some because the peer asks for them */
	uint64_t sent;

	/** @heard: of peers */
	uint64_t heard;
};

/**
 * tls_context_updates() - get the number of KeyUpdates of all connections so far
 * @context: the context
 *
 * Return: their numbers.
 */
struct tls_updates tls_context_updates(const struct tls_context *context);

/**
 * tls_refuse() - count a refused connection, and write down why
 * @context: the context, which counts
 * @refusal: an enum tls_refusal
 * @why: filled in: name of the refusal, then the rule
 * @format: the rule, a printf() format
 *
 * tls_handshake() counts what it refuses itself; this is also for other rules.
 *
 * Context: Process.
 * Return: %-EACCES.
 */
int tls_refuse(struct tls_context *context, enum tls_refusal refusal,
	       struct qlink_why *why, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/**
 * tls_refused() - get the number of refused connections
 * @context: the context
 * @refusal: an enum tls_refusal
 *
 * Return: number of connections refused for this reason since the context was made.
 */
uint64_t tls_refused(const struct tls_context *context,
		     enum tls_refusal refusal);

/**
 * tls_refusal_name() - get the name of a refusal, as in counters and the log
 * @refusal: an enum tls_refusal
 *
 * Context: Pure.
 * Return: a constant such as "wrong-ca".
 */
const char *tls_refusal_name(enum tls_refusal refusal);

/**
 * tls_new() - start TLS on a connected socket
 * @tls: set to the new TLS; the caller frees it with tls_free()
 * @context: outlives it
 * @fd: connected, non-blocking; stays the caller's and is open until tls_free()
 * @has_dialled: this end dialled the connection, so it is the TLS client
 * @peers: names that the peer may have, ended by %NULL; outlive @tls
 *
 * Context: Process.
 * Return: 0, or %-ENOMEM; then @tls is %NULL.
 */
int tls_new(struct tls **tls, struct tls_context *context,
	    int fd, bool has_dialled, const char *const *peers);

/**
 * tls_free() - free the TLS of a connection; close_notify is sent after a whole handshake
 * @tls: from tls_new(), or %NULL
 *
 * Context: Process; never waits.
 */
void tls_free(struct tls *tls);

/**
 * tls_finish() - tell the peer that nothing more follows
 * @tls: its handshake is complete; nothing may be written afterwards
 *
 * Sends close_notify (RFC 8446, 6.1); what the peer sends until its own can still be read.
 *
 * Context: Process; never waits.
 * Return: 0, %-EAGAIN: call again when the socket is writable, or %-EIO.
 */
int tls_finish(struct tls *tls);

/**
 * tls_handshake() - continue the handshake
 * @tls: the TLS
 * @why: filled in on refusal: name of the refusal, then the rule
 *
 * RFC 8446, with the rules of PROTOCOL.md, section 4.
 *
 * Context: Process; never waits.
 * Return:
 * * %0		- the handshake is complete and all rules hold
 * * %-EAGAIN	- call again when the socket is ready, see tls_wants_write()
 * * %-EACCES	- the connection is refused, see @why, and counted
 */
int tls_handshake(struct tls *tls, struct qlink_why *why);

/**
 * tls_recheck() - verify the peer's certificate again
 * @tls: its handshake is complete
 * @why: filled in on failure
 *
 * Uses the CAs and CRLs that the context has now, and the time of now.
 *
 * Context: Process.
 * Return: 0, or %-EACCES with @why; then the refusal is counted.
 */
int tls_recheck(struct tls *tls, struct qlink_why *why);

/**
 * tls_next_end() - get when something expires on which the peer's certificate depends
 * @tls: its handshake is complete
 * @now: time of the system's clock
 *
 * Return: the first time after @now at which a certificate of the peer's chain, or one of our
 * CRLs, expires; 0 if none does. tls_recheck() tells what that means.
 */
time_t tls_next_end(const struct tls *tls, time_t now);

/**
 * tls_suite() - get the suite of a connection
 * @tls: its handshake is complete
 *
 * Both ends get the same.
 *
 * Return: TLS_SUITE_2 if the group is that of suite 2, and both certificates have an ML-DSA-87
 * key; else TLS_SUITE_1.
 */
unsigned int tls_suite(const struct tls *tls);

/**
 * tls_demand() - refuse a connection of a lower suite
 * @tls: its handshake is complete
 * @least: the lowest suite that this peer may have
 * @why: filled in on refusal
 *
 * Context: Process.
 * Return: 0, or %-EACCES with @why; then TLS_REFUSAL_SUITE is counted.
 */
int tls_demand(struct tls *tls, unsigned int least, struct qlink_why *why);

/**
 * tls_update() - change the key that this end sends with, if that is due
 * @tls: its handshake is complete
 * @now: time in ms, not earlier than in the last call
 * @why: filled in on refusal
 *
 * To be called after reading, before writing, and now and then without either.
 *
 * Context: Process; never waits.
 * Return: 0; or %-EACCES with @why if the peer changes its own too often, which is counted.
 */
int tls_update(struct tls *tls, uint64_t now, struct qlink_why *why);

/**
 * tls_wants_write() - check what a handshake, a read or a write waits for
 * @tls: the TLS; its last call returned %-EAGAIN
 *
 * Return: %true if it waits until the socket is writable, %false if until it is readable.
 */
bool tls_wants_write(const struct tls *tls);

/**
 * tls_peer() - get the name of the peer
 * @tls: its handshake is complete
 *
 * Return: one of the names passed to tls_new().
 */
const char *tls_peer(const struct tls *tls);

/**
 * tls_binding() - get what ties keys to the connection
 * @tls: its handshake is complete
 * @binding: filled in, wiped on failure; the exporter (RFC 8446, 7.5) is secret
 *
 * Context: Process.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int tls_binding(struct tls *tls, struct exchange_binding *binding);

/**
 * tls_read() - read data from the peer
 * @tls: its handshake is complete
 * @data: where the data goes
 * @room: bytes at @data; at most 65536 are read
 *
 * Context: Process; never waits.
 * Return: number of bytes read; 0 if the peer has closed the connection; %-EAGAIN: call
 * again when the socket is ready; %-EACCES if the peer refused us after the handshake
 * (counted as TLS_REFUSAL_ALERT); or %-EIO.
 */
ssize_t tls_read(struct tls *tls, uint8_t *data, size_t room);

/**
 * tls_write() - write data to the peer
 * @tls: its handshake is complete
 * @data: the bytes
 * @len: number of bytes, above 0; at most 65536 are written
 *
 * Context: Process; never waits.
 * Return: number of bytes written; %-EAGAIN: call again with the same bytes; or %-EIO.
 */
ssize_t tls_write(struct tls *tls, const uint8_t *data, size_t len);

#endif
