/* SPDX-License-Identifier: GPL-2.0 */
/* Seals parcels: section 2 of kmod/PROTOCOL.md. */
#ifndef SEALER_H
#define SEALER_H

#include "maker.h"

#define SEALER_OVERHEAD	32	/* header and tag */
#define SEALER_LINK_ID	7	/* as in lib.sh */

struct sealer;

/* With the key and salt in a file of 44 bytes; NULL if there is none. */
struct sealer *sealer_new(const char *path);

/* Writes SEALER_OVERHEAD bytes more than the plaintext has. Returns how many. */
uint32_t sealer_seal(struct sealer *sealer, uint8_t *frame, const struct maker_parcel *parcel);

void sealer_free(struct sealer *sealer);

#endif
