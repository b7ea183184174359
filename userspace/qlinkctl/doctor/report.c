// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes what doctor has found, for people and as JSON. */
#include "report.h"

#include <string.h>

static bool is_advice(const struct finding *finding)
{
	return doctor_causes[finding->cause].is_advice;
}

static size_t count_causes(const struct findings *findings)
{
	size_t i, n = 0;

	for (i = 0; i < findings->n; i++)
		n += !is_advice(&findings->list[i]) && !findings->list[i].follows;
	return n;
}

static const char *protection_of(const struct facts *facts)
{
	const char *protection = fact_text(facts->link, "link.protection");

	return *protection ? protection : fact_text(facts->agent_link, "protection");
}

enum verdict report_verdict(const struct facts *facts, const struct findings *findings)
{
	if (count_causes(findings))
		return VERDICT_NOT_PROTECTED;
	return !strcmp(protection_of(facts), "protected") ? VERDICT_PROTECTED : VERDICT_UNKNOWN;
}

/* ---- text ---- */

static void head(const struct facts *facts, const struct findings *findings, FILE *to)
{
	const char *protection = protection_of(facts);
	size_t n = count_causes(findings);
	char name[100];

	snprintf(name, sizeof(name), "%s", *facts->device ? facts->device : "qlink");
	text_clean(name);
	fprintf(to, "%s: ", name);
	if (!n)
		fputs(!strcmp(protection, "protected") ? "protected" : "nothing wrong was seen, and its protection is not known", to);
	else
		fprintf(to, "%s%s, %zu cause%s", *protection ? protection : "not protected",
			!strcmp(protection, "protected") ? " now, but it will not stay so" : "", n, n == 1 ? "" : "s");
	fputc('\n', to);
}

static void cause(const struct findings *findings, const struct finding *finding, size_t number, FILE *to)
{
	const char *label = "so:";
	size_t i;

	fprintf(to, "  %zu. %s (%s)\n", number, finding->what, doctor_causes[finding->cause].name);
	fprintf(to, "     seen: %s\n", finding->evidence);
	fprintf(to, "     why:  %s\n", doctor_causes[finding->cause].why);
	fprintf(to, "     do:   %s\n", finding->command);
	for (i = 0; i < findings->n; i++) {
		if (findings->list[i].follows != finding)
			continue;
		fprintf(to, "     %-5s %s (%s)\n", label, findings->list[i].what, doctor_causes[findings->list[i].cause].name);
		label = "";
	}
}

void report_text(const struct facts *facts, const struct findings *findings, FILE *to)
{
	const struct finding *finding;
	size_t i, n = 0;

	head(facts, findings, to);
	for (i = 0; i < findings->n; i++) {
		if (!is_advice(&findings->list[i]) && !findings->list[i].follows)
			cause(findings, &findings->list[i], ++n, to);
	}
	for (i = 0; i < findings->n; i++) {
		finding = &findings->list[i];
		if (is_advice(finding))
			fprintf(to, "  note: %s (%s): %s\n        do: %s\n", finding->what, doctor_causes[finding->cause].name,
				doctor_causes[finding->cause].why, finding->command);
	}
	for (i = 0; i < facts->machine->n_unseen; i++)
		fprintf(to, "  not seen: %s\n", facts->machine->unseen[i]);
}

/* ---- JSON ---- */

static json_t *finding_json(const struct finding *finding)
{
	const struct cause_row *row = &doctor_causes[finding->cause];

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "cause", row->name, "what", finding->what, "evidence",
			 finding->evidence, "why", row->why, "command", finding->command);
}

static json_t *with_consequences(const struct findings *findings, const struct finding *finding)
{
	json_t *to = finding_json(finding), *list = json_array();
	size_t i;

	for (i = 0; i < findings->n; i++) {
		if (findings->list[i].follows == finding)
			json_array_append_new(list, finding_json(&findings->list[i]));
	}
	json_object_set_new(to, "consequences", list);
	return to;
}

json_t *report_json(const struct facts *facts, const struct findings *findings)
{
	static const char *const verdicts[] = { "protected", "not-protected", "unknown" };
	json_t *causes = json_array(), *notes = json_array(), *unseen = json_array();
	const char *protection = protection_of(facts);
	size_t i;

	for (i = 0; i < findings->n; i++) {
		if (is_advice(&findings->list[i]))
			json_array_append_new(notes, finding_json(&findings->list[i]));
		else if (!findings->list[i].follows)
			json_array_append_new(causes, with_consequences(findings, &findings->list[i]));
	}
	for (i = 0; i < facts->machine->n_unseen; i++)
		json_array_append_new(unseen, json_string(facts->machine->unseen[i]));
	return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:o}", "device", facts->device, "verdict",
			 verdicts[report_verdict(facts, findings)], "protection", *protection ? protection : NULL,
			 "causes", causes, "notes", notes, "unseen", unseen);
}
