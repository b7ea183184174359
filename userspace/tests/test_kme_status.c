// SPDX-License-Identifier: GPL-2.0-or-later
/* What a whole agent says about the KMEs of the simulator: in its status, metrics and log. */
#include "agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kme_lab.h"
#include "qlinkctl/agent.h"
#include "qlinkd/metrics.h"
#include "qlinkd/status.h"

#define USES_REAL	"\tkmes real\n\tsae SAE-B\n"

/* Both agents, and agent 0 with a link that uses KME a of the simulator, whose section ends with @more. */
static void start(const char *settings, const char *more)
{
	char section[600], kme[800];

	lab_start(settings, "");
	agents_start(LINK);
	lab_kme(section, sizeof(section), 0, "real");
	snprintf(kme, sizeof(kme), KME "%s%s", section, more);
	agents_write(agents_paths[0], agents_conf(0, kme, USES_REAL));
	agents_reload(0);
}

static void stop(void)
{
	agents_end();
	lab_stop();
}

static const struct kme_server *server(void)
{
	return stock_server(agents_link(0)->stock, 0);
}

/* What the socket for Prometheus answers; valid until the next call. */
static const char *read_metrics(void)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	static char text[1 << 16];
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct metrics *metrics = NULL;
	struct qlink_why why = { "" };
	size_t len = 0;
	ssize_t n = -1;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/metrics", agents_dir);
	CHECK_NUMBER("metrics", metrics_open(&metrics, at.sun_path, &agents[0], &why), 0);
	CHECK_NUMBER("connect", connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	CHECK_NUMBER("ask", write(fd, request, strlen(request)), (long long)strlen(request));
	while (n) {
		agents_turn();
		n = recv(fd, text + len, sizeof(text) - 1 - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	close(fd);
	metrics_close(metrics);
	return text;
}

/* What "qlinkctl status" prints. */
static const char *print_status(void)
{
	static char text[8192];
	json_t *status = status_of(&agents[0]);
	FILE *file = fmemopen(text, sizeof(text), "w");

	agent_print(status, file);
	fclose(file);
	json_decref(status);
	return text;
}

TEST(what_was_negotiated_is_in_status_metrics_and_log)
{
	json_t *status, *tls;

	start("connection close\n", "");
	CHECK(!strstr(read_metrics(), "qlinkd_kme_tls{"), "terms before a connection");
	WAIT_FOR(server()->terms.version[0]);
	status = status_of(&agents[0]);
	tls = json_object_get(json_array_get(json_object_get(json_array_get(json_object_get(
		status, "links"), 0), "kmes"), 0), "tls");
	CHECK_TEXT("version", json_string_value(json_object_get(tls, "version")), "1.3");
	CHECK_TEXT("group", json_string_value(json_object_get(tls, "group")), "X25519MLKEM768");
	CHECK_TEXT("suite", json_string_value(json_object_get(tls, "suite")), "TLS_AES_256_GCM_SHA384");
	CHECK_TEXT("subject", json_string_value(json_object_get(tls, "subject")), "KME-A");
	json_decref(status);
	CHECK(strstr(print_status(), "    kme real is up; TLS 1.3, X25519MLKEM768, TLS_AES_256_GCM_SHA384, with KME-A\n"),
	      "%s", print_status());
	CHECK(strstr(read_metrics(), "qlinkd_kme_tls{link=\"qlink0\",kme=\"real\",version=\"1.3\",group=\"X25519MLKEM768\","
		     "suite=\"TLS_AES_256_GCM_SHA384\",subject=\"KME-A\"} 1\n"), "%s", read_metrics());
	/* Many connections, and one line; and another one for other terms. */
	WAIT_FOR(server()->counters[KME_COUNTER_ANSWERED] > 5);
	CHECK_NUMBER("lines", agents_logged(0, "<6>kme-tls link=qlink0 kme=real version=1.3 group=X25519MLKEM768 "
					    "suite=TLS_AES_256_GCM_SHA384 subject=KME-A\n"), 1);
	CHECK_TEXT("set", lab_command("set a groups classical"), "ok");
	lab_command("stock SAE-A SAE-B 1000");
	WAIT_FOR(agents_logged(0, "kme-tls") == 2);
	CHECK_NUMBER("lines", agents_logged(0, "group=x25519 "), 1);
	stop();
}

TEST(a_demand_that_the_kme_does_not_meet_is_the_reason_why_it_is_down)
{
	start("groups classical\n", "\ttls pq\n");
	WAIT_FOR(server()->health == KME_HEALTH_DOWN);
	CHECK(strstr(print_status(), "    kme real is down: tls pq: the KME has no hybrid group such as X25519MLKEM768; "
		     "update it, or set tls 1.3: "), "%s", print_status());
	CHECK(agents_logged(0, "kme-down link=qlink0 kme=real why=\"tls pq: the KME has no hybrid group"), "no line");
	stop();
}
