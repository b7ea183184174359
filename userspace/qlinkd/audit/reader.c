// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the lines of a file of the audit log, in blocks. */
#include "reader.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void audit_reader_start(struct audit_reader *reader, int fd, uint64_t offset, uint64_t limit,
			char *block)
{
	*reader = (struct audit_reader){ .fd = fd, .offset = offset, .limit = limit, .block = block };
}

/* Reads more behind what is left; 0 if there is no more, or no room. */
static ssize_t fill(struct audit_reader *reader)
{
	size_t left = reader->end - reader->begin, room = AUDIT_READ_BYTES - left;
	uint64_t at = reader->offset + left;
	ssize_t n;

	memmove(reader->block, reader->block + reader->begin, left);
	reader->begin = 0;
	reader->end = left;
	if (at >= reader->limit)
		return 0;
	if (room > reader->limit - at)
		room = (size_t)(reader->limit - at);
	n = pread(reader->fd, reader->block + left, room, (off_t)at);
	if (n < 0)
		return -errno;
	reader->end += (size_t)n;
	return n;
}

int audit_reader_next(struct audit_reader *reader, const char **line, size_t *len,
		      bool *is_whole)
{
	const char *newline;
	size_t seen = 0;
	ssize_t n;

	for (;;) {
		newline = memchr(reader->block + reader->begin + seen, '\n',
				 reader->end - reader->begin - seen);
		if (newline)
			break;
		seen = reader->end - reader->begin;
		n = fill(reader);
		if (n < 0)
			return (int)n;
		if (!n)
			break;
	}
	*line = reader->block + reader->begin;
	*is_whole = newline != NULL;
	*len = newline ? (size_t)(newline - *line) : reader->end - reader->begin;
	reader->begin += *len + *is_whole;
	reader->offset += *len + *is_whole;
	return *len || *is_whole;
}
