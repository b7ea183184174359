/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last values of something that is measured again and again, and the line of bars that shows them. */
#ifndef QLINKCTL_WATCH_SPARK_H
#define QLINKCTL_WATCH_SPARK_H

#include <stdbool.h>
#include <stddef.h>

/* The most values that are kept: a wide terminal shows them all. */
#define SPARK_VALUES	240
/* Room for the text of @width cells, with its final NUL: a bar has three bytes in UTF-8. */
#define SPARK_BYTES(width)	(3 * (width) + 1)

/**
 * struct spark - the last values, none of them negative
 */
struct spark {
	/** @values: a ring */
	float values[SPARK_VALUES];

	/** @n: values in the ring */
	unsigned int n;

	/** @next: where the next one goes */
	unsigned int next;
};

/**
 * spark_add() - append a value; the oldest one makes room
 * @spark: the values
 * @value: a negative one counts as 0
 */
void spark_add(struct spark *spark, double value);

/**
 * spark_most() - find the greatest of the newest values
 * @spark: the values
 * @width: how many of them
 *
 * Return: the greatest, 0 without any.
 */
double spark_most(const struct spark *spark, unsigned int width);

/**
 * spark_write() - draw the newest values, one cell each, the newest at the right
 * @spark: the values
 * @width: cells; those without a value are blank
 * @utf8: draw with block elements, not with ASCII
 * @to: the text
 * @size: room at @to, at least SPARK_BYTES(@width)
 *
 * The lowest bar is 0 and the highest one the greatest value that is shown. A value above 0 never looks like 0.
 */
void spark_write(const struct spark *spark, unsigned int width, bool utf8, char *to, size_t size);

#endif
