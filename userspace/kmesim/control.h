/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's control socket: a line in, a line out. */
#ifndef KMESIM_CONTROL_H
#define KMESIM_CONTROL_H

#include "conf.h"

struct control;

/**
 * control_open() - listen for commands
 * @sim: what they act on
 * @base: libevent's loop
 *
 * The socket can be used by its owner only. Says what is wrong on standard
 * error.
 *
 * Return: the control socket, freed with control_close(), or %NULL.
 */
struct control *control_open(struct sim *sim, struct event_base *base);

/**
 * control_close() - close and remove the socket
 * @control: from control_open(), or %NULL
 */
void control_close(struct control *control);

/**
 * control_send() - send a command to a simulator, and print what it says
 * @path: of its socket
 * @argc: words
 * @argv: the command
 *
 * Return: what to exit with: 0 done, 1 refused or nobody there.
 */
int control_send(const char *path, int argc, char **argv);

#endif
