// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl chain: what is to become of the chains of a link. */
#include "chain.h"

#include <stddef.h>

#include "agent.h"

static int accept_run(struct ctl *ctl, int argc, char **argv)
{
	return agent_order_device(ctl, "accept-chain", argc, argv);
}

static const struct ctl_command commands[] = {
	{ "accept", accept_run },
	{ NULL, NULL },
};

int chain_run(struct ctl *ctl, int argc, char **argv)
{
	return ctl_dispatch(ctl, commands, "command of chain", argc, argv);
}
