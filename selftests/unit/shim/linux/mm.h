/* SPDX-License-Identifier: GPL-2.0 */
/* The size of a page. */
#define PAGE_SIZE	4096UL
