/* SPDX-License-Identifier: GPL-2.0 */
/* Sections of what is needed at load only: none on the host. */
#define __init
#define __initconst
