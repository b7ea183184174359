/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal: draws a view with ncurses, and reads keys. */
#ifndef QLINKCTL_WATCH_SCREEN_H
#define QLINKCTL_WATCH_SCREEN_H

#include "common/why.h"
#include "view.h"

/**
 * screen_open() - take over the terminal
 * @why: filled in on failure
 *
 * Colours are used unless the terminal has none or the variable NO_COLOR is set; block elements where the locale is
 * of UTF-8.
 *
 * Return: 0, or %-ENOTTY with @why: the terminal cannot move its cursor, or is not known.
 */
int screen_open(struct qlink_why *why);

/**
 * screen_close() - give the terminal back as it was
 *
 * Context: May be called again, and without screen_open().
 */
void screen_close(void);

/**
 * screen_key() - read a key, without waiting
 * @view: takes another height if the terminal has another size
 *
 * Return: enum view_key or a character, or -1 if there is none.
 */
int screen_key(struct view *view);

/**
 * screen_draw() - draw everything
 * @view: what is on the screen
 * @table: the links
 * @trouble: why there is no newer status, or %NULL
 */
void screen_draw(struct view *view, const struct table *table, const char *trouble);

#endif
