// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl record: show what keys that are gone were used for. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "common/number.h"
#include "libqlink/names.h"

static const char *id_text(const struct qlink_record *record,
			   char id[QLINK_UUID_TEXT])
{
	static const uint8_t none[QLINK_KME_KEY_ID_BYTES];

	return memcmp(record->kme_key_id, none, sizeof(none)) ?
	       qlink_format_uuid(record->kme_key_id, id) : NULL;
}

json_t *record_json(const struct qlink_record *record)
{
	struct build build;

	qlink_json_attrs(build_begin(&build), &qlink_record_attrs, record);
	return build_end(&build);
}

void record_text(uint64_t after, const struct qlink_record *records, size_t n,
		 FILE *to)
{
	char id[QLINK_UUID_TEXT], source[QLINK_SOURCE_TEXT];
	size_t i;

	if (n)
		fprintf(to, "%10s %-3s %15s %-7s %14s %14s %12s %15s  %s\n",
			"number", "dir", "epoch", "source", "first ms",
			"last ms", "frames", "bytes", "KME key ID");
	for (i = 0; i < n; i++, after = records++->number) {
		if (records->number - after > 1)
			fprintf(to, "%llu records are missing\n",
				(unsigned long long)(records->number - after - 1));
		fprintf(to, "%10llu %-3s %15llu %-7s %14llu %14llu %12llu %15llu  %s\n",
			(unsigned long long)records->number,
			qlink_name(&qlink_directions, records->direction),
			(unsigned long long)records->epoch,
			qlink_format_source(records->source, records->kmes, source),
			(unsigned long long)records->first_ms,
			(unsigned long long)records->last_ms,
			(unsigned long long)records->frames,
			(unsigned long long)records->bytes,
			id_text(records, id) ? id : "-");
	}
}

static int print_json(const struct qlink_record *records, size_t n)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array, record_json(&records[i]));
	return ctl_print_json(array);
}

static int show_records(struct ctl *ctl, const char *device, uint64_t after)
{
	struct qlink_record *records;
	struct qlink_error error;
	uint32_t ifindex;
	int err;
	size_t n;

	err = ctl_device(ctl, device, &ifindex);
	if (err)
		return err;
	if (qlink_record_dump(ctl->nl, ifindex, after, &records, &n, &error))
		return ctl_refused(device, &error);
	if (ctl->json)
		err = print_json(records, n);
	else
		record_text(after, records, n, stdout);
	free(records);
	return err;
}

static int show_run_records(struct ctl *ctl, int argc, char **argv)
{
	struct qlink_why why;
	uint64_t after = 0;

	if (argc != 1 && (argc != 3 || strcmp(argv[1], "after")))
		return ctl_usage("record show: needs a device, and optionally after with a number");
	if (argc == 3 && qlink_parse_number(argv[2], 0, UINT64_MAX, &after, &why))
		return ctl_usage("after \"%s\": %s", argv[2], why.text);
	return show_records(ctl, argv[0], after);
}

static const struct ctl_command commands[] = {
	{ "show", show_run_records },
	{ NULL, NULL },
};

int record_run(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, commands, "command of record", argc, argv);
}
