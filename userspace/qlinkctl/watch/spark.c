// SPDX-License-Identifier: GPL-2.0-or-later
/* The last values of something that is measured again and again, and the line of bars that shows them. */
#include "spark.h"

#include <string.h>

/* From 0 to the greatest value. */
static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const letters[] = { "_", ".", ":", "-", "=", "+", "*", "#" };

#define N_LEVELS	(sizeof(blocks) / sizeof(blocks[0]))

void spark_add(struct spark *spark, double value)
{
	spark->values[spark->next] = value > 0 ? (float)value : 0;
	spark->next = (spark->next + 1) % SPARK_VALUES;
	if (spark->n < SPARK_VALUES)
		spark->n++;
}

/* The value that is @age values older than the newest one. */
static double value_at(const struct spark *spark, unsigned int age)
{
	return spark->values[(spark->next + SPARK_VALUES - 1 - age) % SPARK_VALUES];
}

double spark_most(const struct spark *spark, unsigned int width)
{
	double most = 0;
	unsigned int age;

	for (age = 0; age < width && age < spark->n; age++) {
		if (value_at(spark, age) > most)
			most = value_at(spark, age);
	}
	return most;
}

static size_t level(double value, double most)
{
	size_t at;

	if (value <= 0)
		return 0;
	at = (size_t)(value / most * (N_LEVELS - 1) + 0.5);
	return at ? at : 1;
}

void spark_write(const struct spark *spark, unsigned int width, bool utf8, char *to, size_t size)
{
	const char *const *bars = utf8 ? blocks : letters;
	double most = spark_most(spark, width);
	unsigned int age;
	const char *bar;
	size_t len;

	for (age = width; age--; ) {
		bar = age < spark->n ? bars[level(value_at(spark, age), most)] : " ";
		len = strlen(bar);
		if (len >= size)
			break;
		memcpy(to, bar, len);
		to += len;
		size -= len;
	}
	*to = '\0';
}
