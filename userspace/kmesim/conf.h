/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's configuration file. */
#ifndef KMESIM_CONF_H
#define KMESIM_CONF_H

#include "server.h"

/* Most words of one line. */
#define CONF_WORDS	16

/**
 * struct sim - the whole simulator
 */
struct sim {
	/** @channel: the state that both KMEs share */
	struct channel channel;

	/** @servers: KME a and KME b */
	struct server servers[CHANNEL_SIDES];

	/** @control: path of the control socket, empty for none */
	char control[108];
};

/**
 * conf_split() - cut a line into words
 * @line: the line, which is changed; "#" starts a comment
 * @words: out: the words, and %NULL after the last one
 *
 * Return: the number of words, or -1 if there are more than CONF_WORDS.
 */
int conf_split(char *line, char *words[CONF_WORDS + 1]);

/**
 * conf_side() - read the name of a KME
 * @word: a or b
 *
 * Return: 0, 1, or -1.
 */
int conf_side(const char *word);

/**
 * conf_read() - read a configuration file
 * @sim: initialised; filled in
 * @path: the file
 *
 * Reports errors on standard error, with file and line.
 *
 * Return: 0, or -1.
 */
int conf_read(struct sim *sim, const char *path);

#endif
