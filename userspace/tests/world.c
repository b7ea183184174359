// SPDX-License-Identifier: GPL-2.0-or-later
/* Two whole agents without their sockets, in one process and in simulated time. */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "qlinkd/link/act.h"
#include "qlinkd/link/keptchain.h"
#include "simkme.h"
#include "tap.h"

#define WIRE_MS		5
/* Sound agents need fewer rounds than this at one moment. */
#define ROUNDS_MAX	20000

/* --- the connection --- */

static void enqueue(struct world_wire *wire, const uint8_t *data, size_t len, uint64_t at,
		    uint32_t connection)
{
	struct world_packet *packet;

	if (wire->n == WORLD_WIRE)
		BAIL_OUT();
	packet = &wire->packets[wire->n++];
	/* A stream keeps its order. */
	if (at < wire->last_at)
		at = wire->last_at;
	wire->last_at = at;
	packet->at = at;
	packet->connection = connection;
	packet->len = len;
	memcpy(packet->data, data, len);
}

static struct world *the_world;

static void say(void *arg, const uint8_t *data, size_t len)
{
	struct world *world = the_world;
	struct world_end *from = arg;
	unsigned int to = from == &world->ends[0], n = 1;
	uint64_t delay = WIRE_MS;

	from->n_sent++;
	if (!from->connection)
		return;
	if (world->on_send)
		n = world->on_send(world, to, &delay);
	while (n--)
		enqueue(&world->ends[to].wire, data, len, device_now + delay, from->connection);
	if (world->ends[to].wire.n > world->most_wire)
		world->most_wire = world->ends[to].wire.n;
}

static void kick(void *arg)
{
	struct world_end *end = arg;

	end->is_kicked = true;
}

static void hang_up(void *arg, const char *why)
{
	struct world_end *end = arg;

	(void)why;
	end->hangs_up = end->connection > 0;
}

static void left(void *arg)
{
	(void)arg;
}

static const char *taken_by(void *arg, uint16_t id)
{
	(void)id;
	return arg == &the_world->ends[0] ? the_world->taken_by : NULL;
}

/* Messages of a connection that has ended are dropped. */
static bool receive_next(struct world_end *end)
{
	static struct world_packet packet;
	struct qlink_why why;
	struct msg msg;

	if (!end->wire.n || end->wire.packets[0].at > device_now)
		return false;
	/* The message waits until the agent has accepted the connection. */
	if (end->wire.packets[0].connection > end->connection && end->connection)
		return false;
	packet = end->wire.packets[0];
	end->wire.n--;
	memmove(&end->wire.packets[0], &end->wire.packets[1],
		end->wire.n * sizeof(end->wire.packets[0]));
	if (packet.connection != end->connection)
		return true;
	CHECK(!msg_decode(&msg, packet.data, packet.len, &why), "does not decode: %s", why.text);
	link_hear(end->link, &msg, packet.data, packet.len);
	return true;
}

void world_connect(struct world *world)
{
	struct exchange_binding channel = { .has_dialled = true, .suite = 1 };
	unsigned int i;

	if (RAND_bytes(channel.exporter, sizeof(channel.exporter)) != 1)
		BAIL_OUT();
	world->n_connections++;
	for (i = 0; i < 2; i++) {
		memset(channel.own_cert_hash, 'a' + (int)i, sizeof(channel.own_cert_hash));
		memset(channel.peer_cert_hash, 'a' + !i, sizeof(channel.peer_cert_hash));
		world->ends[i].connection = world->n_connections;
		link_connect(world->ends[i].link, &channel);
		channel.has_dialled = false;
	}
}

void world_cut(struct world *world)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		world->ends[i].wire.n = 0;
		world->ends[i].wire.last_at = 0;
		if (!world->ends[i].connection)
			continue;
		world->ends[i].connection = 0;
		link_disconnect(world->ends[i].link);
	}
}

/* --- frames --- */

static void note_used(struct world *world, const struct device_key *key)
{
	uint64_t mark, *used = world->used;
	size_t at;

	if (2 * world->n_used >= world->used_room)
		BAIL_OUT();
	memcpy(&mark, key->bytes, sizeof(mark));
	for (at = mark % world->used_room; used[at]; at = (at + 1) % world->used_room)
		CHECK(used[at] != mark, "epoch %llu: a key is used twice",
		      (unsigned long long)key->epoch);
	used[at] = mark;
	world->n_used++;
	world->n_hybrid += key->source != QLINK_SOURCE_PQC;
}

/* A new key to send was never used before; if the peer has its epoch, the key is the same. */
static void on_installed(void *arg, const struct device_key *keys, unsigned int n)
{
	struct device *peer = &devices[arg == &the_world->ends[0]];
	const struct device_key *held;
	unsigned int i;

	for (i = 0; i < n; i++) {
		note_used(the_world, &keys[i]);
		held = device_find(&peer->rx, keys[i].epoch);
		CHECK(!held || !memcmp(held->bytes, keys[i].bytes, sizeof(held->bytes)),
		      "epoch %llu differs", (unsigned long long)keys[i].epoch);
	}
}

static void on_answered(void *arg)
{
	const struct world_end *end = arg;

	/* Including the answer that follows from this one. */
	if (end->link && act_n_answers(end->link) + 1 > the_world->most_done)
		the_world->most_done = act_n_answers(end->link) + 1;
}

static bool is_due(const struct device *device)
{
	const struct device_ring *tx = &device->tx;

	if (!device->is_there || !device_staged(tx))
		return false;
	return !tx->current ||
	       (device->rekey_ms && device_now - tx->keys[0].first_ms >= device->rekey_ms);
}

static uint32_t expire(struct device *device)
{
	const struct device_ring *tx = &device->tx;

	if (!tx->current || device_now - tx->keys[0].first_ms < WORLD_HARD_MS)
		return 0;
	device_drop(&device->tx, 0, 1);
	return QLINK_EVENT_KIND_EXHAUSTED;
}

/* The receiver moves to the key of an authentic frame, and drops the keys before it. */
static bool follow(struct device *device, uint64_t epoch)
{
	struct device_key *key = device_find(&device->rx, epoch);

	if (!device->is_there || !key)
		return false;
	if (device->rx.current != epoch)
		device_rotate(device, QLINK_DIRECTION_RX,
			      (unsigned int)(key - device->rx.keys) - !!device->rx.current);
	return true;
}

/* Send at most one frame from @from, and note whether it arrives. */
static void send_frame(struct world *world, unsigned int from)
{
	struct device *device = &devices[from];
	struct world_end *to = &world->ends[!from];
	uint32_t kinds = expire(device);
	bool arrives;

	if (is_due(device)) {
		device_rotate(device, QLINK_DIRECTION_TX, 0);
		kinds |= QLINK_EVENT_KIND_ROTATED;
	}
	if (kinds && device_staged(&device->tx) < device->keys_low)
		kinds |= QLINK_EVENT_KIND_KEYS_LOW;
	arrives = device->is_there && device->tx.current &&
		  follow(&devices[!from], device->tx.current);
	if (arrives)
		to->lost_since = 0;
	else if (!to->lost_since)
		to->lost_since = device_now;
	if (kinds)
		world_notice(world, from, kinds);
}

void world_notice(struct world *world, unsigned int end, uint32_t kinds)
{
	struct qlink_event event;

	if (world->loses_events)
		return;
	device_event(&devices[end], kinds, &event);
	link_notice(world->ends[end].link, &event);
}

/* --- time --- */

static void sooner(uint64_t *next, uint64_t at)
{
	if (at < *next)
		*next = at;
}

static uint64_t next_frame(const struct device *device)
{
	const struct device_ring *tx = &device->tx;
	uint64_t next = UINT64_MAX;

	if (!device->is_there)
		return next;
	if (!tx->current)
		return device_staged(tx) ? device_now : next;
	if (device_staged(tx) && device->rekey_ms)
		sooner(&next, tx->keys[0].first_ms + device->rekey_ms);
	sooner(&next, tx->keys[0].first_ms + WORLD_HARD_MS);
	return next;
}

/* Whether the agent waits for its disk, which takes no time. */
static bool has_written(const struct world_end *end)
{
	return keptchain_waits(end->link) && !end->has_slow_disk;
}

static uint64_t next_time(const struct world *world)
{
	uint64_t next = simkme_next();
	unsigned int i;

	for (i = 0; i < 2; i++) {
		const struct world_end *end = &world->ends[i];

		if (end->is_kicked || end->hangs_up || has_written(end))
			return device_now;
		sooner(&next, link_deadline(end->link));
		if (end->wire.n)
			sooner(&next, end->wire.packets[0].at);
		if (world->has_traffic)
			sooner(&next, next_frame(&devices[i]));
	}
	return next > device_now ? next : device_now;
}

static void note_most(struct world *world, unsigned int end)
{
	if (devices[end].tx.n > world->most_staged)
		world->most_staged = devices[end].tx.n;
}

void world_step(struct world *world, unsigned int end)
{
	world->ends[end].is_kicked = false;
	if (world->ends[end].services.state && !world->ends[end].has_slow_disk)
		state_flush(world->ends[end].services.state, 10000);
	link_run(world->ends[end].link);
	note_most(world, end);
}

/* Whether the agent's loop would run the link now. */
static bool is_called(const struct world_end *end)
{
	return end->is_kicked || link_deadline(end->link) <= device_now ||
	       simkme_next() <= device_now || has_written(end);
}

static void hang_up_now(struct world *world)
{
	if (!world->ends[0].hangs_up && !world->ends[1].hangs_up)
		return;
	world->ends[0].hangs_up = false;
	world->ends[1].hangs_up = false;
	world_cut(world);
	world_connect(world);
}

static void step_all(struct world *world)
{
	unsigned int i;

	hang_up_now(world);
	for (i = 0; i < 2; i++) {
		while (receive_next(&world->ends[i]))
			;
		if (is_called(&world->ends[i]))
			world_step(world, i);
		if (world->has_traffic)
			send_frame(world, i);
	}
}

void world_run(struct world *world, uint64_t ms)
{
	uint64_t until = device_now + ms, next;
	unsigned int rounds = 0;

	for (;;) {
		step_all(world);
		next = next_time(world);
		if (next > until)
			break;
		rounds = next > device_now ? 0 : rounds + 1;
		if (rounds > ROUNDS_MAX) {
			CHECK(false, "no end of the rounds at %llu ms", (unsigned long long)device_now);
			BAIL_OUT();
		}
		device_now = next;
	}
	device_now = until;
}

/* --- start and end --- */

static void start_agent(struct world *world, unsigned int i)
{
	static const struct link_ops ops = {
		.say = say, .kick = kick, .hang_up = hang_up, .left = left, .taken_by = taken_by,
	};
	struct world_end *end = &world->ends[i];
	/* What the test opened stays over restarts of the agent. */
	struct audit *audit = end->services.audit;
	struct state *state = end->services.state;
	struct qlink_why why;

	simkme_side = (int)i;
	/* An agent that restarts has forgotten which keys it had. */
	seen_free(&end->services.keys_seen);
	device_services(&end->services, i, world->log_fds[i]);
	end->services.audit = audit;
	end->services.state = state;
	CHECK_NUMBER("link", link_new(&end->link, &end->config, &end->config.links[0],
				      &end->services, &ops, end, &why), 0);
}

struct world *world_new(const char *const texts[2], bool has_log)
{
	struct world *world = calloc(1, sizeof(*world));
	struct config_error error;
	unsigned int i;

	if (!world)
		BAIL_OUT();
	the_world = world;
	world->used_room = 1 << 20;
	world->used = calloc(world->used_room, sizeof(*world->used));
	device_now = 1000000;
	for (i = 0; i < 2; i++) {
		CHECK(!config_parse(&world->ends[i].config, texts[i], strlen(texts[i]), "conf",
				    &error), "%s", error.text);
		world->log_fds[i] = has_log ? memfd_create("log", MFD_CLOEXEC) :
					      open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (world->log_fds[i] < 0 || !world->used)
			BAIL_OUT();
	}
	device_start(&world->ends[0].config);
	for (i = 0; i < 2; i++) {
		devices[i].installed = on_installed;
		devices[i].answered = on_answered;
		devices[i].arg = &world->ends[i];
		start_agent(world, i);
	}
	return world;
}

void world_free(struct world *world)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		link_free(world->ends[i].link);
		config_free(&world->ends[i].config);
		seen_free(&world->ends[i].services.keys_seen);
		close(world->log_fds[i]);
	}
	free(world->used);
	free(world);
}

void world_restart(struct world *world, unsigned int end)
{
	world_cut(world);
	link_free(world->ends[end].link);
	start_agent(world, end);
}

unsigned int world_logs(const struct world *world, unsigned int end, const char *text)
{
	static char log[1 << 20];
	ssize_t len = pread(world->log_fds[end], log, sizeof(log) - 1, 0);
	unsigned int n = 0;
	const char *at;

	log[len > 0 ? len : 0] = '\0';
	for (at = strstr(log, text); at; at = strstr(at + 1, text))
		n++;
	return n;
}

bool world_flows(const struct world *world)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (world->ends[i].lost_since || !devices[i].tx.current)
			return false;
	}
	return true;
}

bool world_is_hybrid(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!devices[i].tx.current || devices[i].tx.keys[0].source != QLINK_SOURCE_HYBRID)
			return false;
	}
	return true;
}

bool world_works(const struct world *world)
{
	return world_flows(world) &&
	       world->ends[0].link->session.phase == SESSION_PHASE_READY &&
	       world->ends[1].link->session.phase == SESSION_PHASE_READY;
}

uint64_t world_until_works(struct world *world, uint64_t ms)
{
	uint64_t begun = device_now;

	while (!world_works(world)) {
		if (device_now - begun >= ms)
			return UINT64_MAX;
		world_run(world, 10);
	}
	return device_now - begun;
}
