/* SPDX-License-Identifier: GPL-2.0 */
/* A machine with one CPU. */
#include <linux/slab.h>

#define alloc_percpu_gfp(type, flags)	((type *)kzalloc(sizeof(type), flags))
#define free_percpu(all)		kfree(all)
#define per_cpu_ptr(all, cpu)		((void)(cpu), (all))
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 1; (cpu)++)
