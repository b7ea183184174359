/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl status, reload, restart, withdraw: commands to the control socket of qlinkd. */
#ifndef QLINKCTL_AGENT_H
#define QLINKCTL_AGENT_H

#include <stdio.h>

#include "ctl.h"

/* Where qlinkd listens unless its configuration says otherwise. */
#define AGENT_CONTROL	"/run/qlinkd/control"

/**
 * agent_path() - say where qlinkd listens
 * @ctl: may have another place
 *
 * Return: the path of its socket.
 */
const char *agent_path(const struct ctl *ctl);

/**
 * agent_dial() - connect to qlinkd
 * @ctl: says where the socket is
 * @flags: 0 or %SOCK_NONBLOCK
 *
 * Return: a descriptor, or a negative errno.
 */
int agent_dial(const struct ctl *ctl, int flags);

/**
 * agent_try() - give the agent a command, without a message if that fails
 * @ctl: says where the socket is
 * @command: one line, without its end
 * @err: out: 0; the errno of the socket, or ETIMEDOUT without an answer
 *
 * Return: the answer, which the caller frees and which may have a member "error"; %NULL without one.
 */
json_t *agent_try(const struct ctl *ctl, const char *command, int *err);

/**
 * agent_ask() - send a command to qlinkd
 * @ctl: says where the socket is
 * @command: the command
 *
 * Return: the object that it answers, which the caller frees, or %NULL after an error message.
 */
json_t *agent_ask(const struct ctl *ctl, const char *command);

/**
 * status_run() - qlinkctl status
 * @ctl: says where the socket is
 * @argc: arguments, none
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int status_run(struct ctl *ctl, int argc, char **argv);

/**
 * reload_run() - qlinkctl reload
 * @ctl: says where the socket is
 * @argc: arguments, none
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int reload_run(struct ctl *ctl, int argc, char **argv);

/**
 * restart_run() - qlinkctl restart DEV: make the agents restart their session
 * @ctl: says where the socket is
 * @argc: arguments: the device
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int restart_run(struct ctl *ctl, int argc, char **argv);

/**
 * reconnect_run() - qlinkctl reconnect PEER: have another connection to a peer
 * @ctl: says where the socket is
 * @argc: arguments: the peer
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int reconnect_run(struct ctl *ctl, int argc, char **argv);

/**
 * withdraw_run() - qlinkctl withdraw DEV: make the agents withdraw all keys of a link
 * @ctl: says where the socket is
 * @argc: arguments: the device
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int withdraw_run(struct ctl *ctl, int argc, char **argv);

/**
 * agent_order_device() - give the agent a command about one device
 * @ctl: says where the socket is
 * @what: the command, as the control socket has it
 * @argc: arguments: the device
 * @argv: likewise
 *
 * Return: an exit status, CTL_….
 */
int agent_order_device(const struct ctl *ctl, const char *what, int argc, char **argv);

/**
 * agent_print() - write a status for people
 * @status: as qlinkd answered it
 * @to: where it goes
 */
void agent_print(const json_t *status, FILE *to);

#endif
