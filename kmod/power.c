// SPDX-License-Identifier: GPL-2.0
/* Suspend, hibernation, reboots and clones of a VM: no key outlives them. */
#include "power.h"

#include <linux/irq_work.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/rwsem.h>
#include <linux/suspend.h>
#include <linux/workqueue.h>

#include "aead.h"
#include "faultpoint.h"
#include "key_wipe.h"
#include "keyring.h"
#include "names-gen.h"

/**
 * DOC: When all keys go
 *
 * A transmit key is safe as long as its counters only grow. A memory image that is
 * restored twice rewinds them, and so does a VM that continues from a snapshot. And
 * whoever finds a sleeping machine can read its memory. So:
 *
 * Before the host sleeps, or writes or restores an image, every key is wiped, in
 * the rings, the transforms and the requests, and no key is installed until the
 * host is back. No image holds a key.
 *
 * Memory survives a reboot, longest where kexec starts the next kernel, and whoever that
 * kernel belongs to can read it. Before a reboot, a halt and the switching off, every
 * key is wiped as before a sleep, and no key is installed any more. A crash, and a
 * reboot by sysrq or with "reboot -f -f" of a hung kernel, tell nobody before.
 *
 * A clone has run for a moment before it learns that it is one: the host's virtual
 * machine monitor changes the generation ID and raises an interrupt. The kernel calls us
 * from a work item, or, in guests that are described by a device tree, from the
 * interrupt itself. So at the notice we only stop all links from sealing, which waits
 * for nothing; a work item of high priority does the rest. The kernel cannot take back
 * what was sealed before.
 *
 * The rings start anew with new ids. The ids show both ends that no earlier key is held
 * any more.
 */

/* An install holds it for reading, from before the keys are made until they are in the rings or
 * wiped. So while it is held for writing, there are no keys except those in the rings.
 */
static DECLARE_RWSEM(qlink_power_lock);

/* Why no key is installed; NULL where keys are. Set before the lock is taken for writing. */
static const char *qlink_power_refusal;

static void qlink_power_wipe(enum qlink_wipe_cause cause)
{
	int silenced;

	/* All links at once, before anything that takes long. */
	qlink_keyrings_stop();

	down_write(&qlink_power_lock);
	silenced = qlink_keyrings_silenced();
	qlink_keyrings_wipe(cause);
	qlink_key_flush();
	qlink_aead_forget();
	qlink_keyrings_unsilence(silenced);
	up_write(&qlink_power_lock);
	pr_notice("qlink: all keys wiped: %s\n", qlink_wipe_cause_name(cause));
}

static void qlink_power_sleep(enum qlink_wipe_cause cause)
{
	WRITE_ONCE(qlink_power_refusal,
		   "the host goes to sleep; keys are refused until it is back");
	qlink_power_wipe(cause);
}

static void qlink_power_wake(void)
{
	/* An image may be restored more than once, and each time the rings need new ids. */
	qlink_keyrings_rename();
	WRITE_ONCE(qlink_power_refusal, NULL);
}

static int qlink_power_pm_event(struct notifier_block *block, unsigned long event, void *unused)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
		qlink_power_sleep(QLINK_WIPE_CAUSE_SUSPEND);
		break;
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		qlink_power_sleep(QLINK_WIPE_CAUSE_HIBERNATION);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		qlink_power_wake();
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block qlink_power_pm_notifier = {
	.notifier_call = qlink_power_pm_event,
};

static int qlink_power_reboot_event(struct notifier_block *block, unsigned long event,
				    void *unused)
{
	WRITE_ONCE(qlink_power_refusal, "the host goes down; keys are refused");
	qlink_power_wipe(QLINK_WIPE_CAUSE_REBOOT);
	return NOTIFY_DONE;
}

/* For a reboot, a halt and the switching off alike. */
static struct notifier_block qlink_power_reboot_notifier = {
	.notifier_call = qlink_power_reboot_event,
};

static void qlink_power_wipe_clone(struct work_struct *work)
{
	qlink_power_wipe(QLINK_WIPE_CAUSE_CLONE);
}

static DECLARE_WORK(qlink_power_clone_work, qlink_power_wipe_clone);

static int qlink_power_vm_event(struct notifier_block *block, unsigned long event, void *unused)
{
	qlink_keyrings_silence();
	queue_work(system_highpri_wq, &qlink_power_clone_work);
	return NOTIFY_DONE;
}

/* A fork of the VM, as a guest with a device tree is told of it. */
static void qlink_power_pretend_fork(struct irq_work *work)
{
	qlink_power_vm_event(NULL, 0, NULL);
}

static struct irq_work qlink_power_pretended_fork = IRQ_WORK_INIT_HARD(qlink_power_pretend_fork);

/* First of all notifiers: nothing is more urgent at a fork than a key in use. */
static struct notifier_block qlink_power_vm_notifier = {
	.notifier_call = qlink_power_vm_event,
	.priority = INT_MAX,
};

/**
 * qlink_power_enter() - begin a request with keys, so that no wipe misses them
 *
 * Context: Process context, sleeps; not under RTNL. Until qlink_power_leave().
 */
void qlink_power_enter(void)
{
	down_read(&qlink_power_lock);
	if (qlink_faultpoint_hits(QLINK_FAULTPOINT_FORKS))
		irq_work_queue(&qlink_power_pretended_fork);
}

/**
 * qlink_power_leave() - end a request: its keys are in their rings, or freed
 */
void qlink_power_leave(void)
{
	up_read(&qlink_power_lock);
}

/**
 * qlink_power_check() - may keys be made and installed now?
 * @extack: told why not
 *
 * Context: After qlink_power_enter().
 * Return: 0 or %-EBUSY
 */
int qlink_power_check(struct netlink_ext_ack *extack)
{
	const char *refusal = READ_ONCE(qlink_power_refusal);

	if (!refusal)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s", refusal);
	return -EBUSY;
}

/**
 * qlink_power_init() - register for sleep and reboots of the host, and for clones of it
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative errno
 */
int __init qlink_power_init(void)
{
	int err = register_pm_notifier(&qlink_power_pm_notifier);

	if (err)
		return err;
	err = register_reboot_notifier(&qlink_power_reboot_notifier);
	if (err)
		goto unregister_pm;
	err = register_random_vmfork_notifier(&qlink_power_vm_notifier);
	if (err)
		goto unregister_reboot;
	return 0;

unregister_reboot:
	unregister_reboot_notifier(&qlink_power_reboot_notifier);
unregister_pm:
	unregister_pm_notifier(&qlink_power_pm_notifier);
	return err;
}

/**
 * qlink_power_exit() - undo qlink_power_init()
 *
 * Context: Process context, sleeps.
 */
void qlink_power_exit(void)
{
	unregister_random_vmfork_notifier(&qlink_power_vm_notifier);
	irq_work_sync(&qlink_power_pretended_fork);
	cancel_work_sync(&qlink_power_clone_work);
	unregister_reboot_notifier(&qlink_power_reboot_notifier);
	unregister_pm_notifier(&qlink_power_pm_notifier);
}
