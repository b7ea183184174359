// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "qlinkctl top" on a terminal: tmux is the terminal, and two whole agents with a thousand links answer.
 * Only the devices of the agents are in memory.
 */
#include "fleet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qlinkd/agreement/dial.h"
#include "qlinkd/control.h"
#include "tap.h"

#define PKI		"qlinkd/qlink-pki"
#define LINKS		1000U
#define DEADLINE_MS	60000
#define LOOK_MS		20
#define SCREEN_BYTES	65536
/* Lines of 24 that links have. */
#define ROWS		19
/* Ends the line of a shell that is ready for the next command. */
#define PROMPT		"ready$"

static char dir[] = "/tmp/qlink-screen-XXXXXX";
static struct fleet_site sites[2];
static pid_t pids[2];
static const char *names[2];

/* --- agents --- */

static void write_config(unsigned int end, uint16_t port)
{
	FILE *file = fopen(sites[end].conf, "we");
	const char *own = names[end], *peer = names[!end];
	unsigned int i;

	if (!file)
		BAIL_OUT();
	fprintf(file, "agent\n name %s\n certificate %s/%s.pem\n key %s/%s.key\n ca %s/ca.pem\n audit-log %s/audit%u\n",
		own, dir, own, dir, own, dir, dir, end);
	if (end)
		fprintf(file, " listen 127.0.0.1:%u\npeer %s\n", port, peer);
	else
		fprintf(file, "peer %s\n address 127.0.0.1:%u\n", peer, port);
	/* Nobody listens there. */
	fprintf(file, "kme rack\n url https://127.0.0.1:9\n certificate %s/%s.pem\n key %s/%s.key\n ca %s/ca.pem\n", dir, own,
		dir, own, dir);
	for (i = 0; i < sites[end].n - 1; i++)
		fprintf(file, "link qlink%u\n peer %s\n policy pqc-only\n", i, peer);
	/* The last one would rather have QKD keys. */
	fprintf(file, "link qlink%u\n peer %s\n kmes rack\n sae %s\n", i, peer, peer);
	fclose(file);
}

/* The first frame of each direction. */
static void begin_traffic(struct device *device)
{
	if (!device->tx.current && device_staged(&device->tx))
		device_rotate(device, QLINK_DIRECTION_TX, 0);
	if (!device->rx.current && device_staged(&device->rx))
		device_rotate(device, QLINK_DIRECTION_RX, 0);
	device->is_up = device->tx.current;
}

/* Each tenth of a second, qlink1 to qlink9 carry frames: qlink9 the most. */
static void on_traffic(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = 100000 };
	struct fleet_site *site = arg;
	unsigned int i;

	(void)fd;
	(void)what;
	for (i = 0; i < site->n; i++)
		begin_traffic(&site->devices[i]);
	for (i = 1; i < 10; i++) {
		site->devices[i].tx.bytes += i * 12500;
		site->devices[i].tx.frames += i * 10;
	}
	event_add(site->starts_timer, &soon);
}

/* What main() does besides. */
static void on_starts(struct fleet_site *site)
{
	struct control *control;
	struct qlink_why why;
	char path[96];

	snprintf(path, sizeof(path), "%s/control", dir);
	if (control_open(&control, path, &site->agent, &why)) {
		fprintf(stderr, "%s\n", why.text);
		_exit(1);
	}
	site->starts_timer = evtimer_new(site->agent.base, on_traffic, site);
	on_traffic(-1, 0, site);
}

static void start_agent(unsigned int end)
{
	int report[2];

	if (pipe(report))
		BAIL_OUT();
	pids[end] = fleet_start(&sites[end], report[1]);
	close(report[0]);
}

__attribute__((format(printf, 1, 2)))
static int shell(const char *format, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	return system(command);
}

/* --- the terminal --- */

#define TMUX	"tmux -S %s -f /dev/null "

/* Its socket. Each terminal has another: the server of the one before may still be ending. */
static char server[64];

/* What is on the screen, line by line; with the sequences of its colours if asked for. */
static const char *screen(const char *options)
{
	static char text[SCREEN_BYTES];
	char command[256];
	size_t len = 0;
	FILE *file;

	snprintf(command, sizeof(command), TMUX "capture-pane -p %s -t top 2>&1", server, options);
	file = popen(command, "re");
	if (file)
		len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	if (file)
		pclose(file);
	return text;
}

static const char *line(unsigned int number)
{
	static char text[1024];
	const char *at = screen("");

	while (number-- && at)
		at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL;
	snprintf(text, sizeof(text), "%.*s", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
	return text;
}

static bool first_is(const char *device)
{
	return !strncmp(line(3), device, strlen(device));
}

static bool screen_has(const char *text)
{
	return strstr(screen(""), text);
}

static bool screen_lacks(const char *text)
{
	return !screen_has(text);
}

static void wait_until(bool (*is_so)(const char *text), const char *text)
{
	unsigned int ms;

	for (ms = 0; ms < DEADLINE_MS && !is_so(text); ms += LOOK_MS)
		poll(NULL, 0, LOOK_MS);
	CHECK(is_so(text), "\"%s\": not within %d ms on this screen:\n%s", text, DEADLINE_MS, screen(""));
}

#define SEES(text)	wait_until(screen_has, (text))
#define SEES_NO(text)	wait_until(screen_lacks, (text))

/* Keys as tmux names them, or text. */
static void press(const char *keys)
{
	CHECK_NUMBER(keys, shell(TMUX "send-keys -t top %s", server, keys), 0);
}

/* A command for the shell on the terminal, without single quotes. */
static void type(const char *command)
{
	CHECK_NUMBER(command, shell(TMUX "send-keys -t top -l 'clear; %s'", server, command), 0);
	press("Enter");
}

/* A variable of tmux. */
static const char *asked(const char *variable)
{
	static char text[256];
	char command[256];
	FILE *file;

	snprintf(command, sizeof(command), TMUX "display-message -p -t top '#{%s}'", server, variable);
	file = popen(command, "re");
	if (!file || !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		pclose(file);
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* A terminal with a shell. */
static void open_terminal(void)
{
	static unsigned int n;

	snprintf(server, sizeof(server), "%s/tmux%u", dir, n++);
	CHECK_NUMBER("tmux", shell("env -i PATH=$PATH LC_ALL=C.UTF-8 QLINKCTL=$QLINKCTL DIR=%s ASAN_OPTIONS=log_path=%s/sanitizer "
				   "UBSAN_OPTIONS=log_path=%s/sanitizer "
				   TMUX "new-session -d -s top -x 80 -y 24 \"env PS1='" PROMPT " ' bash --norc --noprofile\"",
				   dir, dir, dir, server), 0);
	SEES(PROMPT);
}

static void close_terminal(void)
{
	char command[64];

	snprintf(command, sizeof(command), "%s/sanitizer.*", dir);
	shell(TMUX "kill-server 2>/dev/null", server);
	CHECK(shell("cat %s 2>/dev/null", command), "the sanitizers have found something");
}

static void start_top(const char *options)
{
	char command[256];

	snprintf(command, sizeof(command), "$QLINKCTL -c $DIR/control top -d 0.2 %s", options);
	type(command);
	SEES("STATE");
}

/* The program that the shell on the terminal runs. */
static pid_t find_program(void)
{
	char path[128];
	int pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/task/%.20s/children", asked("pane_pid"), asked("pane_pid"));
	file = fopen(path, "re");
	if (!file || fscanf(file, "%d", &pid) != 1)
		pid = 0;
	if (file)
		fclose(file);
	CHECK(pid > 1, "the shell runs nothing");
	return pid;
}

/* --- all tests use the same agents --- */

static char all[32];

/* All but the last, whose KME is down. */
static bool all_are_protected(const char *text)
{
	(void)text;
	return !shell("$QLINKCTL -c %s/control top -b -n 1 2>/dev/null | grep -c ' protected ' | grep -qx %u", dir, sites[0].n - 1) &&
	       !shell("$QLINKCTL -c %s/control top -b -n 1 2>/dev/null | grep -q '^qlink%u .* degraded '", dir, sites[0].n - 1);
}

static void start(void)
{
	int listener = fleet_socket(0, true);
	uint16_t port = fleet_port(listener);
	unsigned int i;

	if (pids[0])
		return;
	close(listener);
	names[0] = dial_is_ours("site-a", "site-b") ? "site-a" : "site-b";
	names[1] = dial_is_ours("site-a", "site-b") ? "site-b" : "site-a";
	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	CHECK_NUMBER("certificates", shell(PKI " ca %s && " PKI " cert %s site-a && " PKI " cert %s site-b", dir, dir, dir), 0);
	for (i = 0; i < 2; i++) {
		sites[i].n = fleet_fitting(LINKS);
		snprintf(sites[i].conf, sizeof(sites[i].conf), "%s/%u.conf", dir, i);
		snprintf(sites[i].log, sizeof(sites[i].log), "%s/%u.log", dir, i);
		write_config(i, port);
		sites[i].starts = i ? NULL : on_starts;
		start_agent(i);
	}
	snprintf(all, sizeof(all), "1-%u of %u", ROWS, sites[0].n);
	wait_until(all_are_protected, "all links are protected");
	if (tap_has_failed())
		BAIL_OUT();
}

__attribute__((destructor))
static void end(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (pids[i] > 0)
			fleet_kill(pids[i]);
	}
	if (pids[0])
		shell(TMUX "kill-server 2>/dev/null; rm -rf %s", server, dir);
}

/* --- tests --- */

TEST(a_thousand_links_scroll_on_80_by_24)
{
	char text[64];

	start();
	open_terminal();
	start_top("");
	SEES(all);
	CHECK_TEXT("headings", line(2), "LINK     STATE      SOURCE     STOCK TREND      PERIOD/ms     Mbit/s TREND");
	snprintf(text, sizeof(text), "; %u links: %u protected 1 degraded\n", sites[0].n, sites[0].n - 1);
	SEES(text);
	CHECK(!strncmp(line(3), "qlink0 ", 7), "first: %s", line(3));
	CHECK(!strncmp(line(21), "qlink18 ", 8), "last: %s", line(21));
	press("NPage");
	press("NPage");
	SEES("qlink36 to ");
	press("End");
	snprintf(text, sizeof(text), "%u-%u of %u", sites[0].n - ROWS + 1, sites[0].n, sites[0].n);
	SEES(text);
	snprintf(text, sizeof(text), "qlink%u to %s: degraded, agreement ready", sites[0].n - 1, names[1]);
	SEES(text);
	press("PPage");
	press("Up");
	press("Home");
	SEES(all);
	press("q");
	SEES_NO("STATE");
	close_terminal();
}

TEST(links_are_sorted_filtered_and_shown_one_by_one)
{
	start();
	open_terminal();
	start_top("-o mbit");
	SEES("qlink9 ");
	wait_until(first_is, "qlink9 ");
	CHECK(strstr(line(3), "█"), "no trend: %s", line(3));
	press("r");
	SEES_NO("qlink9 ");
	press("r");
	SEES("qlink9 ");
	press("/");
	press("-l link77");
	SEES("filter: link77_");
	SEES("11 matching");
	press("Enter");
	press("Home");
	press("Enter");
	SEES("link         qlink77");
	SEES("policy       pqc-only here, pqc-only at the peer");
	SEES("tx           epoch ");
	press("Escape");
	SEES("11 matching");
	press("Escape");
	SEES(all);
	press("'!'");
	SEES("1-1 of 1 matching");
	press("Enter");
	SEES("kme          rack is ");
	press("Escape");
	press("/");
	press("-l nowhere");
	SEES("no link matches; Esc lists all of them");
	press("Enter");
	press("Escape");
	press("h");
	SEES("only links that are not protected");
	press("q");
	SEES(all);
	press("p");
	SEES("PAUSED");
	press("C-c");
	SEES_NO("STATE");
	close_terminal();
}

TEST(another_size_is_used_at_once)
{
	start();
	open_terminal();
	start_top("");
	CHECK_NUMBER("wider", shell(TMUX "resize-window -t top -x 200 -y 50", server), 0);
	SEES("SEALED FILL/% PEER");
	SEES("1-45 of ");
	CHECK_NUMBER("narrow", shell(TMUX "resize-window -t top -x 40 -y 10", server), 0);
	SEES("1-5 of ");
	CHECK_TEXT("headings", line(2), "LINK     STATE      SOURCE     STOCK");
	CHECK_NUMBER("tiny", shell(TMUX "resize-window -t top -x 15 -y 4", server), 0);
	SEES("too small");
	CHECK_NUMBER("as before", shell(TMUX "resize-window -t top -x 80 -y 24", server), 0);
	SEES(all);
	press("q");
	SEES_NO("STATE");
	close_terminal();
}

static void expect_restored(const char *after)
{
	CHECK_TEXT(after, asked("alternate_on"), "0");
	CHECK_TEXT(after, asked("cursor_flag"), "1");
	type("stty -a >$DIR/after; cmp $DIR/before $DIR/after && echo the same $(echo settings)");
	SEES("the same settings\n");
}

TEST(the_terminal_is_given_back_after_each_signal)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },
		{ "TERM", SIGTERM }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
	};
	char text[256];
	size_t i;

	start();
	open_terminal();
	type("stty -a >$DIR/before; ulimit -c 0");
	for (i = 0; i < COUNT(signals); i++) {
		start_top("");
		CHECK_TEXT("in use", asked("alternate_on"), "1");
		CHECK_TEXT("in use", asked("cursor_flag"), "0");
		CHECK_NUMBER(signals[i].name, kill(find_program(), signals[i].number), 0);
		SEES_NO("STATE");
		/* Not behind the command: a shell ends the line when a signal has ended one. */
		press("-l 'echo status $?'");
		press("Enter");
		snprintf(text, sizeof(text), "status %d\n", 128 + signals[i].number);
		SEES(text);
		expect_restored(signals[i].name);
	}
	start_top("; echo status $?");
	press("q");
	SEES("status 0\n");
	expect_restored("q");
	/* One look, shown for long enough to be seen. */
	start_top("-d 3 -n 1; echo status $?");
	SEES("status 0\n");
	expect_restored("-n");
	close_terminal();
}

TEST(it_stops_and_goes_on)
{
	start();
	open_terminal();
	type("stty -a >$DIR/before");
	start_top("");
	press("C-z");
	SEES("Stopped");
	expect_restored("Ctrl-Z");
	type("fg");
	SEES("STATE");
	SEES(all);
	CHECK_TEXT("in use", asked("alternate_on"), "1");
	press("q");
	SEES_NO("STATE");
	expect_restored("fg and q");
	close_terminal();
}

static pid_t program;

static bool is_gone(const char *text)
{
	(void)text;
	return kill(program, 0) && errno == ESRCH;
}

TEST(it_ends_with_its_terminal)
{
	start();
	open_terminal();
	/* The process that looks for leaks at the end is ended by the signal as well, and is waited for without end. */
	type("export ASAN_OPTIONS=detect_leaks=0");
	start_top("");
	program = find_program();
	close_terminal();
	wait_until(is_gone, "it has ended");
}

/* Whether a byte that is not ASCII is on the screen. */
static bool has_bytes_above(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text >= 0x80)
			return true;
	}
	return false;
}

TEST(colours_and_blocks_are_used_where_they_can_be)
{
	static const struct {
		const char *environment;
		bool has_colour, has_blocks;
	} rows[] = {
		{ "", true, true },
		{ "NO_COLOR=1", false, true },
		{ "NO_COLOR=", true, true },
		{ "LC_ALL=C", true, false },
		{ "TERM=vt100 LC_ALL=C", false, false },
	};
	char top[512];
	size_t i;

	start();
	for (i = 0; i < COUNT(rows); i++) {
		open_terminal();
		snprintf(top, sizeof(top), "env %s $QLINKCTL -c $DIR/control top -d 0.2 -o mbit", rows[i].environment);
		type(top);
		SEES("STATE");
		SEES("qlink9 ");
		SEES(rows[i].has_blocks ? "█" : "#");
		CHECK_NUMBER(rows[i].environment, has_bytes_above(screen("")), rows[i].has_blocks);
		/* Green on the background that there is. */
		CHECK_NUMBER(rows[i].environment, !!strstr(screen("-e"), "\033[32m"), rows[i].has_colour);
		SEES("protected");
		close_terminal();
	}
}

TEST(a_terminal_without_a_moving_cursor_is_refused)
{
	start();
	open_terminal();
	type("TERM=dumb $QLINKCTL -c $DIR/control top; echo status $?");
	SEES("status 1\n");
	SEES("TERM \"dumb\": not a terminal with a cursor that moves");
	close_terminal();
}

/* -b on a terminal, and a pipe without it. */
TEST(plain_lines_have_no_sequences)
{
	start();
	CHECK_NUMBER("a pipe", shell("$QLINKCTL -c %s/control top 2 >%s/plain", dir, dir), 0);
	CHECK_NUMBER("headings", shell("test \"$(grep -c ^LINK %s/plain)\" = 2", dir), 0);
	CHECK_NUMBER("links", shell("test \"$(grep -c '^qlink.* protected ' %s/plain)\" = %u", dir, 2 * sites[0].n - 2), 0);
	CHECK_NUMBER("the first is the first of the configuration", shell("sed -n 2p %s/plain | grep -q '^qlink0 '", dir), 0);
	CHECK_NUMBER("the worst state first", shell("$QLINKCTL -c %s/control top -b -n 1 -o state | sed -n 2p | grep -q '^qlink%u '",
						    dir, sites[0].n - 1), 0);
	CHECK_NUMBER("reversed", shell("$QLINKCTL -c %s/control top -b -n 1 -o -state | tail -n 1 | grep -q '^qlink%u '", dir,
				       sites[0].n - 1), 0);
	CHECK(shell("grep -q \"$(printf '\\033')\" %s/plain", dir), "an escape sequence in a pipe");
	CHECK_NUMBER("JSON", shell("$QLINKCTL -c %s/control -j top -n 2 -d 0.1 | python3 -c 'import json, sys\n"
				   "assert len([json.loads(line) for line in sys.stdin]) == 2'", dir), 0);
	open_terminal();
	CHECK_NUMBER("a terminal", shell(TMUX "pipe-pane -t top 'cat >%s/painted'", server, dir), 0);
	type("$QLINKCTL -c $DIR/control top -b -n 1; echo over");
	SEES("\nover");
	CHECK(shell("grep -q \"$(printf '\\033\\\\[?1049h')\" %s/painted", dir), "-b takes over the terminal");
	close_terminal();
}

/* The screen is painted once. After that, only what has changed is sent, so that it does not flicker. */
TEST(only_changes_are_painted)
{
	char text[128];

	start();
	open_terminal();
	start_top("");
	SEES(all);
	CHECK_NUMBER("pipe-pane", shell(TMUX "pipe-pane -t top 'cat >%s/painted'", server, dir), 0);
	press("End");
	snprintf(text, sizeof(text), "-%u of ", sites[0].n);
	SEES(text);
	press("Home");
	SEES(all);
	press("p");
	SEES("PAUSED");
	CHECK_NUMBER("pipe-pane", shell(TMUX "pipe-pane -t top", server), 0);
	CHECK_NUMBER("something was painted", shell("grep -q PAUSED %s/painted", dir), 0);
	CHECK(shell("grep -q \"$(printf '\\033\\\\[2*J')\" %s/painted", dir), "the screen was cleared");
	press("q");
	SEES_NO("STATE");
	close_terminal();
}

/* The words that shells complete are checked without an agent, but for its names. */
TEST(shells_complete_the_names_of_the_agent)
{
	start();
	CHECK_NUMBER("check-completion", shell("PATH=$(dirname $QLINKCTL):$PATH tests/check-completion --agent %s/control", dir), 0);
}

TEST(an_agent_that_is_gone_is_said_and_found_again)
{
	start();
	open_terminal();
	start_top("");
	SEES(all);
	fleet_kill(pids[0]);
	SEES("trying again");
	SEES("Connection refused");
	SEES("qlink0 ");
	start_agent(0);
	SEES_NO("trying again");
	wait_until(all_are_protected, "all links are protected");
	SEES(all);
	press("q");
	SEES_NO("STATE");
	close_terminal();
}
