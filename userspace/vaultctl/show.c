// SPDX-License-Identifier: GPL-2.0-or-later
/* Shows how far a vault is spent; never a key. */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include <jansson.h>

static void write_name(const struct vault_layout *layout, char *text)
{
	size_t i;

	for (i = 0; i < VAULT_NAME_BYTES; i++)
		sprintf(text + 2 * i, "%02x", layout->name[i]);
}

/* The ID of the next key, or empty behind the last one. */
static void write_next(const struct vault *vault, enum vault_side side, const struct vault_half *half, char *id)
{
	id[0] = '\0';
	if (half->position < half->n)
		vault_id_write(vault_layout(vault),
			       vault_half_begin(vault_layout(vault), side) + half->position, id);
}

static json_t *half_json(const struct vault *vault, enum vault_side side)
{
	struct vault_half half;
	char id[VAULT_ID_ROOM];

	vault_look(vault, side, &half);
	write_next(vault, side, &half, id);
	return json_pack("{s:I, s:I, s:I, s:o}", "keys", (json_int_t)half.n, "position", (json_int_t)half.position,
			 "left", (json_int_t)half.left, "next", *id ? json_string(id) : json_null());
}

static json_t *report_json(const struct vault *vault, const struct vault_report *report)
{
	char id[VAULT_ID_ROOM] = "";

	if (report->damaged)
		vault_id_write(vault_layout(vault), report->first, id);
	return json_pack("{s:I, s:I, s:o, s:I, s:I}", "intact", (json_int_t)report->intact,
			 "damaged", (json_int_t)report->damaged, "first_damaged",
			 *id ? json_string(id) : json_null(), "spent", (json_int_t)report->spent,
			 "readable", (json_int_t)report->readable);
}

static int show_json(const struct vault *vault, const struct vault_report *report)
{
	const struct vault_layout *layout = vault_layout(vault);
	char name[2 * VAULT_NAME_BYTES + 1], side[2] = { vault_side_letter(vault_own_side(vault)), '\0' };
	json_t *root;
	int err;

	write_name(layout, name);
	root = json_pack("{s:s, s:s, s:I, s:I, s:s, s:o, s:o}", "vault", name, "label", layout->label,
			 "made", (json_int_t)layout->made_s, "key_bytes", (json_int_t)layout->key_bytes,
			 "side", side, "a", half_json(vault, VAULT_SIDE_A), "b", half_json(vault, VAULT_SIDE_B));
	if (root && report)
		json_object_set_new(root, "check", report_json(vault, report));
	err = json_dumpf(root, stdout, JSON_INDENT(2));
	json_decref(root);
	return err || puts("") == EOF ? -1 : 0;
}

static void print_half(const struct vault *vault, enum vault_side side)
{
	struct vault_half half;
	char id[VAULT_ID_ROOM];

	vault_look(vault, side, &half);
	write_next(vault, side, &half, id);
	printf("  side %c%s: next %s, %" PRIu64 " of %" PRIu64 " keys left", vault_side_letter(side),
	       side == vault_own_side(vault) ? " (this end)" : " (the peer)", *id ? id : "none", half.left, half.n);
	if (half.left > half.n - half.position)
		printf(", of which %" PRIu64 " were passed over", half.left - (half.n - half.position));
	puts("");
}

static void print_report(const struct vault *vault, const struct vault_report *report)
{
	char id[VAULT_ID_ROOM];

	printf("  records: %" PRIu64 " intact, %" PRIu64 " damaged", report->intact, report->damaged);
	if (report->damaged) {
		vault_id_write(vault_layout(vault), report->first, id);
		printf(", the first %s", id);
	}
	printf("; of %" PRIu64 " spent keys %" PRIu64 " still have one\n", report->spent, report->readable);
}

int show_vault(const struct vault *vault, const struct vault_report *report, bool json)
{
	const struct vault_layout *layout = vault_layout(vault);
	char name[2 * VAULT_NAME_BYTES + 1], when[32] = "";
	time_t made = (time_t)layout->made_s;
	struct tm utc;

	if (json)
		return show_json(vault, report);
	write_name(layout, name);
	if (gmtime_r(&made, &utc))
		strftime(when, sizeof(when), "%F %T UTC", &utc);
	printf("vault %s%s%s, %" PRIu64 " keys of %" PRIu32 " bytes, made %s\n", name, *layout->label ? " " : "",
	       layout->label, layout->n_keys, layout->key_bytes, when);
	print_half(vault, VAULT_SIDE_A);
	print_half(vault, VAULT_SIDE_B);
	if (report)
		print_report(vault, report);
	return fflush(stdout) ? -1 : 0;
}
