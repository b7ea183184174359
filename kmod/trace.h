/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: frames that are dropped, and keys that come into use and go. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM qlink

#if !defined(QLINK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define QLINK_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>

/* A frame is dropped, or several of one packet. @counter: its name, as ethtool -S shows it. @skb:
 * may be NULL, where the frame was not made yet.
 */
TRACE_EVENT(qlink_drop,
	TP_PROTO(const struct net_device *dev, const struct sk_buff *skb, const char *counter,
		 unsigned int frames),
	TP_ARGS(dev, skb, counter, frames),
	TP_STRUCT__entry(
		__string(dev, dev ? dev->name : "")
		__string(counter, counter)
		__field(const void *, skbaddr)
		__field(unsigned int, len)
		__field(unsigned int, frames)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(counter);
		__entry->skbaddr = skb;
		__entry->len = skb ? skb->len : 0;
		__entry->frames = frames;
	),
	TP_printk("dev=%s counter=%s frames=%u skbaddr=%p len=%u", __get_str(dev),
		  __get_str(counter), __entry->frames, __entry->skbaddr, __entry->len)
);

DECLARE_EVENT_CLASS(qlink_key,
	TP_PROTO(const struct net_device *dev, const char *direction, u64 epoch,
		 const char *source, u8 kmes, const char *state),
	TP_ARGS(dev, direction, epoch, source, kmes, state),
	TP_STRUCT__entry(
		__string(dev, dev->name)
		__string(direction, direction)
		__string(source, source)
		__string(state, state)
		__field(u64, epoch)
		__field(u8, kmes)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(direction);
		__assign_str(source);
		__assign_str(state);
		__entry->epoch = epoch;
		__entry->kmes = kmes;
	),
	TP_printk("dev=%s direction=%s epoch=%llu source=%s kmes=%u state=%s", __get_str(dev),
		  __get_str(direction), __entry->epoch, __get_str(source), __entry->kmes,
		  __get_str(state))
);

/* A key becomes the active one. @state: before */
DEFINE_EVENT(qlink_key, qlink_key_taken,
	TP_PROTO(const struct net_device *dev, const char *direction, u64 epoch,
		 const char *source, u8 kmes, const char *state),
	TP_ARGS(dev, direction, epoch, source, kmes, state)
);

/* A key leaves its ring, to be wiped. @state: before */
DEFINE_EVENT(qlink_key, qlink_key_gone,
	TP_PROTO(const struct net_device *dev, const char *direction, u64 epoch,
		 const char *source, u8 kmes, const char *state),
	TP_ARGS(dev, direction, epoch, source, kmes, state)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
