// SPDX-License-Identifier: GPL-2.0
/* Records that the end of a parcel has cut: what a receiver holds of them, one for each lane. */
#include "cut.h"

#include <linux/jiffies.h>
#include <linux/slab.h>

/* A part that comes later than this after the one before is of no use any more. */
#define QLINK_CUT_AGE	HZ

/**
 * struct qlink_cuts - the begins of a link, made when the first one is held
 */
struct qlink_cuts {
	/** @begin: by lane; NULL for none. Whoever swaps one out owns it. */
	struct sk_buff *begin[QLINK_LANES];
};

/**
 * qlink_cut_begin() - make a record's first part a begin
 * @begin: has room for the whole record, and what the parcel has of it
 * @header: of its parcel
 * @record: cut
 *
 * Context: Any.
 */
void qlink_cut_begin(struct sk_buff *begin, const struct qlink_header *header,
		     const struct qlink_parcel_record *record)
{
	*qlink_cut_of(begin) = (struct qlink_cut){
		.epoch = qlink_header_epoch(header),
		.sequence = qlink_header_sequence(header),
		.since = jiffies,
		.missing = record->bytes - record->here,
		.kind = record->kind,
	};
}

/* Was the last part of a begin sent after this? */
static bool qlink_cut_follows(const struct qlink_cut *cut, u64 epoch, u64 sequence)
{
	return epoch < cut->epoch || (epoch == cut->epoch && sequence < cut->sequence);
}

/**
 * qlink_cut_is_older() - was a parcel sent before what is held?
 * @begin: is held
 * @header: of a parcel of the same lane
 *
 * Context: Any.
 * Return: whether it was
 */
bool qlink_cut_is_older(const struct sk_buff *begin, const struct qlink_header *header)
{
	return qlink_cut_follows(qlink_cut_of(begin), qlink_header_epoch(header),
				 qlink_header_sequence(header));
}

/**
 * qlink_cut_is_next() - may a parcel continue a record?
 * @begin: what is held of it
 * @header: of a parcel of the same lane
 *
 * Context: Any.
 * Return: whether it was sent next, and came in time
 */
bool qlink_cut_is_next(const struct sk_buff *begin, const struct qlink_header *header)
{
	const struct qlink_cut *cut = qlink_cut_of(begin);

	return qlink_header_epoch(header) == cut->epoch &&
	       qlink_header_sequence(header) == cut->sequence + 1 &&
	       time_before_eq(jiffies, cut->since + QLINK_CUT_AGE);
}

/**
 * qlink_cut_fits() - can the rest in a parcel be that of a record?
 * @begin: what is held of it
 * @walk: of the parcel that was sent next
 *
 * Context: Any.
 * Return: false where it is too long, or too short although something follows it
 */
bool qlink_cut_fits(const struct sk_buff *begin, const struct qlink_parcel_walk *walk)
{
	u16 missing = qlink_cut_of(begin)->missing;

	return walk->rest_bytes == missing || !walk->rest_bytes ||
	       (walk->rest_bytes < missing && walk->at == walk->end);
}

/**
 * qlink_cut_add() - add the rest in a parcel
 * @begin: qlink_cut_fits()
 * @header: of the parcel
 * @walk: of it
 *
 * Context: Any.
 * Return: whether the record is whole now
 */
bool qlink_cut_add(struct sk_buff *begin, const struct qlink_header *header,
		   const struct qlink_parcel_walk *walk)
{
	struct qlink_cut *cut = qlink_cut_of(begin);

	skb_put_data(begin, walk->rest, walk->rest_bytes);
	cut->sequence = qlink_header_sequence(header);
	cut->since = jiffies;
	cut->missing -= walk->rest_bytes;
	return !cut->missing;
}

/**
 * qlink_cuts_take() - take what is held for a lane
 * @cuts: of the link
 * @lane: the lane
 *
 * Context: BHs off.
 * Return: the begin, which is the caller's now; %NULL for none
 */
struct sk_buff *qlink_cuts_take(struct qlink_cuts **cuts, u8 lane)
{
	/* Pairs with the cmpxchg() in qlink_cuts_hold(). */
	struct qlink_cuts *all = smp_load_acquire(cuts);

	if (!all || !READ_ONCE(all->begin[lane]))
		return NULL;
	return xchg(&all->begin[lane], NULL);
}

static struct qlink_cuts *qlink_cuts_make(struct qlink_cuts **cuts)
{
	struct qlink_cuts *made = kzalloc(sizeof(*made), GFP_ATOMIC), *others;

	if (unlikely(!made))
		return NULL;
	others = cmpxchg(cuts, NULL, made);
	if (likely(!others))
		return made;
	kfree(made);
	return others;
}

/**
 * qlink_cuts_hold() - hold a begin until the next parcel comes
 * @cuts: of the link
 * @lane: the lane
 * @begin: taken over
 *
 * Context: BHs off.
 * Return: what is not held: @begin without memory, or what another CPU has put there in
 * between; %NULL nearly always. The caller frees it.
 */
struct sk_buff *qlink_cuts_hold(struct qlink_cuts **cuts, u8 lane, struct sk_buff *begin)
{
	/* As in qlink_cuts_take(). */
	struct qlink_cuts *all = smp_load_acquire(cuts) ?: qlink_cuts_make(cuts);
	struct qlink_cut cut = *qlink_cut_of(begin);
	struct sk_buff *other;

	if (unlikely(!all))
		return begin;
	other = xchg(&all->begin[lane], begin);
	/* The rest of what was sent later is still to come. */
	if (unlikely(other) && qlink_cut_follows(qlink_cut_of(other), cut.epoch, cut.sequence))
		other = xchg(&all->begin[lane], other);
	return other;
}

/**
 * qlink_cuts_drop() - drop all that is held
 * @cuts: of the link, which may receive
 *
 * Context: Process context or BHs off.
 */
void qlink_cuts_drop(struct qlink_cuts **cuts)
{
	/* As in qlink_cuts_take(). */
	struct qlink_cuts *all = smp_load_acquire(cuts);
	unsigned int i;

	for (i = 0; all && i < QLINK_LANES; i++)
		kfree_skb(xchg(&all->begin[i], NULL));
}

/**
 * qlink_cuts_free() - drop all that is held, and where it is held
 * @cuts: of a link that receives nothing any more
 *
 * Context: Any.
 */
void qlink_cuts_free(struct qlink_cuts **cuts)
{
	qlink_cuts_drop(cuts);
	kfree(*cuts);
	*cuts = NULL;
}
