/* SPDX-License-Identifier: GPL-2.0 */
/* The part of the kernel's bit macros that the tested files of kmod/ use. */
#ifndef SHIM_BITS_H
#define SHIM_BITS_H

#define BIT(n)	(1UL << (n))

#endif
