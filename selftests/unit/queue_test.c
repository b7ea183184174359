// SPDX-License-Identifier: GPL-2.0
/* Fair queues: whose turn it is, and who still finds room, whatever others send. */
#include "../../kmod/queue.c"

#include "unit.h"

#define N_FLOODED	1000
#define FRAME		100		/* bytes */
#define BUNDLE_N	64		/* frames */
#define BUNDLE		(BUNDLE_N * FRAME)
#define FRAME_COST	(FRAME + QLINK_QUEUE_FRAME)
#define BUNDLE_COST	(BUNDLE + BUNDLE_N * QLINK_QUEUE_FRAME)

static struct qlink_queues cpu;

static struct qlink_queue_group *group_new(void)
{
	if (!cpu.active.next)
		qlink_queues_init(&cpu);
	return qlink_queue_group_new(&cpu);
}

static bool add(struct qlink_queue *queue, unsigned int len, unsigned int n)
{
	struct sk_buff *skb = calloc(1, sizeof(*skb));
	bool was_empty = !cpu.cost, is_first = !was_empty, has_room;

	skb->len = len;
	has_room = qlink_queue_add(queue, skb, n, &is_first);
	if (has_room)
		CHECK_EQ("first", is_first, was_empty);
	else
		free(skb);
	return has_room;
}

static bool add_frame(struct qlink_queue *queue) { return add(queue, FRAME, 1); }
static bool add_bundle(struct qlink_queue *queue) { return add(queue, BUNDLE, BUNDLE_N); }

/* Takes one batch and frees it. Returns its queue, and adds up its cost and packets. */
static struct qlink_queue *take(unsigned int *cost, unsigned int *n)
{
	struct sk_buff_head batch;
	struct qlink_queue *queue;
	struct sk_buff *skb;

	*cost = *n = 0;
	__skb_queue_head_init(&batch);
	queue = qlink_queues_take(&cpu, &batch);
	skb_queue_walk(&batch, skb) {
		*cost += qlink_queue_cb(skb)->cost;
		++*n;
	}
	CHECK_EQ("a batch has packets", !queue, !*n);
	__skb_queue_purge(&batch);
	return queue;
}

/* Takes until this queue holds nothing. Returns what was taken from others meanwhile. */
static unsigned int others_until_done(const struct qlink_queue *queue)
{
	unsigned int cost, n, others = 0;

	while (queue->cost) {
		if (take(&cost, &n) != queue)
			others += cost;
	}
	return others;
}

static void end(struct qlink_queue_group *group, struct qlink_queue **links, unsigned int n_links)
{
	while (n_links--) {
		qlink_queue_kill(links[n_links]);
		free_percpu(links[n_links]);
	}
	CHECK_EQ("a group without links costs nothing", group->cost, 0);
	CHECK_EQ("and is in no list", list_empty(&group->entry), true);
	free_percpu(group);
}

static void fill(struct qlink_queue_group *group, struct qlink_queue **links, unsigned int n_links,
		 bool (*one)(struct qlink_queue *queue))
{
	unsigned int i;

	for (i = 0; i < n_links; i++) {
		links[i] = qlink_queue_new(group);
		while (one(links[i]))
			;
	}
}

/* Whatever a netns does with its 1,000 links, a link of another netns has every second turn. */
static void turns_beside_a_flooded_netns(bool (*one)(struct qlink_queue *queue), unsigned int packet)
{
	struct qlink_queue_group *flooded = group_new(), *other = group_new();
	struct qlink_queue *links[N_FLOODED], *link = qlink_queue_new(other);
	unsigned int i, n = 200, others;

	fill(flooded, links, N_FLOODED, one);
	for (i = 0; i < n; i++)
		CHECK_EQ("room", add_frame(link), true);
	others = others_until_done(link);
	if (others > n * FRAME_COST + 2 * QLINK_QUEUE_TURN + packet)
		CHECK_EQ("the flooded netns had", others, n * FRAME_COST);
	end(other, &link, 1);
	end(flooded, links, N_FLOODED);
	CHECK_EQ("nothing waits", cpu.cost, 0);
}

static void netns_flooded_with_frames(void) { turns_beside_a_flooded_netns(add_frame, FRAME_COST); }
static void netns_flooded_with_bundles(void) { turns_beside_a_flooded_netns(add_bundle, BUNDLE_COST); }

/* The same among the links of one netns. */
static void link_beside_a_flooded_link(void)
{
	struct qlink_queue_group *group = group_new();
	struct qlink_queue *links[2];
	unsigned int i, n = 200, others;

	fill(group, links, 1, add_bundle);
	links[1] = qlink_queue_new(group);
	for (i = 0; i < n; i++)
		CHECK_EQ("room", add_frame(links[1]), true);
	others = others_until_done(links[1]);
	if (others > n * FRAME_COST + 2 * QLINK_QUEUE_TURN + BUNDLE_COST)
		CHECK_EQ("the flooded link had", others, n * FRAME_COST);
	end(group, links, 2);
}

/* Credit that a turn left over must not add up: small packets for long, then a large one. */
static void no_credit_is_saved(void)
{
	struct qlink_queue_group *groups[] = { group_new(), group_new() };
	struct qlink_queue *links[] = { qlink_queue_new(groups[0]), qlink_queue_new(groups[1]) };
	unsigned int i, cost, n, others;

	add_frame(links[1]);
	for (i = 0; i < 1000; i++) {
		add_frame(links[0]);
		add_frame(links[1]);
		take(&cost, &n);
		take(&cost, &n);
	}
	for (i = 0; i < 100; i++)
		add_frame(links[0]);
	for (i = 0; i < 20; i++)
		add_bundle(links[1]);
	others = others_until_done(links[0]);
	if (others > 100 * FRAME_COST + 2 * QLINK_QUEUE_TURN + BUNDLE_COST)
		CHECK_EQ("the other had", others, 100 * FRAME_COST);
	end(groups[0], &links[0], 1);
	end(groups[1], &links[1], 1);
}

/* Parts of the whole, as the comment says them. */
static void room(void)
{
	struct qlink_queue_group *groups[] = { group_new(), group_new() };
	struct qlink_queue *links[3];

	fill(groups[0], links, 1, add_frame);
	CHECK_EQ("one link", links[0]->cost / FRAME_COST, QLINK_QUEUES_COST / 4 / FRAME_COST);
	fill(groups[0], links + 1, 1, add_frame);
	CHECK_EQ("all links of a netns, at most half", groups[0]->cost <= QLINK_QUEUES_COST / 2, true);
	fill(groups[1], links + 2, 1, add_frame);
	CHECK_EQ("a link beside a full netns", links[2]->cost >= QLINK_QUEUES_COST / 8, true);
	end(groups[0], links, 2);
	end(groups[1], links + 2, 1);
}

/* 1,000 empty queues take a packet of any size each, and that is more than all may cost. */
static void least_room(void)
{
	struct qlink_queue_group *flooded = group_new(), *other = group_new();
	struct qlink_queue *links[N_FLOODED], *link = qlink_queue_new(other);

	fill(flooded, links, N_FLOODED, add_bundle);
	CHECK_EQ("over all limits", cpu.cost > QLINK_QUEUES_COST, true);
	while (add_frame(link))
		;
	CHECK_EQ("another netns", link->cost, QLINK_QUEUE_GROUP_LEAST / 2 / FRAME_COST * FRAME_COST);
	end(other, &link, 1);
	end(flooded, links, N_FLOODED);
}

/* Packets that were put back are the next ones taken, in their order, and are paid for once. */
static void put_back(void)
{
	struct qlink_queue_group *groups[] = { group_new(), group_new() };
	struct qlink_queue *links[] = { qlink_queue_new(groups[0]), qlink_queue_new(groups[1]) };
	struct sk_buff_head batch;
	struct qlink_queue *queue;
	struct sk_buff *skb;
	unsigned int i, cost;
	int credit;

	__skb_queue_head_init(&batch);
	for (i = 0; i < 100; i++)
		add(links[0], i, 1);
	add_frame(links[1]);
	cost = cpu.cost;
	credit = groups[0]->credit;
	for (i = 0; i < 1000; i++) {
		queue = qlink_queues_take(&cpu, &batch);
		CHECK_EQ("the same queue", queue == links[0], true);
		qlink_queue_put_back(queue, &batch);
		CHECK_EQ("cost", cpu.cost, cost);
		CHECK_EQ("credit", groups[0]->credit, credit);
	}
	qlink_queues_take(&cpu, &batch);
	i = 0;
	skb_queue_walk(&batch, skb)
		CHECK_EQ("order", skb->len, i++);
	CHECK_EQ("one turn", i, 16);
	__skb_queue_purge(&batch);
	end(groups[0], &links[0], 1);
	end(groups[1], &links[1], 1);
}

/* So are those of a queue that was emptied meanwhile, before those of its group and of other groups. */
static void put_back_all(void)
{
	struct qlink_queue_group *groups[] = { group_new(), group_new() };
	struct qlink_queue *links[] = {
		qlink_queue_new(groups[0]), qlink_queue_new(groups[0]), qlink_queue_new(groups[1])
	};
	struct sk_buff_head batch;
	unsigned int i, cost, n;

	__skb_queue_head_init(&batch);
	for (i = 0; i < 3; i++)
		add_frame(links[i]);
	for (i = 0; i < 3; i++) {
		CHECK_EQ("taken", qlink_queues_take(&cpu, &batch) == links[0], true);
		qlink_queue_put_back(links[0], &batch);
		if (i == 1)
			qlink_queue_kill(links[1]);
	}
	CHECK_EQ("before another group", take(&cost, &n) == links[0], true);
	CHECK_EQ("the other group's", take(&cost, &n) == links[2], true);
	end(groups[0], &links[0], 2);
	end(groups[1], &links[2], 1);
}

/* Packets of a link that goes, waiting and taken, and those that come after. */
static void dead_link(void)
{
	struct qlink_queue_group *group = group_new();
	struct qlink_queue *links[] = { qlink_queue_new(group), qlink_queue_new(group) };
	struct sk_buff_head batch;
	unsigned int i, cost, n;

	__skb_queue_head_init(&batch);
	for (i = 0; i < 100; i++)
		add_frame(links[0]);
	add_frame(links[1]);
	qlink_queues_take(&cpu, &batch);
	qlink_queue_kill(links[0]);
	qlink_queue_put_back(links[0], &batch);
	CHECK_EQ("freed", skb_queue_empty(&batch), true);
	CHECK_EQ("none is taken", add_frame(links[0]), false);
	CHECK_EQ("the other link's", take(&cost, &n) == links[1] && n == 1, true);
	CHECK_EQ("nothing waits", cpu.cost, 0);
	end(group, links, 2);
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "netns_flooded_with_frames", netns_flooded_with_frames },
		{ "netns_flooded_with_bundles", netns_flooded_with_bundles },
		{ "link_beside_a_flooded_link", link_beside_a_flooded_link },
		{ "no_credit_is_saved", no_credit_is_saved },
		{ "room", room },
		{ "least_room", least_room },
		{ "put_back", put_back },
		{ "put_back_all", put_back_all },
		{ "dead_link", dead_link },
	};

	return unit_main(tests, ARRAY_SIZE(tests));
}
