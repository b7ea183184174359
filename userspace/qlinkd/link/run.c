// SPDX-License-Identifier: GPL-2.0-or-later
/* Drives one link: by messages of the peer, answers of KMEs, events of the device, and time. */
#include "run.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <openssl/rand.h>

#include "act.h"
#include "choose.h"
#include "keptchain.h"
#include "kmelog.h"
#include "preshared.h"
#include "seenkeys.h"
#include "libqlink/names.h"

/* How often a link reads its device when nothing happens, and while weaker keys are replaced. */
#define LOOK_MS		1000
#define URGENT_MS	50
/* How often it reads records, in looks at the device. */
#define RECORDS_LOOKS	5
/* Read records early once this many are pending: the kernel keeps the last 8,192. */
#define RECORDS_MANY	2048
/* How long the stores are not filled, so that a link's first keys come quickly. */
#define FIRST_MS	2000
/* Locked memory of a link, and of its offers while one of each direction is under way. */
#define LINK_BYTES	(sizeof(struct exchange) + sizeof(struct exchange_binding))
#define OFFERS_BYTES	(2 * sizeof(struct exchange_offer))

/**
 * struct link_run - what drives one link
 */
struct link_run {
	/** @memory: locked, holds the exchange of the link and @binding */
	struct qlink_secret memory;

	/** @binding: what keys are bound to the connection by; secret, in @memory */
	struct exchange_binding *binding;

	/** @is_connected: there is a connection; @binding is valid */
	bool is_connected;

	/** @has_chains: the chains that were kept over the restart are in use, if there are any */
	bool has_chains;

	/** @has_resumed: it is known which record the audit log has */
	bool has_resumed;

	/** @is_loose: the kernel may accept sources that the policy does not allow */
	bool is_loose;

	/** @accepts_chain: an operator accepts that the chains start from zero */
	bool accepts_chain;

	/** @accepted_tx: keys that had been installed to send when the operator said so */
	uint64_t accepted_tx;

	/** @accepted_rx: likewise to receive */
	uint64_t accepted_rx;

	/** @withdrawing: directions whose keys have yet to be withdrawn, one bit each */
	uint8_t withdrawing;

	/** @look_at: when to read the device again */
	uint64_t look_at;

	/** @choose_at: when to call choose_keys() again */
	uint64_t choose_at;

	/** @records_at: when to read records again */
	uint64_t records_at;

	/** @record: number of the last record read, 0 for none */
	uint64_t record;

	/** @wipes: how often the kernel had wiped all keys when the device was last read */
	uint32_t wipes;

	/** @record_text: the last record before the start, as the audit log has it */
	char record_text[AUDIT_RECORD_TEXT];

	/** @last: the last record since the start; its number is 0 for none */
	struct qlink_record last;

	/** @has_more: records after @record have yet to be read */
	bool has_more;

	/** @recorded: rekeys of both rings when records were last read */
	uint64_t recorded;

	/** @kmelog: what the log says about its KMEs */
	struct kmelog kmelog;
};

/*
 * The agent's links together look only so often: an event tells of nearly all that happens. They have
 * different periods, so that not all of them look in the same turn of the loop.
 */
static uint64_t look_ms(const struct link *link)
{
	uint64_t ms = link->services->look_ms;

	return ms > LOOK_MS ? ms - link->id % (ms / 32) : LOOK_MS;
}

/* Something changed: have the loop call link_run() soon, which chooses anew. */
static void run_soon(struct link *link)
{
	link->run->choose_at = 0;
	link->ops.kick(link->arg);
}

/* --- the device --- */

static void open_agreement(struct link *link)
{
	const struct session_event event = {
		.type = SESSION_EVENT_CONNECTED, .suite = link->run->binding->suite,
	};

	if (!link->run->is_connected || !link->id)
		return;
	/* Not when the link is made: one that a reload replaces goes on until then. */
	if (!link->run->has_chains)
		keptchain_restore(link);
	link->run->has_chains = true;
	choose_reset(link);
	exchange_connect(link->exchange, link->run->binding, link->id);
	act_step(link, &event);
}

static void close_agreement(struct link *link)
{
	static const struct session_event event = { .type = SESSION_EVENT_DISCONNECTED };

	act_step(link, &event);
}

void link_restart(struct link *link)
{
	static const struct session_event event = { .type = SESSION_EVENT_RESTART };

	act_step(link, &event);
	run_soon(link);
}

void link_withdraw(struct link *link)
{
	link->run->withdrawing = 1 << SESSION_DIRECTION_TX | 1 << SESSION_DIRECTION_RX;
	run_soon(link);
}

/* Withdraws one direction at a time: what its ring holds. Keys of an open offer are not in it yet. */
static void withdraw_next(struct link *link)
{
	uint8_t direction = link->run->withdrawing & 1 << SESSION_DIRECTION_TX ? SESSION_DIRECTION_TX :
									 SESSION_DIRECTION_RX;
	struct session_event event = { .type = SESSION_EVENT_WITHDRAW };

	if (!link->run->withdrawing || link->session.own_withdrawal.is_open || link_look(link))
		return;
	event.withdraw = (struct session_withdraw){
		.range = { 1, direction == SESSION_DIRECTION_TX ? link->view.tx.newest_epoch :
								link->view.rx.newest_epoch },
		.direction = direction,
		.reason = SESSION_REASON_COMMAND,
	};
	link->run->withdrawing &= ~(1 << direction);
	if (event.withdraw.range.last)
		act_step(link, &event);
	run_soon(link);
}

/*
 * The kernel wiped all keys because memory of this host may be copied, or was: it is suspended, or it
 * is a clone. So what later keys would depend on is wiped too. A clone has the connection's keys
 * as well, and the next random numbers.
 */
static void wipe_secrets(struct link *link)
{
	uint32_t n = stocks_wipe(link->stocks, services_now());

	chain_restart(&link->exchange->tx.chain);
	chain_restart(&link->exchange->rx.chain);
	keptchain_wipe(link);
	link->counters.keys_burned += n;
	TELL(link->services, LOG_NOTICE, "secrets-wiped", TEXT("link", link->config->device),
	     NUMBER_OF("burned", n));
	if (!RAND_poll())
		TELL(link->services, LOG_ERR, "no-random-numbers",
		     TEXT("link", link->config->device));
	link->ops.hang_up(link->arg, "the kernel has wiped all keys of this host");
}

/* Reads the count of wipes, so that no lost event keeps secrets alive. */
static void check_wipes(struct link *link)
{
	uint32_t before = link->run->wipes;

	link->run->wipes = link->view.wipes;
	if (link->id && link->view.wipes > before)
		wipe_secrets(link);
}

/* The id of the device, 0 if it has none or one that another link to this peer has. */
static uint16_t find_id(struct link *link)
{
	uint16_t id = link_look(link) ? 0 : link->view.config.id;
	const char *other = id && id != link->id ? link->ops.taken_by(link->arg, id) : NULL;
	char why[sizeof(link->why)];

	if (!other)
		return id;
	snprintf(why, sizeof(why), "id %u is that of %s, a link to the same peer", id, other);
	if (strcmp(link->why, why))
		TELL(link->services, LOG_ERR, "id-taken", TEXT("link", link->config->device),
		     NUMBER_OF("id", id), TEXT("by", other));
	snprintf(link->why, sizeof(link->why), "%s", why);
	return 0;
}

void link_restrict(struct link *link)
{
	const struct request request = { .sources = policy_sources(link->config->policy) };
	char text[LINK_WHY_BYTES];
	struct qlink_why why;
	int err = broker_ask(&link->services->broker, REQUEST_RESTRICT, link->config->device,
			     &request, &why);

	link->run->is_loose = err;
	link->has_view = false;
	/* Without a device no key is in use. */
	if (!err || err == -ENODEV)
		return;
	snprintf(text, sizeof(text), "restrict: %s", why.text);
	/* What is refused again and again is logged once. */
	if (!strcmp(link->why, text))
		return;
	memcpy(link->why, text, sizeof(text));
	TELL(link->services, LOG_ERR, "kernel-refused", TEXT("link", link->config->device),
	     TEXT("request", "restrict"), TEXT("why", why.text));
}

/* Checks whether the device vanished, is another one, or lost all keys. */
static void check_device(struct link *link)
{
	const struct session_rings *stated = &link->session.own.rings;
	uint16_t id = find_id(link);

	if (id)
		check_wipes(link);
	if (id != link->id) {
		close_agreement(link);
		link->id = id;
		TELL(link->services, id ? LOG_INFO : LOG_WARNING, id ? "device" : "no-device",
		     TEXT("link", link->config->device), NUMBER_OF("id", id));
		link->run->is_loose = true;
		open_agreement(link);
	} else if (id && link->session.phase >= SESSION_PHASE_STATE &&
		   link->session.phase != SESSION_PHASE_BLOCKED &&
		   memcmp(stated->tx.id, link->view.tx.id, sizeof(stated->tx.id))) {
		TELL(link->services, LOG_WARNING, "rings-replaced",
		     TEXT("link", link->config->device));
		link_restart(link);
	}
	if (id && link->run->is_loose)
		link_restrict(link);
}

static void log_event(struct link *link, const struct qlink_event *event)
{
	static const uint32_t worth = QLINK_EVENT_KIND_EXHAUSTED | QLINK_EVENT_KIND_OVERDUE |
		QLINK_EVENT_KIND_AUTH_FAILURES | QLINK_EVENT_KIND_WIPED |
		QLINK_EVENT_KIND_PEER_LOST | QLINK_EVENT_KIND_PEER_HEARD |
		QLINK_EVENT_KIND_BLOCKS2_HIGH | QLINK_EVENT_KIND_PEER_MOVED |
		QLINK_EVENT_KIND_PEER_PORT | QLINK_EVENT_KIND_PEER_ADDRESS;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		if (!(event->kinds & worth & 1U << bit))
			continue;
		TELL(link->services, LOG_WARNING, "device-event",
		     TEXT("link", link->config->device),
		     TEXT("kind", qlink_name(&qlink_event_kinds, bit)),
		     NUMBER_OF("epoch", event->tx.current_epoch));
	}
}

void link_notice(struct link *link, const struct qlink_event *event)
{
	if (!event) {
		link->has_view = false;
		link->run->look_at = 0;
		run_soon(link);
		return;
	}
	log_event(link, event);
	link->view.tx = event->tx;
	link->key_since = services_now() - event->tx.age_ms;
	link->view.rx = event->rx;
	link->view_at = services_now();
	if (event->kinds & QLINK_EVENT_KIND_WIPED) {
		link->run->look_at = 0;
		link_restart(link);
	}
	run_soon(link);
}

/* --- records of keys that are gone --- */

/* The fields of a record in the audit log: first its link, then those that tell it from others. */
struct record_fields {
	char id[QLINK_UUID_TEXT];
	struct log_field list[12];
};

static void describe_record(const struct link *link, const struct qlink_record *record,
			    struct record_fields *fields)
{
	const struct log_field list[] = {
		TEXT("link", link->config->device), NUMBER_OF("record", record->number),
		TEXT("direction", qlink_name(&qlink_directions, record->direction)),
		TEXT("source", qlink_name(&qlink_sources, record->source)),
		NUMBER_OF("kmes", record->kmes),
		NUMBER_OF("epoch", record->epoch), NUMBER_OF("first_ms", record->first_ms),
		NUMBER_OF("last_ms", record->last_ms), NUMBER_OF("frames", record->frames),
		NUMBER_OF("bytes", record->bytes),
		TEXT("kme_key_id", qlink_format_uuid(record->kme_key_id, fields->id)),
		{ .name = NULL },
	};

	_Static_assert(sizeof(list) <= sizeof(fields->list), "there is room for all");
	memcpy(fields->list, list, sizeof(list));
}

/* Writes a record as the cursor of its link in the audit log has it. */
static void write_record(const struct link *link, const struct qlink_record *record,
			 char text[AUDIT_RECORD_TEXT])
{
	struct record_fields fields;

	describe_record(link, record, &fields);
	field_json(text, AUDIT_RECORD_TEXT, fields.list + 1);
}

static bool is_same_record(const struct qlink_record *a, const struct qlink_record *b)
{
	return a->number == b->number && a->epoch == b->epoch && a->first_ms == b->first_ms &&
	       a->last_ms == b->last_ms && a->frames == b->frames && a->bytes == b->bytes &&
	       a->direction == b->direction && a->source == b->source && a->kmes == b->kmes &&
	       !memcmp(a->kme_key_id, b->kme_key_id, sizeof(a->kme_key_id));
}

static void note_gap(struct link *link, uint64_t lost)
{
	link->counters.records_lost += lost;
	AUDIT(link->services, "gap", TEXT("link", link->config->device),
	      NUMBER_OF("records", lost));
}

/* Keys that were retired since records were last read, as far as events report. */
static uint64_t backlog(const struct link *link)
{
	return link->view.tx.rekeys + link->view.rx.rekeys - link->run->recorded;
}

/*
 * Goes on after the last record that the audit log has, also after a restart. Not when the link is
 * made: the agent opens its audit log when all that can be refused was not.
 */
static void resume_records(struct link *link)
{
	struct audit *audit = link->services->audit;
	const char *text = audit && !link->run->has_resumed ?
			   audit_last_record(audit, link->config->device) : NULL;

	link->run->has_resumed = true;
	if (!text || sscanf(text, "\"record\":%" SCNu64, &link->run->record) != 1)
		return;
	snprintf(link->run->record_text, sizeof(link->run->record_text), "%s", text);
}

/*
 * The last record that was read is read again, so that a device that replaced another of the same
 * name is noticed: it numbers its records from 1 on. Records go on where a ring is only wiped, so
 * the ids of rings do not tell.
 */
static bool is_another_device(const struct link *link, const struct reply *reply)
{
	const struct qlink_record *last = &link->run->last, *first = &reply->records[0];
	char text[AUDIT_RECORD_TEXT];

	if (!reply->n)
		return true;
	/* The record was overwritten: all that come were not read before. */
	if (first->number != link->run->record)
		return false;
	if (last->number == first->number)
		return !is_same_record(last, first);
	write_record(link, first, text);
	return strcmp(text, link->run->record_text) != 0;
}

static void take_record(struct link *link, const struct qlink_record *record)
{
	struct record_fields fields;

	if (record->number <= link->run->record)
		return;
	if (record->number > link->run->record + 1)
		note_gap(link, record->number - link->run->record - 1);
	link->run->record = record->number;
	describe_record(link, record, &fields);
	services_audit(link->services, "used", fields.list);
}

/* Reads one batch of records, so that the loop is not held up. */
static void read_records(struct link *link, uint64_t now)
{
	struct broker_client *broker = &link->services->broker;
	struct audit *audit = link->services->audit;
	struct link_run *run = link->run;
	struct request request = { 0 };
	struct qlink_why why;
	bool overlaps;
	uint32_t i;

	/* Records stay in the kernel while the audit log has no room for them. */
	run->records_at = now + (run->has_more ? 1 : RECORDS_LOOKS) * look_ms(link);
	if (audit && !audit_has_room(audit, REQUEST_RECORDS_MAX))
		return;
	run->recorded += backlog(link);
	resume_records(link);
	overlaps = run->record && !run->has_more;
	request.after = run->record - overlaps;
	if (!link->id || broker_ask(broker, REQUEST_RECORDS, link->config->device, &request, &why))
		return;
	if (overlaps && is_another_device(link, &broker->reply)) {
		run->record = 0;
		run->records_at = now;
		return;
	}
	for (i = 0; i < broker->reply.n; i++)
		take_record(link, &broker->reply.records[i]);
	/* Only the last is asked for again. */
	if (broker->reply.n)
		run->last = broker->reply.records[broker->reply.n - 1];
	run->has_more = broker->reply.n == REQUEST_RECORDS_MAX;
	if (run->has_more)
		run->records_at = now;
}

/* --- QKD keys --- */

static void on_stocks_ready(void *arg)
{
	struct link *link = arg;

	link->ops.kick(link->arg);
}

static void on_stocks_changed(void *arg)
{
	run_soon(arg);
}

static void on_fetched(void *arg, enum session_reason reason, uint8_t place,
		       const struct bytes *secrets)
{
	struct link *link = arg;

	act_fetched(link, reason, place, secrets);
}

static void on_health(void *arg, unsigned int node, bool is_up, const struct qlink_why *why)
{
	struct link *link = arg;

	kmelog_health(link, &link->run->kmelog, node, is_up, why);
}

static void on_trouble(void *arg, unsigned int node, const struct kme_answer *answer)
{
	struct link *link = arg;

	link->counters.keys_burned += answer->n_burned;
	kmelog_trouble(link, &link->run->kmelog, node, answer);
}

static bool on_seen(void *arg, unsigned int node, const struct kme_answer *answer,
		    const struct kme_key *key)
{
	return seenkeys_check(arg, node, answer, key);
}

static void on_refused(void *arg, unsigned int node, const struct kme_answer *answer, uint64_t n,
		       const struct qlink_why *why)
{
	struct link *link = arg;

	link->counters.keys_refused += n;
	kmelog_refused(link, &link->run->kmelog, node, answer, n, why);
}

/* --- life --- */

/* The limit is the usual cause: an agent that is not started by its unit has 8 MiB. */
static int refuse_memory(struct qlink_why *why, int err)
{
	struct rlimit limit;

	if ((err != -ENOMEM && err != -EPERM) || getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    limit.rlim_cur == RLIM_INFINITY)
		return qlink_refuse(why, err, "no locked memory: %s", strerror(-err));
	return qlink_refuse(why, err, "no locked memory: a link needs %zu KiB of it, and %zu KiB more while"
			    " keys are agreed on, and all together may have %llu KiB (RLIMIT_MEMLOCK,"
			    " LimitMEMLOCK= in a unit)", LINK_BYTES / 1024 + 1, OFFERS_BYTES / 1024 + 1,
			    (unsigned long long)limit.rlim_cur / 1024);
}

/*
 * Offers get their memory when they are made. A limit that leaves no link any room for them is
 * refused now; with room for some, the others wait.
 */
static int try_offers(void)
{
	struct qlink_secret memory;
	int err = qlink_secret_new(&memory, OFFERS_BYTES);

	qlink_secret_free(&memory);
	return err;
}

/* An operator's word to accept a chain that starts from zero holds until both chains have gone on. */
static void demand_chain(struct link *link)
{
	bool demands = link->config->chain_required && !link->run->accepts_chain;

	session_demand_chain(&link->session, demands);
	link->exchange->demands_chain = demands;
}

static uint64_t sum_keys(const uint64_t *keys)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < QLINK_SOURCE_STATIC; i++)
		sum += keys[i];
	return sum;
}

void link_accept_chain(struct link *link)
{
	link->run->accepts_chain = true;
	link->run->accepted_tx = sum_keys(link->counters.tx_keys);
	link->run->accepted_rx = sum_keys(link->counters.rx_keys);
	demand_chain(link);
	link_restart(link);
}

/* Both chains have gone on, or there was nothing to accept. */
static bool has_accepted(const struct link *link)
{
	return (sum_keys(link->counters.tx_keys) != link->run->accepted_tx &&
		sum_keys(link->counters.rx_keys) != link->run->accepted_rx) ||
	       (link->session.phase == SESSION_PHASE_READY && !link->session.peer.starts_from_zero);
}

static void check_chain(struct link *link)
{
	if (!link->run->accepts_chain || !has_accepted(link))
		return;
	link->run->accepts_chain = false;
	demand_chain(link);
}

bool link_same_psk(const struct link *link, const char *path)
{
	return preshared_is_same(link->exchange, path);
}

/* Most KMEs of which this end puts secrets into one key. */
static uint8_t kmes_most(const struct config_link *config)
{
	size_t most = config->mixes ? SESSION_KMES_MAX : 1;

	return (uint8_t)(config->n_kmes < most ? config->n_kmes : most);
}

static int init_agreement(struct link *link, struct qlink_why *why)
{
	struct session_config config = {
		.versions = { MSG_VERSION, MSG_VERSION },
		.policy = (uint8_t)link->config->policy,
		.sources = policy_sources(link->config->policy),
		.suite_least = (uint8_t)link->config->suite_least,
		.kmes_least = (uint8_t)link->config->mix_least,
		.kmes_most = kmes_most(link->config),
		.n_kmes = (uint8_t)link->config->n_kmes,
	};
	int err;

	err = qlink_secret_new(&link->run->memory, LINK_BYTES);
	if (!err)
		err = try_offers();
	if (err)
		return refuse_memory(why, err);
	link->exchange = (struct exchange *)link->run->memory.data;
	link->run->binding = (struct exchange_binding *)(link->exchange + 1);
	if (RAND_bytes((uint8_t *)&config.generation, sizeof(config.generation)) != 1)
		return qlink_refuse(why, -EIO, "no random number");
	session_init(&link->session, &config);
	demand_chain(link);
	return preshared_load(link->exchange, link->config->psk, why);
}

static int init_parts(struct link *link)
{
	link->run = calloc(1, sizeof(*link->run));
	return !link->run || act_new(link) || choose_new(link) ? -ENOMEM : 0;
}

int link_new(struct link **out, const struct config *config,
	     const struct config_link *which, struct services *services,
	     const struct link_ops *ops, void *arg, struct qlink_why *why)
{
	static const struct stocks_ops stocks_ops = {
		.ready = on_stocks_ready,
		.changed = on_stocks_changed,
		.fetched = on_fetched,
		.health = on_health,
		.trouble = on_trouble,
		.seen = on_seen,
		.refused = on_refused,
	};
	struct link *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return qlink_refuse(why, -ENOMEM, "no memory");
	link->config = which;
	link->services = services;
	link->ops = *ops;
	link->arg = arg;
	link->choice.source = POLICY_NO_SOURCE;
	err = init_parts(link);
	if (err)
		qlink_refuse(why, err, "no memory");
	else
		err = init_agreement(link, why);
	if (!err)
		err = stocks_new(&link->stocks, config, which, services->kmes, &stocks_ops, link,
				 services_now(), why);
	if (err) {
		link_free(link);
		return err;
	}
	stocks_hold(link->stocks, services_now() + FIRST_MS);
	*out = link;
	return 0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	stocks_free(link->stocks);
	if (link->exchange)
		exchange_end(link->exchange);
	act_free(link);
	choose_free(link);
	if (link->run)
		qlink_secret_free(&link->run->memory);
	free(link->run);
	free(link);
}

void link_renew(struct link *link, const struct config *config, const struct config_link *which)
{
	link->config = which;
	stocks_renew(link->stocks, config, which);
}

void link_connect(struct link *link, const struct exchange_binding *binding)
{
	*link->run->binding = *binding;
	link->run->is_connected = true;
	link->run->look_at = 0;
	open_agreement(link);
	run_soon(link);
}

void link_leave(struct link *link)
{
	static const struct session_event event = { .type = SESSION_EVENT_LEAVE };

	act_step(link, &event);
	run_soon(link);
}

void link_disconnect(struct link *link)
{
	link->run->is_connected = false;
	explicit_bzero(link->run->binding, sizeof(*link->run->binding));
	close_agreement(link);
}

void link_hear(struct link *link, struct msg *msg, const uint8_t *data, size_t len)
{
	struct session_event event = { .type = SESSION_EVENT_MESSAGE, .msg = &msg->core };

	if (session_accepts(&link->session, &msg->core)) {
		exchange_received(link->exchange, msg, data, len);
		if (msg->core.type == SESSION_MESSAGE_INVITE)
			stocks_peer_serves(link->stocks, msg->kmes, services_now());
	}
	act_step(link, &event);
	run_soon(link);
}

void link_kept(struct link *link)
{
	if (keptchain_waits(link))
		link->ops.kick(link->arg);
}

void link_run(struct link *link)
{
	static const struct session_event tick = { .type = SESSION_EVENT_TICK };
	uint64_t now = services_now();

	stocks_run(link->stocks, now);
	link->counters.keys_expired = stocks_expired(link->stocks);
	act_serving(link);
	act_kept(link);
	if (session_deadline(&link->session) <= now)
		act_step(link, &tick);
	if (link->run->records_at <= now || backlog(link) >= RECORDS_MANY)
		read_records(link, now);
	if (link->run->look_at <= now) {
		check_device(link);
		kmelog_check(link, &link->run->kmelog, now);
		link->run->look_at = now + look_ms(link);
	}
	check_chain(link);
	withdraw_next(link);
	if (link->is_unsure) {
		link->is_unsure = false;
		link_restart(link);
	}
	if (link->run->choose_at <= now) {
		choose_keys(link, now);
		link->run->choose_at = now + (choose_is_urgent(link) ? URGENT_MS : look_ms(link));
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t link_deadline(const struct link *link)
{
	uint64_t kept = keptchain_waits(link) ?: UINT64_MAX;

	return sooner(kept, sooner(sooner(session_deadline(&link->session), stocks_deadline(link->stocks)),
		      sooner(sooner(link->run->look_at, link->run->choose_at), link->run->records_at)));
}
