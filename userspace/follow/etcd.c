// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows the documents of a site in etcd, and keeps its status there. */
#include "etcd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "say.h"

/* After etcd has refused a status. */
#define PUT_AGAIN_MS	30000
#define PASSWORD_MAX	1024

const char *etcd_endpoint(const struct etcd *etcd)
{
	return etcd->options->endpoints[etcd->member];
}

static uint32_t random_number(void)
{
	uint32_t number = 0;

	/* A wait that is not random is still a wait. */
	return getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0 ? 0 : number;
}

/* ---- the end of a session ---- */

static void forget_token(struct etcd *etcd)
{
	if (etcd->token)
		explicit_bzero(etcd->token, strlen(etcd->token));
	free(etcd->token);
	etcd->token = NULL;
}

/* Whether the words of etcd are about a token that it has forgotten, or that is older than its users. */
static bool is_about_token(const char *words)
{
	return strstr(words, "auth token") || strstr(words, "auth store is old") || strstr(words, "user name is empty");
}

/* The next member is tried, after a wait. What is so since before is not said again. */
static void lose(struct etcd *etcd, const struct qlink_why *why, uint64_t now)
{
	uint32_t wait = backoff_next(&etcd->backoff, random_number());

	if (strcmp(etcd->why.text, why->text))
		say(LOG_WARNING, "etcd %s: %s; the site goes on as it is", etcd_endpoint(etcd), why->text);
	etcd->why = *why;
	if (is_about_token(why->text))
		forget_token(etcd);
	/* Whether etcd has a status whose put is cut off here is not known. */
	if (etcd->request.easy && etcd->errand == ETCD_ERRAND_PUT)
		etcd->is_put = false;
	call_end(&etcd->request, etcd->multi);
	call_end(&etcd->watch, etcd->multi);
	etcd->state = ETCD_DOWN;
	etcd->member = (etcd->member + 1) % etcd->options->n_endpoints;
	etcd->retry_ms = now + wait;
}

/* ---- requests ---- */

static void start(struct etcd *etcd, enum etcd_errand errand, const char *path, char *body, uint64_t now)
{
	struct call_target target = { .endpoint = etcd_endpoint(etcd), .path = path, .token = etcd->token };
	struct qlink_why why;

	etcd->errand = errand;
	if (!call_start(&etcd->request, etcd->multi, etcd->options, &target, body, NULL, NULL))
		return;
	qlink_refuse(&why, 0, "no memory for a request");
	lose(etcd, &why, now);
}

static void load(struct etcd *etcd, uint64_t now)
{
	etcd->state = ETCD_LOADING;
	start(etcd, ETCD_ERRAND_LOAD, "v3/kv/txn", gateway_load(&etcd->keys), now);
}

/* The first line of the file. */
static int read_password(const char *path, char *password, struct qlink_why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, password, PASSWORD_MAX - 1);
	int err = len < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (err)
		return qlink_refuse(why, err, "password-file %.200s: %s", path, strerror(-err));
	password[len] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	return 0;
}

static void log_in(struct etcd *etcd, uint64_t now)
{
	char password[PASSWORD_MAX];
	struct qlink_why why;

	if (read_password(etcd->options->password_file, password, &why)) {
		lose(etcd, &why, now);
		return;
	}
	etcd->state = ETCD_LOGIN;
	start(etcd, ETCD_ERRAND_LOGIN, "v3/auth/authenticate", gateway_login(etcd->options->user, password), now);
	explicit_bzero(password, sizeof(password));
}

static void begin_session(struct etcd *etcd, uint64_t now)
{
	if (etcd->options->user && !etcd->token)
		log_in(etcd, now);
	else
		load(etcd, now);
}

/* What is to be done next while a session is up, one request at a time. */
static void next_request(struct etcd *etcd, uint64_t now)
{
	if (!etcd->lease)
		start(etcd, ETCD_ERRAND_GRANT, "v3/lease/grant", gateway_grant(etcd->options->ttl_ms), now);
	else if (now >= etcd->renew_ms)
		start(etcd, ETCD_ERRAND_KEEP, "v3/lease/keepalive", gateway_keep(etcd->lease), now);
	else if (etcd->status && !etcd->is_put && now >= etcd->put_ms) {
		etcd->is_put = true;
		start(etcd, ETCD_ERRAND_PUT, "v3/kv/put", gateway_put(&etcd->keys, etcd->status, etcd->lease), now);
	}
}

/* ---- answers ---- */

/* A session counts as a success once etcd has said that it watches, not before: a watch can be refused each time. */
static int take_line(void *arg, const char *line, size_t len)
{
	struct etcd *etcd = arg;
	int err = gateway_watched(line, len, &etcd->keys, &etcd->documents, &etcd->is_changed, &etcd->watch_why);

	if (err || etcd->is_watching)
		return err;
	say(LOG_INFO, "follows etcd %s", etcd_endpoint(etcd));
	backoff_reset(&etcd->backoff);
	etcd->why.text[0] = '\0';
	etcd->is_watching = true;
	return 0;
}

static void begin_watch(struct etcd *etcd, uint64_t now)
{
	struct call_target target = { .endpoint = etcd_endpoint(etcd), .path = "v3/watch", .token = etcd->token };
	struct qlink_why why;

	etcd->watch_why.text[0] = '\0';
	etcd->is_watching = false;
	if (call_start(&etcd->watch, etcd->multi, etcd->options, &target,
		       gateway_watch(&etcd->keys, etcd->documents.revision + 1), take_line, etcd)) {
		qlink_refuse(&why, 0, "no memory for the watch");
		lose(etcd, &why, now);
		return;
	}
	etcd->state = ETCD_UP;
	/* Whoever was parted for long has no lease any more. */
	etcd->renew_ms = now;
}

static int take_load(struct etcd *etcd, uint64_t now, struct qlink_why *why)
{
	const char *text = etcd->request.lines.text ?: "";
	int err = gateway_loaded(text, etcd->request.lines.len, &etcd->documents, why);

	if (err)
		return err;
	etcd->is_changed = true;
	begin_watch(etcd, now);
	return 0;
}

static void set_renewal(struct etcd *etcd, uint64_t now)
{
	uint64_t third = etcd->options->ttl_ms / 3;

	/* So that a hundred sites that started together do not stay together. */
	etcd->renew_ms = now + third - random_number() % (third / 4);
}

static int take_keep(struct etcd *etcd, uint64_t now, struct qlink_why *why)
{
	const char *text = etcd->request.lines.text ?: "";
	bool is_there;
	int err = gateway_kept(text, etcd->request.lines.len, &is_there, why);

	if (err)
		return err;
	set_renewal(etcd, now);
	if (is_there)
		return 0;
	etcd->lease = 0;
	etcd->is_put = false;
	return 0;
}

static int take_answer(struct etcd *etcd, uint64_t now, struct qlink_why *why)
{
	const char *text = etcd->request.lines.text ?: "";
	size_t len = etcd->request.lines.len;

	switch (etcd->errand) {
	case ETCD_ERRAND_LOGIN:
		forget_token(etcd);
		return gateway_token(text, len, &etcd->token, why);
	case ETCD_ERRAND_LOAD:
		return take_load(etcd, now, why);
	case ETCD_ERRAND_GRANT:
		etcd->is_put = false;
		set_renewal(etcd, now);
		return gateway_granted(text, len, &etcd->lease, why);
	case ETCD_ERRAND_KEEP:
		return take_keep(etcd, now, why);
	case ETCD_ERRAND_PUT:
		break;
	}
	return 0;
}

/* A status that is refused keeps no site from following; one whose lease has ended gets another. */
static bool is_only_status(struct etcd *etcd, long http, uint64_t now, const struct qlink_why *why)
{
	if (etcd->errand != ETCD_ERRAND_PUT || is_about_token(why->text) || http >= 500)
		return false;
	if (strstr(why->text, "lease not found")) {
		etcd->lease = 0;
		return true;
	}
	etcd->put_ms = now + PUT_AGAIN_MS;
	say(LOG_WARNING, "etcd %s: %s: %s", etcd_endpoint(etcd), etcd->keys.status, why->text);
	return true;
}

/* Whether the session goes on. */
static bool take_end(struct etcd *etcd, CURLcode code, uint64_t now, struct qlink_why *why)
{
	struct call *call = &etcd->request;
	long status = call_status(call);

	if (!code && status == 200)
		return !take_answer(etcd, now, why);
	if (etcd->errand == ETCD_ERRAND_PUT)
		etcd->is_put = false;
	if (code)
		call_failed(call, code, why);
	else
		gateway_refused(call->lines.text ?: "", call->lines.len, status, why);
	return !code && is_only_status(etcd, status, now, why);
}

static void end_request(struct etcd *etcd, CURLcode code, uint64_t now)
{
	enum etcd_errand errand = etcd->errand;
	struct qlink_why why;
	bool goes_on = take_end(etcd, code, now, &why);

	call_end(&etcd->request, etcd->multi);
	if (!goes_on)
		lose(etcd, &why, now);
	else if (errand == ETCD_ERRAND_LOGIN)
		load(etcd, now);
}

static void end_watch(struct etcd *etcd, CURLcode code, uint64_t now)
{
	struct call *call = &etcd->watch;
	long status = call_status(call);
	struct qlink_why why = etcd->watch_why;

	if (!why.text[0] && code)
		call_failed(call, code, &why);
	else if (!why.text[0] && status != 200)
		gateway_refused(call->lines.text ?: "", call->lines.len, status, &why);
	else if (!why.text[0])
		qlink_refuse(&why, 0, "ends the watch without a word");
	lose(etcd, &why, now);
}

/* ---- the whole ---- */

void etcd_run(struct etcd *etcd, uint64_t now)
{
	CURLMsg *message;
	int left;

	curl_multi_perform(etcd->multi, &left);
	while ((message = curl_multi_info_read(etcd->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		if (message->easy_handle == etcd->watch.easy)
			end_watch(etcd, message->data.result, now);
		else if (message->easy_handle == etcd->request.easy)
			end_request(etcd, message->data.result, now);
	}
	if (etcd->state == ETCD_DOWN && now >= etcd->retry_ms)
		begin_session(etcd, now);
	else if (etcd->state == ETCD_UP && !etcd->request.easy)
		next_request(etcd, now);
}

uint64_t etcd_due(const struct etcd *etcd)
{
	if (etcd->state == ETCD_DOWN)
		return etcd->retry_ms;
	if (etcd->state != ETCD_UP || etcd->request.easy)
		return UINT64_MAX;
	if (!etcd->lease)
		return 0;
	if (etcd->status && !etcd->is_put && etcd->put_ms < etcd->renew_ms)
		return etcd->put_ms;
	return etcd->renew_ms;
}

void etcd_put(struct etcd *etcd, char *status)
{
	free(etcd->status);
	etcd->status = status;
	etcd->is_put = false;
}

bool etcd_take_change(struct etcd *etcd)
{
	bool is_changed = etcd->is_changed;

	etcd->is_changed = false;
	return is_changed;
}

int etcd_open(struct etcd *etcd, const struct options *options, struct qlink_why *why)
{
	*etcd = (struct etcd){ .options = options, .member = random_number() % options->n_endpoints };
	etcd->multi = curl_multi_init();
	if (etcd->multi && !gateway_keys_make(&etcd->keys, options->prefix, options->site))
		return 0;
	return qlink_refuse(why, -ENOMEM, "no memory");
}

void etcd_close(struct etcd *etcd)
{
	if (etcd->multi) {
		call_end(&etcd->request, etcd->multi);
		call_end(&etcd->watch, etcd->multi);
		curl_multi_cleanup(etcd->multi);
	}
	forget_token(etcd);
	free(etcd->status);
	gateway_keys_free(&etcd->keys);
	gateway_documents_free(&etcd->documents);
}
