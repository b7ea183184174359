/* SPDX-License-Identifier: GPL-2.0 */
/* The ECN field of an IP header (RFC 3168). */
#ifndef SHIM_INET_ECN_H
#define SHIM_INET_ECN_H

enum { INET_ECN_NOT_ECT, INET_ECN_ECT_1, INET_ECN_ECT_0, INET_ECN_CE };

#endif
