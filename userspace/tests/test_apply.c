// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl apply, with a kernel in memory and an agent that listens: all of it or nothing. */
#include "qlinkctl/change/change.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endedat.h"
#include "fake_kernel.h"
#include "qlinkctl/change/plan.h"
#include "tap.h"

/* A site: its files, and the folder of a change. */
struct place {
	char folder[64], config[96], links[96], link_file[128], pending[96], control[96], document[96];
	pid_t agent;
};

static void remove_folder(const char *folder)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	if (system(command))
		BAIL_OUT();
}

static void place_begin(struct place *place)
{
	*place = (struct place){ .agent = 0 };
	strcpy(place->folder, "/tmp/test_apply.XXXXXX");
	if (!mkdtemp(place->folder))
		BAIL_OUT();
	snprintf(place->config, sizeof(place->config), "%s/conf", place->folder);
	snprintf(place->links, sizeof(place->links), "%s/links.d", place->folder);
	snprintf(place->link_file, sizeof(place->link_file), "%s/" PLAN_LINKS, place->links);
	snprintf(place->pending, sizeof(place->pending), "%s/pending", place->folder);
	snprintf(place->control, sizeof(place->control), "%s/control", place->folder);
	snprintf(place->document, sizeof(place->document), "%s/document", place->folder);
	fake_reset();
}

static void place_end(struct place *place)
{
	if (place->agent) {
		kill(place->agent, SIGKILL);
		waitpid(place->agent, NULL, 0);
	}
	remove_folder(place->folder);
}

static char *text_of(const char *path)
{
	static char text[8192];
	struct whole whole;

	if (whole_read(&whole, path))
		BAIL_OUT();
	snprintf(text, sizeof(text), "%s", whole.exists ? whole.text : "none");
	whole_free(&whole);
	return text;
}

static void put(const char *path, const char *text)
{
	FILE *to = fopen(path, "we");

	if (!to || fputs(text, to) == EOF || fclose(to))
		BAIL_OUT();
}

/* ---- documents ---- */

#define AGENT									\
	"\"qlink:agent\": {\"name\": \"site-a\", \"certificate\": \"/a.pem\", \"key\": \"/a.key\", \"ca\": \"/ca.pem\"," \
	" \"control\": \"%s\", \"peer\": [{\"name\": \"site-b\", \"address\": \"203.0.113.2\"}]}"

/* An entry of a link: name, id, more options of the device, more of the agent. */
static void add_link(char *to, size_t room, const char *name, int id, const char *device, const char *keys)
{
	size_t n = strlen(to);

	snprintf(to + n, room - n,
		 "%s{\"name\": \"%s\", \"type\": \"qlink:qlink\", \"qlink:link\": {\"id\": %d, \"local\": \"192.0.2.1\","
		 " \"remote\": \"192.0.2.2\", \"port\": 7000%s}, \"qlink:keys\": {\"peer\": \"site-b\", \"policy\": \"pqc-only\"%s}}",
		 n ? "," : "", name, id, device, keys);
}

static void write_document(struct place *place, const char *links)
{
	char text[8192], agent[1024];

	snprintf(agent, sizeof(agent), AGENT, place->control);
	snprintf(text, sizeof(text), "{\"ietf-interfaces:interfaces\": {\"interface\": [%s]}, %s}", links, agent);
	put(place->document, text);
}

/* So many links, of which the last has more options. */
static void want(struct place *place, int n, const char *device, const char *keys)
{
	char links[7000] = "", name[24];
	int i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "qlink%d", i);
		add_link(links, sizeof(links), name, 7 + i, i == n - 1 ? device : "", i == n - 1 ? keys : "");
	}
	write_document(place, links);
}

/* ---- the command ---- */

static struct ctl ctl_of(const struct place *place)
{
	return (struct ctl){
		.json = true, .folder = place->links, .config = place->config, .change.pending = place->pending,
	};
}

/* Sends standard output to a file. Returns what it was. */
static int divert(const struct place *place)
{
	int kept = dup(STDOUT_FILENO);
	char path[128];

	snprintf(path, sizeof(path), "%s/said", place->folder);
	fflush(stdout);
	if (kept < 0 || !freopen(path, "w", stdout))
		BAIL_OUT();
	tap_stderr_begin();
	return kept;
}

/* Takes the JSON that was written there. */
static json_t *take_back(const struct place *place, int kept)
{
	char path[128];
	json_t *said;

	tap_stderr_end();
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	close(kept);
	snprintf(path, sizeof(path), "%s/said", place->folder);
	said = json_load_file(path, 0, NULL);
	if (!said)
		BAIL_OUT();
	return said;
}

static int apply_as(struct ctl *ctl, const struct place *place, json_t **said)
{
	char *argv[] = { (char *)place->document, NULL };
	int kept = divert(place), status = change_apply(ctl, 1, argv);

	*said = take_back(place, kept);
	return status;
}

static void roll_back(struct ctl *ctl, const struct place *place)
{
	int kept = divert(place), status = change_rollback(ctl, 0, NULL);
	json_t *said = take_back(place, kept);

	CHECK(status == CTL_OK, "rollback: %s", json_string_value(json_object_get(said, "why")));
	json_decref(said);
}

static bool is_waiting(const struct place *place)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/change", place->pending);
	return !access(path, F_OK);
}

static const char *member(const json_t *said, const char *name)
{
	return json_string_value(json_object_get(said, name)) ?: "";
}

/* Runs it, and expects this end; and of a refusal the reason. */
static void expect(struct ctl *ctl, const struct place *place, int status, const char *outcome, const char *why)
{
	json_t *said;
	int got = apply_as(ctl, place, &said);

	CHECK(got == status && !strcmp(member(said, "outcome"), outcome) && strstr(member(said, "why"), why),
	      "got %d, %s, \"%s\", want %d, %s, \"%s\"", got, member(said, "outcome"), member(said, "why"), status,
	      outcome, why);
	json_decref(said);
}

/* What differs, as JSON. */
static void expect_differences(struct ctl *ctl, const struct place *place, const char *want_text)
{
	json_t *said;
	char *text;

	apply_as(ctl, place, &said);
	text = json_dumps(json_object_get(said, "differences"), JSON_COMPACT);
	CHECK_TEXT("differences", text, want_text);
	free(text);
	json_decref(said);
}

/* ---- the agent ---- */

/* Refuses a file with this word, and counts reloads in a file. */
static void serve(const struct place *place, int listener)
{
	static const char yes[] = "{}\n", no[] = "{\"error\":\"conf:1: no such certificate\"}\n";
	char asks[64], path[128];
	const char *says;
	FILE *counter;
	int fd;

	snprintf(path, sizeof(path), "%s/reloads", place->folder);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (read(fd, asks, sizeof(asks)) > 0) {
			says = strstr(text_of(place->config), "/none") ? no : yes;
			counter = says == yes ? fopen(path, "ae") : NULL;
			if (counter && (fputc('.', counter) == EOF || fclose(counter)))
				_exit(1);
			/* Who asked may have been ended since. */
			if (send(fd, says, strlen(says), MSG_NOSIGNAL) < 0 && errno != EPIPE)
				_exit(1);
		}
		close(fd);
	}
}

static void start_agent(struct place *place)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, place->control);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8))
		BAIL_OUT();
	fflush(NULL);
	place->agent = fork();
	if (!place->agent) {
		/* It goes with the test, also if that bails out. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(place, fd);
		_exit(0);
	}
	close(fd);
}

static long reloads(const struct place *place)
{
	char path[128];
	const char *text;

	snprintf(path, sizeof(path), "%s/reloads", place->folder);
	text = text_of(path);
	return strcmp(text, "none") ? (long)strlen(text) : 0;
}

/* Two links that were applied, and an agent. */
static struct ctl begin_two(struct place *place)
{
	struct ctl ctl;

	place_begin(place);
	start_agent(place);
	ctl = ctl_of(place);
	want(place, 2, "", "");
	expect(&ctl, place, CTL_OK, "applied", "");
	return ctl;
}

/* All that a change may touch. */
struct whole_site {
	struct fake_link links[FAKE_LINKS];
	char config[8192], link_file[8192];
};

static struct whole_site *look(const struct place *place)
{
	struct whole_site *site = calloc(1, sizeof(*site));

	if (!site)
		BAIL_OUT();
	memcpy(site->links, fake_links, sizeof(site->links));
	strcpy(site->config, text_of(place->config));
	strcpy(site->link_file, text_of(place->link_file));
	return site;
}

/* Frees @before. */
static bool is_same(const struct place *place, struct whole_site *before)
{
	struct whole_site *now = look(place);
	bool same = !memcmp(now->config, before->config, sizeof(now->config)) &&
		    !memcmp(now->link_file, before->link_file, sizeof(now->link_file));
	struct fake_link *link;
	int n = 0;
	size_t i;

	for (i = 0; i < FAKE_LINKS && same; i++) {
		link = &before->links[i];
		if (!link->device.ifindex)
			continue;
		same = fake_find(link->device.name) && fake_find(link->device.name)->config.id == link->config.id &&
		       fake_find(link->device.name)->config.dscp == link->config.dscp &&
		       fake_find(link->device.name)->device.is_up == link->device.is_up &&
		       fake_find(link->device.name)->device.mtu == link->device.mtu;
	}
	/* One that is made again may be at another place. */
	for (i = 0; i < FAKE_LINKS; i++)
		n += !!now->links[i].device.ifindex - !!before->links[i].device.ifindex;
	free(now);
	free(before);
	return same && !n;
}

/* ---- tests ---- */

TEST(a_site_is_made_of_nothing)
{
	struct place place;
	struct ctl ctl = begin_two(&place);

	CHECK(fake_find("qlink0") && fake_find("qlink1") && fake_find("qlink1")->config.id == 8, "the devices");
	CHECK(fake_find("qlink0")->device.is_up, "it is not up");
	CHECK(strstr(text_of(place.config), "link qlink1\n"), "conf: %s", text_of(place.config));
	CHECK(strstr(text_of(place.link_file), "qlink1"), "links: %s", text_of(place.link_file));
	CHECK_NUMBER("reloads", reloads(&place), 1);
	fake_changes = 0;
	expect(&ctl, &place, CTL_OK, "unchanged", "");
	CHECK_NUMBER("requests of a second apply", fake_changes, 0);
	CHECK_NUMBER("reloads", reloads(&place), 1);
	place_end(&place);
}

TEST(check_shows_and_changes_nothing)
{
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before = look(&place);

	want(&place, 2, ", \"dscp\": 9", ", \"floor-ms\": 300");
	ctl.change.check = true;
	expect_differences(&ctl, &place, "[{\"path\":\"link/qlink1/floor-ms\",\"from\":null,\"to\":\"300\"},"
			   "{\"path\":\"device/qlink1/dscp\",\"from\":\"0\",\"to\":\"9\"}]");
	expect(&ctl, &place, CTL_OK, "checked", "");
	CHECK(is_same(&place, before), "something was changed");
	CHECK_NUMBER("reloads", reloads(&place), 1);
	place_end(&place);
}

TEST(a_device_alone_leaves_the_agent_alone)
{
	struct place place;
	struct ctl ctl = begin_two(&place);

	want(&place, 2, ", \"dscp\": 9", "");
	expect(&ctl, &place, CTL_OK, "applied", "");
	CHECK_NUMBER("dscp", fake_find("qlink1")->config.dscp, 9);
	CHECK_NUMBER("reloads", reloads(&place), 1);
	place_end(&place);
}

TEST(what_is_not_named_goes_only_with_prune)
{
	struct place place;
	struct ctl ctl = begin_two(&place);

	want(&place, 1, "", "");
	expect(&ctl, &place, CTL_OK, "unchanged", "");
	CHECK(fake_find("qlink1"), "it was deleted");
	ctl.change.prune = true;
	expect(&ctl, &place, CTL_OK, "applied", "");
	CHECK(fake_find("qlink0") && !fake_find("qlink1"), "the devices");
	CHECK(!strstr(text_of(place.config), "qlink1"), "conf: %s", text_of(place.config));
	CHECK(!strstr(text_of(place.link_file), "qlink1"), "links: %s", text_of(place.link_file));
	place_end(&place);
}

/* One that only says what its keys are is named, too. */
TEST(a_device_whose_keys_are_named_stays)
{
	char links[2000] = "";
	struct place place;
	struct ctl ctl = begin_two(&place);

	add_link(links, sizeof(links), "qlink0", 7, "", "");
	strcat(links, ", {\"name\": \"qlink1\", \"type\": \"qlink:qlink\","
	       " \"qlink:keys\": {\"peer\": \"site-b\", \"policy\": \"pqc-only\"}}");
	write_document(&place, links);
	ctl.change.prune = true;
	expect(&ctl, &place, CTL_OK, "unchanged", "");
	CHECK(fake_find("qlink1"), "the device was deleted, and the agent keeps its link");
	CHECK(strstr(text_of(place.link_file), "qlink1"), "links: %s", text_of(place.link_file));
	place_end(&place);
}

/* The guard works in another folder, and so may who calls rollback. What is a link stays one. */
TEST(what_is_kept_does_not_depend_on_the_working_folder)
{
	struct before before;
	struct place place;
	struct ctl ctl = begin_two(&place);
	char real[128];

	want(&place, 2, "", ", \"floor-ms\": 300");
	snprintf(real, sizeof(real), "%s/real", place.folder);
	if (rename(place.config, real) || symlink("real", place.config) || chdir(place.folder))
		BAIL_OUT();
	ctl.folder = "links.d";
	ctl.config = "conf";
	ctl.control = "control";
	ctl.change.pending = "pending";
	ctl.change.confirm = "60";
	expect(&ctl, &place, CTL_OK, "waits", "");
	CHECK_NUMBER("load", before_load(&before, "pending/change"), 0);
	CHECK(before.n_files == 1 && *before.control == '/', "%zu files, control %s", before.n_files, before.control);
	CHECK_TEXT("kept", before.files[0].path, real);
	before_free(&before);
	if (!tap_has_failed())
		roll_back(&ctl, &place);
	CHECK(!strstr(text_of(real), "floor-ms"), "conf: %s", text_of(real));
	if (chdir("/"))
		BAIL_OUT();
	place_end(&place);
}

TEST(the_agent_that_has_the_links_is_asked_for_proof)
{
	struct place place;
	struct ctl ctl = begin_two(&place);

	want(&place, 2, ", \"dscp\": 9", "");
	ctl.change.confirm = "1";
	ctl.change.if_protected = true;
	expect(&ctl, &place, CTL_PUT_BACK, "rolled-back", "");
	/* This one counts all requests. */
	CHECK(reloads(&place) > 1, "it was not asked");
	place_end(&place);
}

#define E8	"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9"

/* Whoever wrote the document is not who reads the message, which has 60 bytes of the name: half of a character. */
TEST(a_message_is_text_whatever_the_document_says)
{
	struct place place;
	struct ctl ctl = begin_two(&place);

	write_document(&place, "{\"name\": \"\\u001b" E8 E8 E8 E8 "\", \"type\": \"qlink:qlink\"}");
	expect(&ctl, &place, CTL_FAILED, "refused", "/name: \"?\xc3\xa9");
	place_end(&place);
}

TEST(what_is_wrong_with_a_document_changes_nothing)
{
	static const struct {
		const char *device, *keys, *why;
	} rows[] = {
		{ "", ", \"kmes\": [\"rack\"]", "kme" },
		{ ", \"nonsense\": 1", "", "nonsense" },
		{ ", \"dscp\": 99", "", "dscp" },
	};
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before;
	size_t i;

	fake_changes = 0;
	for (i = 0; i < COUNT(rows); i++) {
		before = look(&place);
		want(&place, 2, rows[i].device, rows[i].keys);
		expect(&ctl, &place, CTL_FAILED, "refused", rows[i].why);
		CHECK(is_same(&place, before), "%s: something was changed", rows[i].why);
	}
	CHECK_NUMBER("requests", fake_changes, 0);
	CHECK_NUMBER("reloads", reloads(&place), 1);
	place_end(&place);
}

TEST(all_is_put_back_if_the_kernel_refuses_one)
{
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before = look(&place);

	want(&place, 4, ", \"mtu\": 9000", "");
	expect(&ctl, &place, CTL_FAILED, "refused", "qlink3: mtu greater than device maximum; nothing was changed");
	CHECK(is_same(&place, before), "something is not as before");
	CHECK_NUMBER("reloads", reloads(&place), 1);
	place_end(&place);
}

TEST(all_is_put_back_if_the_agent_refuses)
{
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before = look(&place);

	want(&place, 3, ", \"dscp\": 9", ", \"psk\": \"/none\"");
	expect(&ctl, &place, CTL_FAILED, "refused", "the agent refuses it: conf:1: no such certificate; nothing was changed");
	CHECK(is_same(&place, before), "something is not as before");
	place_end(&place);
}

TEST(a_new_link_has_the_id_of_one_that_goes)
{
	char links[2000] = "";
	struct place place;
	struct ctl ctl = begin_two(&place);

	add_link(links, sizeof(links), "qlink0", 7, "", "");
	add_link(links, sizeof(links), "qlink5", 8, "", "");
	write_document(&place, links);
	ctl.change.prune = true;
	expect(&ctl, &place, CTL_OK, "applied", "");
	CHECK(fake_find("qlink5") && !fake_find("qlink1"), "the devices");
	ctl.change.prune = false;
	expect(&ctl, &place, CTL_OK, "unchanged", "");
	place_end(&place);
}

TEST(an_id_that_is_taken_is_refused_and_all_put_back)
{
	char links[2000] = "";
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before = look(&place);

	add_link(links, sizeof(links), "qlink0", 7, ", \"dscp\": 3", "");
	add_link(links, sizeof(links), "qlink6", 8, "", "");
	write_document(&place, links);
	expect(&ctl, &place, CTL_FAILED, "refused", "qlink6: another link has this id");
	CHECK(is_same(&place, before), "something is not as before");
	place_end(&place);
}

TEST(what_was_written_by_hand_is_taken_over_only_on_demand)
{
	char path[200];
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before;

	put(place.config, strchr(text_of(place.config), '\n') + 1);
	before = look(&place);
	want(&place, 2, "", ", \"floor-ms\": 300");
	expect(&ctl, &place, CTL_FAILED, "refused", "was written by hand: --replace takes its place");
	CHECK(is_same(&place, before), "something was changed");
	ctl.change.replace = true;
	expect(&ctl, &place, CTL_OK, "applied", "");
	snprintf(path, sizeof(path), "%s.before-apply", place.config);
	CHECK(strstr(text_of(path), "agent\n"), "kept: %s", text_of(path));
	snprintf(path, sizeof(path), "%s/other.conf", place.links);
	put(path, "qlink9 type qlink id 99 local 192.0.2.1 remote 192.0.2.2 port 7000\n");
	ctl.change.replace = false;
	want(&place, 10, "", "");
	expect(&ctl, &place, CTL_FAILED, "refused", "other.conf:1: qlink9 is declared there by hand");
	ctl.change.replace = true;
	expect(&ctl, &place, CTL_OK, "applied", "");
	CHECK_TEXT("the other file", text_of(path), "none");
	ctl.change.replace = false;
	expect(&ctl, &place, CTL_OK, "unchanged", "");
	place_end(&place);
}

/* ---- ended at each step ---- */

/* What is applied, and where. */
struct attempt {
	struct ctl *ctl;
	const struct place *place;
};

static void attempt(void *arg)
{
	struct attempt *attempt = arg;
	json_t *said;

	apply_as(attempt->ctl, attempt->place, &said);
}

static struct whole_site *copy_of(const struct whole_site *site)
{
	struct whole_site *copy = malloc(sizeof(*copy));

	if (!copy)
		BAIL_OUT();
	return memcpy(copy, site, sizeof(*copy));
}

/* A device of each kind: changed, made, deleted; and the agent's file. */
static void want_all(struct place *place)
{
	char links[2000] = "";

	add_link(links, sizeof(links), "qlink0", 7, ", \"dscp\": 9", ", \"floor-ms\": 300");
	add_link(links, sizeof(links), "qlink5", 8, "", "");
	write_document(place, links);
}

/* What was before: what is left out would not be touched. */
static void want_former(struct place *place)
{
	char links[2000] = "";

	add_link(links, sizeof(links), "qlink0", 7, ", \"dscp\": 0", "");
	add_link(links, sizeof(links), "qlink1", 8, "", "");
	write_document(place, links);
}

TEST(whoever_is_ended_at_any_step_leaves_what_can_be_put_back)
{
	struct whole_site *before, *after;
	int n, n_before = 0, n_back = 0, n_after = 0;
	struct place place;
	struct ctl ctl = begin_two(&place);
	bool goes_on = true;

	ctl.change.prune = true;
	want_former(&place);
	expect(&ctl, &place, CTL_OK, "applied", "");
	before = look(&place);
	want_all(&place);
	expect(&ctl, &place, CTL_OK, "applied", "");
	after = look(&place);
	/* Each call stops twice: before it, and after it. */
	for (n = 1; goes_on && !tap_has_failed(); n += 2) {
		want_former(&place);
		expect(&ctl, &place, CTL_OK, fake_find("qlink5") ? "applied" : "unchanged", "");
		want_all(&place);
		goes_on = is_ended_at(attempt, &(struct attempt){ &ctl, &place }, n);
		if (is_waiting(&place)) {
			roll_back(&ctl, &place);
			CHECK(is_same(&place, copy_of(before)), "ended at %d: not as before", n);
			n_back++;
		} else if (fake_find("qlink5")) {
			CHECK(is_same(&place, copy_of(after)), "ended at %d: not all was made", n);
			n_after++;
		} else {
			CHECK(is_same(&place, copy_of(before)), "ended at %d: some was made", n);
			n_before++;
		}
	}
	CHECK(n_before > 20 && n_back > 20 && n_after > 2, "%d before, %d during, %d after", n_before, n_back, n_after);
	free(before);
	free(after);
	place_end(&place);
}

/* ---- the guard ---- */

/* The process that has the lock open. */
static pid_t find_guard(const struct place *place)
{
	char lock[128], name[300], to[300];
	struct dirent *process, *fd;
	DIR *proc = opendir("/proc"), *fds;
	pid_t found = 0;
	ssize_t n;

	snprintf(lock, sizeof(lock), "%s/lock", place->pending);
	while (proc && !found && (process = readdir(proc))) {
		snprintf(name, sizeof(name), "/proc/%.20s/fd", process->d_name);
		fds = opendir(name);
		while (fds && (fd = readdir(fds))) {
			n = readlinkat(dirfd(fds), fd->d_name, to, sizeof(to) - 1);
			to[n > 0 ? n : 0] = '\0';
			if (!strcmp(to, lock))
				found = atoi(process->d_name);
		}
		if (fds)
			closedir(fds);
	}
	if (proc)
		closedir(proc);
	return found;
}

static void kill_guard(const struct place *place)
{
	pid_t guard = find_guard(place);

	if (!guard || kill(guard, SIGKILL))
		BAIL_OUT();
	while (find_guard(place))
		;
}

TEST(a_change_waits_and_is_put_back_by_rollback)
{
	struct place place;
	struct ctl ctl = begin_two(&place);
	struct whole_site *before = look(&place);

	want(&place, 3, ", \"dscp\": 9", ", \"floor-ms\": 300");
	ctl.change.confirm = "3600";
	expect(&ctl, &place, CTL_OK, "waits", "");
	CHECK(fake_find("qlink2"), "the device");
	expect(&ctl, &place, CTL_FAILED, "refused", "another change is being made, or waits");
	kill_guard(&place);
	roll_back(&ctl, &place);
	CHECK(is_same(&place, before), "something is not as before");
	place_end(&place);
}
