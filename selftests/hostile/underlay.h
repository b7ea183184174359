/* SPDX-License-Identifier: GPL-2.0 */
/* Sends sealed frames as one end of a link of lib.sh's setup_pair to the other. */
#ifndef UNDERLAY_H
#define UNDERLAY_H

#include <stdbool.h>
#include <stdint.h>

#define UNDERLAY_FRAMES	64	/* at a time */

/* Goes into a network namespace of this name, which lies in /run/netns. */
void underlay_enter(const char *netns);

/* Over eth or udp, from one namespace to another. Ends the process where there is no such link. */
void underlay_open(const char *under, const char *from, const char *to);

/* Sends so many frames, in their order. */
void underlay_send(uint8_t *const *frames, const uint32_t *bytes, unsigned int n);

/* Whether it can send several in one packet. */
bool underlay_has_bundles(void);

/* Sends so many frames of one size in one packet. */
void underlay_send_bundle(uint8_t *const *frames, uint16_t bytes, unsigned int n);

#endif
