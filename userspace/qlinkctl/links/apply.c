// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes a link as it is declared, or changes it to that. */
#include "apply.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "libqlink/netns.h"

/* One link, while it is made or changed. */
struct job {
	struct ctl *ctl;
	const struct declared_link *link;
	struct apply_result *result;
	struct qlink_device device;
	struct qlink_link is;
	struct comparison comparison;
};

const char *apply_word(enum apply_outcome outcome)
{
	switch (outcome) {
	case APPLY_KEPT:
		return "as declared";
	case APPLY_MADE:
		return "made";
	case APPLY_CHANGED:
		return "changed";
	case APPLY_WAITS:
		return "waits";
	case APPLY_REFUSED:
		return "refused";
	case APPLY_ABSENT:
		return "not there";
	case APPLY_DIFFERS:
		return "differs";
	}
	return "";
}

void apply_print(const struct declared_link *link, const struct apply_result *result)
{
	const char *name = link->is.device.name, *word = apply_word(result->outcome);

	if (result->outcome == APPLY_REFUSED)
		ctl_warn("%s:%u: %s: %s: %s", link->file, link->line, name, word, result->text);
	else
		printf("%s: %s%s%s\n", name, word, *result->text ? ": " : "", result->text);
}

static void end(struct job *job, enum apply_outcome outcome, const char *text)
{
	job->result->outcome = outcome;
	snprintf(job->result->text, sizeof(job->result->text), "%s", text);
}

static int refuse(struct job *job, const struct qlink_error *error)
{
	end(job, APPLY_REFUSED, qlink_error_text(error));
	job->result->err = -error->err;
	return -error->err;
}

/* ---- what is there ---- */

static int get_device(struct job *job)
{
	struct qlink_error error;

	if (qlink_device_get(job->link->is.device.name, &job->device, &error))
		return refuse(job, &error);
	return 0;
}

/* Everything but the device, which is there. */
static int get_link(struct job *job)
{
	const char *lower = job->link->is.lower;
	struct qlink_error error;
	char text[160];

	if (qlink_link_get(job->ctl->nl, job->device.ifindex, &job->is, &error)) {
		snprintf(text, sizeof(text), "a device of this name is there: %.120s", qlink_error_text(&error));
		end(job, APPLY_REFUSED, text);
		return -error.err;
	}
	job->result->ifindex = job->device.ifindex;
	/* Its index means another device where the underlay is elsewhere. */
	if (*lower && qlink_underlay_is_here(job->device.ifindex))
		job->result->lower = if_nametoindex(lower);
	compare_options(&job->comparison, job->link, job->result->lower, &job->is);
	compare_device(&job->comparison, job->link, &job->device);
	return 0;
}

static bool lacks_lower(const struct job *job)
{
	return *job->link->is.lower && !job->result->lower && !qlink_config_has(&job->is.config, IFLA_QLINK_LOWER);
}

static void wait_for_lower(struct job *job)
{
	char text[80];

	snprintf(text, sizeof(text), "link %s: no such device", job->link->is.lower);
	end(job, APPLY_WAITS, text);
}

/* ---- changes ---- */

/* The options of its underlay come later. */
static int make_device(struct job *job)
{
	struct qlink_device device = job->link->is.device;
	struct qlink_error error;
	int err;

	device.is_up = false;
	err = qlink_device_put(&device, &error);
	/* Somebody else may have made it just now. */
	if (err && err != -EEXIST)
		return refuse(job, &error);
	if (!err)
		end(job, APPLY_MADE, "");
	err = get_device(job);
	if (!err && !job->device.ifindex) {
		end(job, APPLY_REFUSED, "it was deleted at once");
		err = -ENODEV;
	}
	return err;
}

static int set_options(struct job *job, struct qlink_error *error)
{
	if (!job->comparison.change.present)
		return 0;
	return qlink_link_set(job->ctl->nl, job->device.ifindex, &job->comparison.change, error);
}

/* Its policy is in force before it has an underlay. */
static int set_policy(struct job *job)
{
	struct qlink_error error;

	compare_cut_underlay(&job->comparison.change);
	return set_options(job, &error) ? refuse(job, &error) : 0;
}

/* The kernel has these errnos for a local address, or a dev, that is not there. */
static bool may_come(int err)
{
	return err == -EADDRNOTAVAIL || err == -ENODEV;
}

static int change_link(struct job *job)
{
	struct qlink_error error;
	int err;

	if (lacks_lower(job)) {
		wait_for_lower(job);
		return set_policy(job);
	}
	err = set_options(job, &error);
	if (!err)
		return 0;
	if (!may_come(err))
		return refuse(job, &error);
	end(job, APPLY_WAITS, qlink_error_text(&error));
	return set_policy(job);
}

static int put_device(struct job *job, const struct qlink_device *device)
{
	struct qlink_error error;

	return qlink_device_put(device, &error) ? refuse(job, &error) : 0;
}

/* All but the MTU, which may be refused. */
static int change_device(struct job *job)
{
	struct qlink_device device = job->comparison.device;

	device.mtu = 0;
	if (!device.txqueuelen && !device.is_up && !device.has_mac)
		return 0;
	return put_device(job, &device);
}

/* It is looked at again, because an underlay and a mode of parcels limit it. */
static int change_mtu(struct job *job)
{
	struct qlink_device device = { .mtu = job->link->is.device.mtu };
	int err;

	if (!device.mtu)
		return 0;
	err = get_device(job);
	if (err || !job->device.ifindex || job->device.mtu == device.mtu)
		return err;
	device.ifindex = job->device.ifindex;
	memcpy(device.name, job->device.name, sizeof(device.name));
	return put_device(job, &device);
}

void apply_link(struct ctl *ctl, const struct declared_link *link, struct apply_result *result)
{
	struct job job = { .ctl = ctl, .link = link, .result = result };
	bool differs;

	memset(result, 0, sizeof(*result));
	if (get_device(&job) || (!job.device.ifindex && make_device(&job)) || get_link(&job))
		return;
	differs = job.comparison.change.present || job.comparison.has_device;
	if (change_link(&job) || change_device(&job) || change_mtu(&job))
		return;
	if (differs && result->outcome == APPLY_KEPT)
		end(&job, APPLY_CHANGED, job.comparison.text);
}

void apply_look(struct ctl *ctl, const struct declared_link *link, struct apply_result *result)
{
	struct job job = { .ctl = ctl, .link = link, .result = result };

	memset(result, 0, sizeof(*result));
	if (get_device(&job))
		return;
	if (!job.device.ifindex)
		end(&job, APPLY_ABSENT, "");
	else if (get_link(&job))
		return;
	else if (lacks_lower(&job))
		wait_for_lower(&job);
	else if (job.comparison.change.present || job.comparison.has_device)
		end(&job, APPLY_DIFFERS, job.comparison.text);
}
