/* SPDX-License-Identifier: GPL-2.0 */
/* Links that are in the middle of sending a frame: how a loop of links is found. */
#ifndef QLINK_NEST_H
#define QLINK_NEST_H

#include <linux/types.h>

struct qlink_dev;
struct task_struct;

/**
 * struct qlink_nest - a link that is in the middle of sending a frame
 *
 * It lies on the stack of the sender. Where the underlay leads over another link, that link's frame
 * is sent before the first one returns, and its nest is the inner one.
 */
struct qlink_nest {
	/** @outer: the nest of this CPU that was entered before this one, or NULL */
	struct qlink_nest *outer;
	/** @link: the link that sends */
	const struct qlink_dev *link;
	/** @task: the task that sends */
	const struct task_struct *task;
};

bool qlink_nest_enter(struct qlink_nest *nest, const struct qlink_dev *link);
void qlink_nest_leave(struct qlink_nest *nest);

#endif
