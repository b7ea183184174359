// SPDX-License-Identifier: GPL-2.0-or-later
/* A lab for tests: the simulator, certificates, and clients that talk to it. */
#include "kme_lab.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qlinkd/kme/loop.h"
#include "qlinkd/kme/memory.h"
#include "tap.h"

static char dir[] = "/tmp/qlink-kme-XXXXXX";
static bool is_ready;
static pid_t simulator;
static unsigned int ports[2];
static int control = -1;

int64_t lab_now_ms(void)
{
	return kme_now_ms();
}

static void clean_up(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		fprintf(stderr, "%s: cannot be removed\n", dir);
}

static void prepare(void)
{
	char command[128];

	if (is_ready)
		return;
	is_ready = true;
	CHECK_NUMBER("memory", kme_memory_init(), 0);
	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	atexit(clean_up);
	snprintf(command, sizeof(command), "tests/kme-certs %s >%s/log 2>&1", dir, dir);
	CHECK_NUMBER("certificates", system(command), 0);
}

static void write_side(FILE *file, char side, const char *certificate, const char *more)
{
	fprintf(file, "kme %c\nid KME-%c\nlisten 127.0.0.1:0\n%s", side, side - 'a' + 'A', more);
	if (certificate)
		fprintf(file, "certificate %s/%s.pem\nkey %s/%s.key\nca %s/ca.pem\n", dir, certificate, dir, certificate,
			dir);
}

/* Without @certificate, there is none at KME b either. */
static void write_conf(const char *certificate, const char *more_a, const char *more_b, bool has_psk)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/conf", dir);
	file = fopen(path, "we");
	if (!file)
		return;
	fprintf(file, "control %s/control\n", dir);
	write_side(file, 'a', certificate, more_a);
	write_side(file, 'b', certificate ? "kme-b" : NULL, more_b);
	fprintf(file, "link SAE-A SAE-B\nstock 1000\n"
		"link SAE-A SAE-C\nstock 10\nsae SAE-C serial 2301\n");
	if (has_psk)
		fprintf(file, "sae SAE-A psk-id encryptor-a psk-file %s/a.psk\n"
			"sae SAE-B psk-id encryptor-b psk-file %s/b.psk\n", dir, dir);
	fclose(file);
}

static void connect_control(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", dir);
	control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!connect(control, (struct sockaddr *)&address, sizeof(address)),
	      "%s: %s", address.sun_path, strerror(errno));
}

static void start(const char *certificate, const char *more_a, const char *more_b, bool has_psk)
{
	const char *program = getenv("QLINK_KMESIM");
	char path[64], line[128] = "";
	FILE *out;
	int fds[2];

	prepare();
	write_conf(certificate, more_a, more_b, has_psk);
	snprintf(path, sizeof(path), "%s/conf", dir);
	if (!program || pipe(fds))
		abort();
	simulator = fork();
	if (!simulator) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl(program, program, path, NULL);
		_exit(127);
	}
	close(fds[1]);
	out = fdopen(fds[0], "r");
	CHECK(out && fgets(line, sizeof(line), out) &&
	      sscanf(line, "ready a=127.0.0.1:%u b=127.0.0.1:%u", &ports[0],
		     &ports[1]) == 2, "the simulator says '%s'", line);
	fclose(out);
	connect_control();
}

void lab_start(const char *more_a, const char *more_b)
{
	start("kme-a", more_a, more_b, false);
}

void lab_start_as(const char *certificate)
{
	start(certificate, "", "", false);
}

void lab_start_psk(const char *more, bool has_certificates)
{
	start(has_certificates ? "kme-a" : NULL, more, more, true);
}

void lab_stop(void)
{
	int status = -1;

	close(control);
	kill(simulator, SIGTERM);
	waitpid(simulator, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status),
	      "the simulator ended with status %#x", (unsigned int)status);
}

const char *lab_command(const char *format, ...)
{
	static char text[8192];
	size_t len;
	ssize_t n = 1;
	va_list ap;

	va_start(ap, format);
	len = (size_t)vsnprintf(text, sizeof(text) - 1, format, ap);
	va_end(ap);
	text[len++] = '\n';
	if (write(control, text, len) != (ssize_t)len)
		return "";
	for (len = 0; n > 0 && (!len || text[len - 1] != '\n'); len += (size_t)n)
		n = read(control, text + len, sizeof(text) - 1 - len);
	text[len ? len - 1 : 0] = '\0';
	return text;
}

static void note_answer(void *arg, const struct kme_answer *answer)
{
	struct lab_client *client = arg;

	client->answer = *answer;
	memcpy(client->keys, answer->keys, answer->n_keys * sizeof(*answer->keys));
	client->answer.keys = client->keys;
	client->n_answers++;
}

static void note_health(void *arg, unsigned int node, enum kme_health health,
			const struct qlink_why *why)
{
	struct lab_client *client = arg;

	(health == KME_HEALTH_UP ? client->n_up : client->n_down)[node]++;
	client->why = *why;
}

static const struct kme_ops ops = {
	.answer = note_answer,
	.health = note_health,
};

void lab_client_start(struct lab_client *client, int side,
		      const struct lab_options *options)
{
	static const struct lab_options usual;
	char url[128], ca[64], cert[64], key[64], crl[64], psk[64];
	const char *name, *sae = side ? "SAE-A" : "SAE-B";
	struct kme_node_conf nodes[2];
	struct qlink_why why;
	struct kme_conf conf;

	options = options ?: &usual;
	name = options->cert ?: (side ? "sae-b" : "sae-a");
	snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", ports[side], options->url ?: "");
	if (options->url && *options->url != '/')
		snprintf(url, sizeof(url), "%s", options->url);
	snprintf(ca, sizeof(ca), "%s/%s.pem", dir, options->ca ?: "ca");
	snprintf(cert, sizeof(cert), "%s/%s.pem", dir, name);
	snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	snprintf(crl, sizeof(crl), "%s/%s.crl", dir, options->crl ?: "");
	nodes[0] = nodes[1] = (struct kme_node_conf){
		.url = url, .ca = ca, .certificate = cert, .key = key,
		.crl = options->crl ? crl : NULL, .id = side ? "KME-B" : "KME-A",
		.method = options->method, .tls = options->tls, .parallel = options->parallel,
		.turn_ms = options->turn_ms,
		.dialect = options->dialect,
	};
	if (options->psk) {
		snprintf(psk, sizeof(psk), "%s/%s.psk", dir, options->psk);
		nodes[0] = nodes[1] = (struct kme_node_conf){
			.url = url, .psk_file = psk, .psk_hash = options->psk_hash,
			.psk_id = options->psk_id ?: (side ? "encryptor-b" : "encryptor-a"),
			.tls = options->tls, .dialect = options->dialect,
		};
	}
	if (options->id)
		nodes[0].id = nodes[1].id = strcmp(options->id, "-") ? options->id : NULL;
	if (options->first)
		nodes[0].url = options->first;
	conf = (struct kme_conf){
		.sae = options->sae ?: sae,
		.name = side ? "b" : "a",
		.peer = side ? "a" : "b",
		.nodes = nodes,
		.n_nodes = options->first ? 2 : 1,
		.connect_ms = options->timeout_ms ?: LAB_DEADLINE_MS,
		.timeout_ms = options->timeout_ms ?: LAB_DEADLINE_MS,
		.retry_min_ms = 20,
		.retry_max_ms = 200,
	};
	memset(client, 0, sizeof(*client));
	client->shares_loop = options->beside;
	if (options->beside)
		client->loop = options->beside->loop;
	else
		CHECK_NUMBER("loop", kme_loop_new(&client->loop), 0);
	CHECK_NUMBER("client", kme_new(&conf, client->loop, &ops, client, &client->kme, &why), 0);
}

void lab_client_renew(struct lab_client *client, const char *cert, const char *ca_name,
		      const char *crl_name)
{
	char ca[64], path[64], key[64], crl[64];
	const struct credentials_files files = {
		.certificate = path, .key = key, .ca = ca, .crl = crl_name ? crl : NULL,
	};
	struct credentials *credentials;
	struct qlink_why why = { "" };

	snprintf(ca, sizeof(ca), "%s/%s.pem", dir, ca_name);
	snprintf(path, sizeof(path), "%s/%s.pem", dir, cert);
	snprintf(key, sizeof(key), "%s/%s.key", dir, cert);
	snprintf(crl, sizeof(crl), "%s/%s.crl", dir, crl_name ?: "");
	CHECK_NUMBER("credentials", credentials_load(&credentials, &files, &why), 0);
	CHECK_TEXT("credentials", why.text, "");
	kme_renew(client->kme, 0, credentials);
	credentials_put(credentials);
}

void lab_client_renew_psk(struct lab_client *client, const char *psk, const char *psk_id)
{
	char path[64];
	const struct credentials_files files = { .psk_file = path, .psk_id = psk_id };
	struct credentials *credentials;
	struct qlink_why why = { "" };

	snprintf(path, sizeof(path), "%s/%s.psk", dir, psk);
	CHECK_NUMBER("credentials", credentials_load(&credentials, &files, &why), 0);
	CHECK_TEXT("credentials", why.text, "");
	kme_renew(client->kme, 0, credentials);
	credentials_put(credentials);
}

const char *lab_folder(void)
{
	prepare();
	return dir;
}

static int write_kme(char *text, size_t size, int side, const char *name, unsigned int port)
{
	const char end = side ? 'b' : 'a';

	return snprintf(text, size, "kme %s\n url https://127.0.0.1:%u\n id KME-%c\n ca %s/ca.pem\n"
			" certificate %s/sae-%c.pem\n key %s/sae-%c.key\n", name, port,
			side ? 'B' : 'A', dir, dir, end, dir, end);
}

void lab_kme(char *text, size_t size, int side, const char *name)
{
	CHECK(write_kme(text, size, side, name, ports[side]) < (int)size, "a longer section");
}

void lab_conf(char *text, size_t size, int side, const char *link)
{
	const char own = side ? 'b' : 'a', peer = side ? 'a' : 'b';
	size_t len;

	len = (size_t)snprintf(text, size, "agent\n name %c\n certificate /a.pem\n key /a.key\n"
			       " ca /ca.pem\n listen 127.0.0.1:7\n kme-timeout-ms 30000\n"
			       " kme-connect-ms 30000\npeer %c\n address 127.0.0.1:8\n", own, peer);
	len += (size_t)write_kme(text + len, size - len, side, "one", ports[side]);
	len += (size_t)write_kme(text + len, size - len, side, "two", ports[side]);
	len += (size_t)write_kme(text + len, size - len, side, "dead", 1);
	len += (size_t)snprintf(text + len, size - len, "link qlink0\n peer %c\n sae %s\n%s", peer,
				side ? "SAE-A" : "SAE-B", link);
	CHECK(len < size, "a configuration of %zu bytes", len);
}

void lab_client_stop(struct lab_client *client)
{
	kme_free(client->kme);
	if (!client->shares_loop)
		kme_loop_free(client->loop);
	memset(client, 0, sizeof(*client));
}

bool lab_poll(struct lab_client *client, int64_t start_ms)
{
	struct pollfd fd = { .fd = kme_loop_fd(client->loop), .events = POLLIN };
	int64_t now_ms = kme_now_ms(), left = start_ms + LAB_DEADLINE_MS - now_ms;
	int64_t due = kme_deadline(client->kme) - now_ms;

	if (left <= 0)
		return false;
	poll(&fd, 1, due < 0 ? 0 : due < left ? (int)due : (int)left);
	kme_loop_run(client->loop);
	kme_run(client->kme);
	return true;
}

uint64_t lab_counter(const struct lab_client *client, enum kme_counter which)
{
	return kme_server(client->kme, 0)->counters[which];
}

const char *lab_moved(const struct lab_client *client, const struct kme_server *before)
{
	static char text[512];
	size_t len = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < KME_COUNTER_N; i++) {
		uint64_t n = lab_counter(client, (enum kme_counter)i) - before->counters[i];

		/* The number of probes after a failure depends on timing. */
		if (n && i != KME_COUNTER_STATUS && len < sizeof(text))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%s %llu", len ? ", " : "",
						kme_counter_name((enum kme_counter)i),
						(unsigned long long)n);
	}
	return text;
}

size_t lab_get(struct lab_client *client, size_t n)
{
	unsigned int before = client->n_answers;
	int err = -EAGAIN;

	LAB_WAIT(client, (err = kme_get_keys(client->kme, 0, n)) != -EAGAIN);
	CHECK_NUMBER("get", err, 0);
	LAB_WAIT(client, client->n_answers > before);
	return client->answer.n_keys;
}

size_t lab_fetch(struct lab_client *client, const struct kme_key *keys,
		 size_t n)
{
	static struct kme_key_id ids[KME_BATCH_MAX];
	unsigned int before = client->n_answers;
	int err = -EAGAIN;
	size_t i;

	for (i = 0; i < n; i++)
		ids[i] = keys[i].id;
	LAB_WAIT(client, (err = kme_fetch_keys(client->kme, 0, ids, n)) != -EAGAIN);
	CHECK_NUMBER("fetch", err, 0);
	LAB_WAIT(client, client->n_answers > before);
	return client->answer.n_keys;
}

const char *lab_curl(int side, const char *cert, const char *args)
{
	static char out[8192];
	char command[1024], identity[200] = "";
	FILE *pipe;
	size_t n = 0;

	if (cert)
		snprintf(identity, sizeof(identity), "--cert %s/%s.pem --key %s/%s.key",
			 dir, cert, dir, cert);
	/* -k, because curl checks the host in the certificate, which is a KME ID here. */
	snprintf(command, sizeof(command),
		 "curl -qsk --noproxy '*' -o %s/out -w '%%{http_code} ' %s "
		 "https://127.0.0.1:%u%s%s; cat %s/out 2>&1; rm -f %s/out",
		 dir, identity, ports[side], *args == '/' ? "/api/v1/keys" : "/", args, dir, dir);
	pipe = popen(command, "r");
	if (pipe) {
		n = fread(out, 1, sizeof(out) - 1, pipe);
		pclose(pipe);
	}
	out[n] = '\0';
	return out;
}
