/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's control socket: each line is a command, and is answered with one line. */
#ifndef KMESIM_CONTROL_H
#define KMESIM_CONTROL_H

#include "conf.h"

struct control;

/**
 * control_open() - listen for commands
 * @sim: the simulator that commands act on
 * @base: libevent's loop
 *
 * Only the owner can use the socket. Errors are reported on standard error.
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
 * control_send() - send a command to a simulator, and print its answer
 * @path: path of its socket
 * @argc: number of words
 * @argv: the command
 *
 * Return: the exit status: 0 if it was carried out, 1 if it was refused or nobody listens.
 */
int control_send(const char *path, int argc, char **argv);

#endif
