/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log, as comments of KTAP. */
#include <stdio.h>

#define pr_err(...)	printf("# " __VA_ARGS__)
#define pr_info(...)	printf("# " __VA_ARGS__)
