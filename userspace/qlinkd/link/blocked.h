/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps both ends of a link from agreeing on keys at all, in words. */
#ifndef QLINKD_BLOCKED_H
#define QLINKD_BLOCKED_H

#include "link.h"

/**
 * blocked_note() - log why a session is blocked, and keep it for the status
 * @link: the link; its @why is filled in
 * @note: SESSION_NOTE_NO_VERSION, _SOURCE, _SUITE, _PSK, _CHAIN or _EPOCH
 */
void blocked_note(struct link *link, uint8_t note);

/**
 * blocked_note_kmes() - log that an end mixes too few KMEs, if so, and keep it for the status
 * @link: the link, of which both ends have sent STATE; its @why is filled in
 */
void blocked_note_kmes(struct link *link);

#endif
