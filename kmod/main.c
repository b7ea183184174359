// SPDX-License-Identifier: GPL-2.0
/* The module: its parts start in the order of LAYERS, links last, and stop in reverse order. */
#include <linux/init.h>
#include <linux/module.h>

#include "aead.h"
#include "device.h"
#include "faultpoint.h"
#include "key_wipe.h"
#include "keytable.h"
#include "link.h"
#include "netlink.h"
#include "power.h"
#include "roam.h"
#include "rx.h"
#include "selftest.h"
#include "tx.h"
#include "udp_net.h"
#include "underlay.h"

static const struct qlink_underlay_upcalls qlink_underlay_upcalls = {
	.rx		= qlink_rx_receive,
	.rx_bundle	= qlink_rx_receive_bundle,
	.strayed	= qlink_roam_stray,
	.resized	= qlink_device_resized,
	.follow		= qlink_device_follow,
	.follow_all	= qlink_link_follow_all,
};

static void qlink_keys_exit(void)
{
	qlink_key_wipe_exit();
	qlink_key_exit();
	qlink_slot_exit();
}

static int __init qlink_keys_init(void)
{
	int err;

	err = qlink_slot_init();
	if (err)
		return err;
	err = qlink_key_init();
	if (err) {
		qlink_slot_exit();
		return err;
	}
	qlink_key_wipe_init();
	return 0;
}

static int __init qlink_init(void)
{
	int err;

	err = qlink_aead_init();
	if (err)
		return err;
	err = qlink_selftest();
	if (err)
		goto exit_aead;
	err = qlink_keys_init();
	if (err)
		goto exit_aead;
	err = qlink_keytable_init();
	if (err)
		goto exit_keys;
	err = qlink_power_init();
	if (err)
		goto exit_keytable;
	err = qlink_underlay_init(&qlink_underlay_upcalls);
	if (err)
		goto exit_power;
	err = qlink_udp_net_init();
	if (err)
		goto exit_underlay;
	qlink_faultpoint_init();
	err = qlink_tx_init();
	if (err)
		goto exit_udp_net;
	err = qlink_rx_init();
	if (err)
		goto exit_tx;
	/* The family must exist as long as any link does, because events of links need it. */
	err = qlink_netlink_init();
	if (err)
		goto exit_rx;
	err = qlink_device_init();
	if (err)
		goto exit_netlink;
	return 0;

exit_netlink:
	qlink_netlink_exit();
exit_rx:
	qlink_rx_exit();
exit_tx:
	qlink_tx_exit();
exit_udp_net:
	qlink_faultpoint_exit();
	qlink_udp_net_exit();
exit_underlay:
	qlink_underlay_exit();
exit_power:
	qlink_power_exit();
exit_keytable:
	qlink_keytable_exit();
exit_keys:
	qlink_keys_exit();
exit_aead:
	qlink_aead_exit();
	return err;
}

static void __exit qlink_exit(void)
{
	qlink_device_exit();
	qlink_netlink_exit();
	qlink_rx_exit();
	qlink_tx_exit();
	qlink_faultpoint_exit();
	qlink_udp_net_exit();
	qlink_underlay_exit();
	qlink_power_exit();
	qlink_keys_exit();
	/* Wait until the last attaches and ports are freed. */
	rcu_barrier();
	qlink_keytable_exit();
	qlink_aead_exit();
}

module_init(qlink_init);
module_exit(qlink_exit);

MODULE_DESCRIPTION("Ethernet link sealed with AES-256-GCM under QKD and post-quantum keys");
MODULE_LICENSE("GPL");
/* With it the module has a hash of its sources: see "qlinkctl doctor". */
MODULE_VERSION(QLINK_VERSION);
MODULE_SOFTDEP("pre: aesni_intel gcm");
