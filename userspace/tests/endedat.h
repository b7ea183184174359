/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Something that is killed at one of its system calls. */
#ifndef TESTS_ENDEDAT_H
#define TESTS_ENDEDAT_H

#include <stdbool.h>

/**
 * is_ended_at() - do something in a process of its own, and kill that at a system call
 * @run: what to do
 * @arg: passed to it
 * @n: stops before the kill, each at the begin or the end of a system call
 *
 * Return: whether it had so many, and was killed; if not, it is complete.
 */
bool is_ended_at(void (*run)(void *arg), void *arg, int n);

#endif
