// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl doctor: say what keeps links from being protected, and what mends it. */
#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "keys.h"
#include "look.h"
#include "path.h"
#include "report.h"
#include "service.h"
#include "wall.h"

#define CONFIG	"/etc/qlinkd/qlinkd.conf"

/* So that no link that is not protected goes without a word. */
static void judge_rest(const struct facts *facts, struct findings *to)
{
	const char *protection = fact_text(facts->link, "link.protection");
	struct finding *found;

	if (!*protection || !strcmp(protection, "protected") || findings_have_layer(to, UINT32_MAX))
		return;
	found = findings_add(to, CAUSE_UNKNOWN, "%s is %s, and nothing that doctor knows explains it", facts->device, protection);
	finding_saw(found, "its state is %s", fact_text(facts->link, "link.state"));
	finding_mend(found, "qlinkctl -s show %s; qlinkctl status", facts->device);
}

void doctor_judge(const struct facts *facts, struct findings *findings)
{
	findings->n = 0;
	path_judge(facts, findings);
	wall_judge(facts, findings);
	frames_judge(facts, findings);
	service_judge(facts, findings);
	keys_judge(facts, findings);
	echo_judge(facts, findings);
	judge_rest(facts, findings);
	findings_fold(findings);
}

/* One link. Returns its verdict, and adds its report to @all or prints it. */
static enum verdict examine(const struct machine *machine, const char *device, json_t *all)
{
	struct findings *findings = malloc(sizeof(*findings));
	enum verdict verdict = VERDICT_UNKNOWN;
	struct facts facts;

	if (!findings)
		return verdict;
	look_at_link(machine, device, &facts);
	doctor_judge(&facts, findings);
	verdict = report_verdict(&facts, findings);
	if (all)
		json_array_append_new(all, report_json(&facts, findings));
	else
		report_text(&facts, findings, stdout);
	look_away(&facts);
	free(findings);
	return verdict;
}

/* One link that is not protected makes the whole so; else one that is not known. */
static enum verdict worse(enum verdict a, enum verdict b)
{
	if (a == VERDICT_NOT_PROTECTED || b == VERDICT_NOT_PROTECTED)
		return VERDICT_NOT_PROTECTED;
	return a > b ? a : b;
}

/* All links of the kernel, and those that only the agent knows. */
static enum verdict examine_all(const struct machine *machine, json_t *all)
{
	enum verdict verdict = VERDICT_PROTECTED;
	const json_t *link;
	size_t i, n = 0;

	json_array_foreach(machine->links, i, link) {
		verdict = worse(verdict, examine(machine, fact_text(link, "ifname"), all));
		n++;
	}
	json_array_foreach(fact(machine->status, "links"), i, link) {
		if (fact_find(machine->links, "ifname", fact_text(link, "device")))
			continue;
		verdict = worse(verdict, examine(machine, fact_text(link, "device"), all));
		n++;
	}
	return n ? verdict : examine(machine, "", all);
}

static int diagnose(struct ctl *ctl, const char *device, const char *config)
{
	static const int exits[] = { CTL_OK, CTL_FAILED, CTL_USAGE };
	json_t *all = ctl->json ? json_array() : NULL;
	struct machine machine;
	enum verdict verdict;

	look_at_machine(&machine, ctl, config);
	verdict = device ? examine(&machine, device, all) : examine_all(&machine, all);
	look_end(&machine);
	if (all && ctl_print_json(all))
		return CTL_FAILED;
	return exits[verdict];
}

int doctor_run(struct ctl *ctl, int argc, char **argv)
{
	const char *device = argc && strcmp(argv[0], "config") ? argv[0] : NULL;
	/* Another agent than the usual one has another configuration. */
	const char *config = ctl->control ? NULL : CONFIG;
	int n = device ? 1 : 0;

	if (argc > n && !strcmp(argv[n], "config")) {
		if (argc == n + 1)
			return ctl_usage("config: has no value");
		config = argv[n + 1];
		n += 2;
	}
	if (argc > n)
		return ctl_usage("\"%s\": doctor takes one device, and config FILE", argv[n]);
	if (device && !*device)
		return ctl_usage("\"\": not the name of a device");
	return diagnose(ctl, device, config);
}
