// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated line between two ends: messages that arrive later. */
#include "sim_line.h"

#include <string.h>

#include "tap.h"

void sim_line_send(struct sim_line *line, unsigned int to, unsigned int via, const uint8_t *data,
		   size_t len, uint64_t at)
{
	struct sim_packet *packet;

	if (line->n == SIM_PACKETS)
		BAIL_OUT();
	packet = &line->packets[line->n++];
	packet->at = at;
	packet->number = line->n_sent++;
	packet->to = to;
	packet->via = via;
	packet->len = len;
	memcpy(packet->data, data, len);
}

bool sim_line_receive(struct sim_line *line, uint64_t now, struct sim_packet *packet)
{
	unsigned int i, best = SIM_PACKETS;

	for (i = 0; i < line->n; i++)
		if (line->packets[i].at <= now &&
		    (best == SIM_PACKETS ||
		     line->packets[i].number < line->packets[best].number))
			best = i;
	if (best == SIM_PACKETS)
		return false;
	*packet = line->packets[best];
	line->packets[best] = line->packets[--line->n];
	return true;
}

uint64_t sim_line_next(const struct sim_line *line)
{
	uint64_t next = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < line->n; i++)
		if (line->packets[i].at < next)
			next = line->packets[i].at;
	return next;
}
