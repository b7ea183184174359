// SPDX-License-Identifier: GPL-2.0-or-later
/* The last record of each link that the audit log has, so that none is logged twice or skipped. */
#include "cursor.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

void audit_cursors_free(struct audit_cursors *cursors)
{
	free(cursors->list);
	cursors->list = NULL;
	cursors->n = 0;
}

/* Where a link is, or would be, in the list, which is in the order of the names. */
static size_t place_of(const struct audit_cursors *cursors, const char *link)
{
	size_t low = 0, high = cursors->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (strcmp(cursors->list[middle].link, link) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct audit_cursors *cursors, size_t place, const char *link)
{
	return place < cursors->n && !strcmp(cursors->list[place].link, link);
}

const struct audit_cursor *audit_cursors_find(const struct audit_cursors *cursors,
					      const char *link)
{
	size_t place = place_of(cursors, link);

	return is_at(cursors, place, link) ? &cursors->list[place] : NULL;
}

static int insert(struct audit_cursors *cursors, size_t place, const char *link)
{
	struct audit_cursor *list;

	if (cursors->n == AUDIT_CURSORS_MAX)
		return -ENOMEM;
	list = realloc(cursors->list, (cursors->n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	memmove(list + place + 1, list + place, (cursors->n - place) * sizeof(*list));
	strcpy(list[place].link, link);
	cursors->list = list;
	cursors->n++;
	return 0;
}

int audit_cursors_note(struct audit_cursors *cursors, const char *line, size_t len)
{
	static const char record[] = ",\"record\":";
	char link[AUDIT_LINK_TEXT];
	struct audit_cursor *cursor;
	const char *text;
	size_t n, place;

	if (!audit_line_is(line, len, "used") && !audit_line_is(line, len, "cursor"))
		return 0;
	text = memmem(line, len, record, sizeof(record) - 1);
	if (!text || !audit_line_text(line, len, "link", link, sizeof(link)))
		return 0;
	/* Without the comma in front and the brace behind. */
	text++;
	n = len - (size_t)(text - line) - 1;
	if (n >= sizeof(cursor->text))
		return 0;
	place = place_of(cursors, link);
	if (!is_at(cursors, place, link) && insert(cursors, place, link))
		return -ENOMEM;
	cursor = &cursors->list[place];
	memcpy(cursor->text, text, n);
	cursor->text[n] = '\0';
	return 0;
}
