/* SPDX-License-Identifier: GPL-2.0 */
/* Lists whose head is an entry, too. */
#ifndef SHIM_LIST_H
#define SHIM_LIST_H

#include <linux/types.h>

struct list_head { struct list_head *next, *prev; };

static inline void INIT_LIST_HEAD(struct list_head *entry) { entry->next = entry->prev = entry; }
static inline bool list_empty(const struct list_head *head) { return head->next == head; }

static inline void list_add(struct list_head *entry, struct list_head *head)
{
	*entry = (struct list_head){ head->next, head };
	head->next->prev = entry;
	head->next = entry;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
	list_add(entry, head->prev);
}

static inline void list_del_init(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
	list_del_init(entry);
	list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_del_init(entry);
	list_add_tail(entry, head);
}

/* The kernel's does not check either; a test must not depend on what it returns for an empty list. */
#define list_first_entry(head, type, member) \
	(assert(!list_empty(head)), container_of((head)->next, type, member))

#endif
