/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulated line between two ends: messages that arrive later. */
#ifndef QLINK_TESTS_SIM_LINE_H
#define QLINK_TESTS_SIM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "qlinkd/agreement/message.h"

#define SIM_PACKETS	64

/**
 * struct sim_packet - a message on the line
 */
struct sim_packet {
	/** @at: when it arrives */
	uint64_t at;

	/** @number: messages that have arrived are received in this order */
	unsigned int number;

	/** @to: the end that receives it */
	unsigned int to;

	/** @via: number of the connection that it is sent on */
	unsigned int via;

	/** @len: length of @data */
	size_t len;

	/** @data: the message */
	uint8_t data[MSG_BYTES_MAX];
};

/**
 * struct sim_line - all messages between the ends, in both directions
 */
struct sim_line {
	/** @packets: in no order */
	struct sim_packet packets[SIM_PACKETS];

	/** @n: how many @packets there are */
	unsigned int n;

	/** @n_sent: how many were ever sent */
	unsigned int n_sent;
};

/**
 * sim_line_send() - put a message on the line
 * @line: the line
 * @to: the end that receives it
 * @via: the connection
 * @data: the message
 * @len: its length
 * @at: when it arrives
 */
void sim_line_send(struct sim_line *line, unsigned int to, unsigned int via, const uint8_t *data,
		   size_t len, uint64_t at);

/**
 * sim_line_receive() - take the next message that has arrived
 * @line: the line
 * @now: the time
 * @packet: filled in
 *
 * Return: whether there was one.
 */
bool sim_line_receive(struct sim_line *line, uint64_t now, struct sim_packet *packet);

/**
 * sim_line_next() - when the next message arrives
 * @line: the line
 *
 * Return: the time, or %UINT64_MAX if there is no message.
 */
uint64_t sim_line_next(const struct sim_line *line);

#endif
