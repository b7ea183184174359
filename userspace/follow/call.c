// SPDX-License-Identifier: GPL-2.0-or-later
/* One request to etcd's gateway and its answer, or the stream of its answers, by libcurl. */
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_MS	10000L
#define ANSWER_MS	20000L
/* A member that is gone without a word is noticed in so many seconds, also by a stream on which nothing comes. */
#define SILENT_S	10L
#define PROBE_S		5L

/* Sets an option of the local variable easy of libcurl; the local variable code keeps the first failure. */
#define SET(option, value) do {						\
	CURLcode one_ = curl_easy_setopt(easy, (option), (value));	\
	if (!code)							\
		code = one_;						\
} while (0)

static int keep_all(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)line;
	(void)len;
	return 0;
}

static size_t take_data(char *data, size_t size, size_t n, void *arg)
{
	struct call *call = arg;

	n *= size;
	/* An error is not a line of the stream, and one answer is a line as a whole. */
	if (call->take && call_status(call) == 200)
		call->err = lines_take(&call->lines, data, n, call->take, call->arg);
	else if (!memchr(data, '\n', n))
		call->err = lines_take(&call->lines, data, n, keep_all, NULL);
	else
		call->err = lines_take(&call->lines, data, (size_t)((char *)memchr(data, '\n', n) - data), keep_all, NULL);
	return call->err ? 0 : n;
}

static int add_header(struct call *call, const char *name, const char *value)
{
	struct curl_slist *more;
	char *header;

	/* A token that etcd has signed is as long as its signature makes it. */
	if (asprintf(&header, "%s:%s%s", name, *value ? " " : "", value) < 0)
		return -ENOMEM;
	more = curl_slist_append(call->headers, header);
	explicit_bzero(header, strlen(header));
	free(header);
	if (!more)
		return -ENOMEM;
	call->headers = more;
	return 0;
}

/* A member without a leader ends a watch only if it is asked to. */
static int add_headers(struct call *call, const char *token)
{
	return add_header(call, "Content-Type", "application/json") ?: add_header(call, "Expect", "") ?:
	       (call->take ? add_header(call, "Grpc-Metadata-hasleader", "true") : 0) ?:
	       (token ? add_header(call, "Authorization", token) : 0);
}

static CURLcode set_security(CURL *easy, const struct options *options)
{
	CURLcode code = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, "https,http");
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	if (options->ca) {
		SET(CURLOPT_CAINFO, options->ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (options->certificate) {
		SET(CURLOPT_SSLCERT, options->certificate);
		SET(CURLOPT_SSLKEY, options->key);
	}
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	return code;
}

/* A guard of qlinkctl, which lives on without us, would keep etcd's end of the connection busy. */
static int keep_from_children(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)purpose;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) ? CURL_SOCKOPT_ERROR : CURL_SOCKOPT_OK;
}

static CURLcode set_request(struct call *call, const struct call_target *target)
{
	CURLcode code = CURLE_OK;
	CURL *easy = call->easy;
	char url[512];

	if ((size_t)snprintf(url, sizeof(url), "%s/%s", target->endpoint, target->path) >= sizeof(url))
		return CURLE_URL_MALFORMAT;
	SET(CURLOPT_URL, url);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, call->take ? 0L : ANSWER_MS);
	SET(CURLOPT_SOCKOPTFUNCTION, keep_from_children);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, SILENT_S);
	SET(CURLOPT_TCP_KEEPINTVL, PROBE_S);
	SET(CURLOPT_TCP_KEEPCNT, 3L);
	/* The only other request comes once in a third of the lease's time, which may be long. */
	SET(CURLOPT_MAXAGE_CONN, 86400L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_ERRORBUFFER, call->error);
	SET(CURLOPT_HTTPHEADER, call->headers);
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDSIZE, (long)strlen(call->body));
	SET(CURLOPT_POSTFIELDS, call->body);
	SET(CURLOPT_WRITEFUNCTION, take_data);
	SET(CURLOPT_WRITEDATA, call);
	return code;
}

int call_start(struct call *call, CURLM *multi, const struct options *options, const struct call_target *target,
	       char *body, lines_take_one take, void *arg)
{
	*call = (struct call){ .body = body, .take = take, .arg = arg, .lines.max = CALL_ANSWER_MAX };
	call->easy = body ? curl_easy_init() : NULL;
	if (call->easy && !add_headers(call, target->token) && !set_security(call->easy, options) &&
	    !set_request(call, target) && !curl_multi_add_handle(multi, call->easy))
		return 0;
	call_end(call, multi);
	return -ENOMEM;
}

long call_status(const struct call *call)
{
	long status = 0;

	if (call->easy)
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

void call_failed(const struct call *call, CURLcode code, struct qlink_why *why)
{
	if (call->err == -EMSGSIZE)
		qlink_refuse(why, 0, "answers with more than %d bytes", CALL_ANSWER_MAX);
	else
		qlink_refuse(why, 0, "%.300s", call->error[0] ? call->error : curl_easy_strerror(code));
}

void call_end(struct call *call, CURLM *multi)
{
	if (call->easy) {
		curl_multi_remove_handle(multi, call->easy);
		curl_easy_cleanup(call->easy);
	}
	curl_slist_free_all(call->headers);
	lines_free(&call->lines);
	/* It may have a password. */
	if (call->body)
		explicit_bzero(call->body, strlen(call->body));
	free(call->body);
	memset(call, 0, sizeof(*call));
}
