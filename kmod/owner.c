// SPDX-License-Identifier: GPL-2.0
/* The socket that a frame is charged to, and what takes its place. */
#include "owner.h"

#include <net/sock.h>

/**
 * qlink_owner_is_there() - does a frame hold its socket?
 * @skb: of the stack
 *
 * One that a program at ingress has assigned may be gone.
 *
 * Context: Any.
 * Return: whether it does
 */
bool qlink_owner_is_there(const struct sk_buff *skb)
{
	return skb->sk && skb->destructor && skb->destructor != sock_pfree;
}

/**
 * qlink_owner_is_told() - is TCP told when a frame has left (TCP small queues)?
 * @skb: qlink_owner_is_there()
 *
 * That destructor needs nothing but the socket. What others need (of a ring's packet, its place
 * in the ring) stays with the frame.
 *
 * Context: Any.
 * Return: whether it is
 */
bool qlink_owner_is_told(const struct sk_buff *skb)
{
	return sk_fullsock(skb->sk) && sk_is_tcp(skb->sk) && skb->destructor != sock_edemux &&
	       skb->destructor != sock_efree;
}

/**
 * qlink_owner_charge() - charge a new packet to the socket of the frame that it has a part of
 * @own: new
 * @skb: qlink_owner_is_there(); keeps its socket
 *
 * It does what skb_set_owner_w() does, without its questions.
 *
 * Context: Any.
 */
void qlink_owner_charge(struct sk_buff *own, struct sk_buff *skb)
{
	if (unlikely(!sk_fullsock(skb->sk)))
		return;
	own->sk = skb->sk;
	own->destructor = sock_wfree;
	refcount_add(own->truesize, &skb->sk->sk_wmem_alloc);
}

/**
 * qlink_owner_move() - charge a copy, or the last part of a frame, to the frame's socket
 * @own: new
 * @skb: is freed next; it may have no socket
 *
 * So the socket's limits hold.
 *
 * Context: Any.
 */
void qlink_owner_move(struct sk_buff *own, struct sk_buff *skb)
{
	if (!qlink_owner_is_there(skb))
		return;
	skb_set_owner_w(own, skb->sk);
	if (likely(qlink_owner_is_told(skb)))
		swap(own->destructor, skb->destructor);
}
