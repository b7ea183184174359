// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl kme: have qlinkd check a key server. */
#include "kme.h"

#include <string.h>
#include <unistd.h>

#include "agent.h"

/* Pause before qlinkd is asked again for a report. */
#define PAUSE_US	50000
/* So that the command fits a line of the control socket, with the longest option. */
#define NAME_MAX_BYTES	230

static const char *text(const json_t *object, const char *name, const char *none)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : none;
}

/* A number or, where there is none, a question mark; valid until the fourth call after it. */
static const char *number(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	static char texts[4][24];
	static unsigned int next;
	char *to = texts[next++ % 4];

	if (!json_is_integer(value))
		return "?";
	snprintf(to, sizeof(texts[0]), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return to;
}

static void print_connection(const json_t *report, FILE *to)
{
	const json_t *tls = json_object_get(report, "tls");

	if (!json_is_object(tls))
		return;
	fprintf(to, "    TLS %s, %s, %s, with %s\n", text(tls, "version", "?"), text(tls, "group", "?"),
		text(tls, "suite", "?"), text(tls, "subject", "?"));
	fprintf(to, "    connected in %s ms, answers in %s ms; its clock is %s s ahead\n",
		number(report, "connect_ms"), number(report, "answer_ms"), number(report, "clock_ahead_s"));
}

static void print_status(const json_t *report, FILE *to)
{
	const json_t *keys = json_object_get(report, "keys");

	fprintf(to, "    SAE %s here, %s at the peer; dialect %s\n", text(report, "master", "?"),
		text(report, "slave", "?"), text(report, "dialect", "?"));
	fprintf(to, "    keys of %s bits, %s to %s on request; at most %s at once\n", number(keys, "key_bits"),
		number(keys, "min_key_bits"), number(keys, "max_key_bits"), number(keys, "max_per_request"));
	fprintf(to, "    %s keys in stock, of at most %s\n", number(keys, "stored"), number(keys, "max_stored"));
}

static void print_link(const json_t *report, FILE *to)
{
	const json_t *learned = json_object_get(report, "learned");

	if (json_is_object(learned))
		fprintf(to, "    link %s uses method %s, and asks for at most %s keys at once\n",
			text(report, "link", "?"), text(learned, "method", "?"), number(learned, "batch"));
	if (json_is_integer(json_object_get(report, "taken_bits")))
		fprintf(to, "    one key of %s bits was taken; neither end will use it\n",
			number(report, "taken_bits"));
}

void kme_print(const json_t *report, FILE *to)
{
	const char *why = text(report, "why", NULL);

	fprintf(to, "kme %s at %s, asked about SAE %s: %s%s%s\n", text(report, "kme", "?"),
		text(report, "url", "?"), text(report, "sae", "?"),
		json_is_true(json_object_get(report, "well")) ? "well" : "not well", why ? ": " : "", why ? why : "");
	print_connection(report, to);
	if (json_is_true(json_object_get(report, "answered")))
		print_status(report, to);
	print_link(report, to);
}

/* The report of a check that was begun, or NULL after an error message. */
static json_t *wait_for_report(const struct ctl *ctl, const char *check)
{
	char command[64];
	json_t *report;

	snprintf(command, sizeof(command), "kme-report %s", check);
	report = agent_ask(ctl, command);
	while (json_is_true(json_object_get(report, "running"))) {
		json_decref(report);
		usleep(PAUSE_US);
		report = agent_ask(ctl, command);
	}
	return report;
}

static json_t *check(const struct ctl *ctl, const char *name, const char *device, bool takes_key)
{
	char command[300];
	json_t *begun, *report;

	snprintf(command, sizeof(command), "check-kme %s%s%s%s", name, device ? " link " : "", device ?: "",
		 takes_key ? " take-key" : "");
	begun = agent_ask(ctl, command);
	report = begun ? wait_for_report(ctl, number(begun, "check")) : NULL;
	json_decref(begun);
	return report;
}

static bool is_name(const char *word)
{
	return strlen(word) <= NAME_MAX_BYTES && !strpbrk(word, " \n");
}

static int check_run(struct ctl *ctl, int argc, char **argv)
{
	const char *device = argc > 2 && !strcmp(argv[1], "link") ? argv[2] : NULL;
	int status, n = device ? 3 : 1;
	bool takes_key = argc > n && !strcmp(argv[n], "take-key");
	json_t *report;

	if (argc < 1)
		return ctl_usage("kme check needs the name of a KME");
	if (argc > n + takes_key)
		return ctl_usage("\"%s\": must be link DEVICE or take-key", argv[n + takes_key]);
	if (!is_name(argv[0]))
		return ctl_usage("\"%.40s\": not the name of a KME, of at most %d characters", argv[0],
				 NAME_MAX_BYTES);
	if (device && !is_name(device))
		return ctl_usage("\"%.40s\": not the name of a device", device);
	report = check(ctl, argv[0], device, takes_key);
	if (!report)
		return CTL_FAILED;
	status = json_is_true(json_object_get(report, "well")) ? CTL_OK : CTL_FAILED;
	if (ctl->json)
		return ctl_print_json(report) ? CTL_FAILED : status;
	kme_print(report, stdout);
	json_decref(report);
	return status;
}

static const struct ctl_command commands[] = {
	{ "check", check_run },
	{ NULL, NULL },
};

int kme_command_run(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, commands, "command of kme", argc, argv);
}
