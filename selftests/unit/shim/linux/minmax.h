/* SPDX-License-Identifier: GPL-2.0 */
/* min_t() for the host. */
#ifndef SHIM_MINMAX_H
#define SHIM_MINMAX_H

#define min_t(type, a, b)	((type)(a) < (type)(b) ? (type)(a) : (type)(b))

#endif
