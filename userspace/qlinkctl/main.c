// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl: configure qlink devices, install their keys, show both. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "chain.h"
#include "ctl.h"
#include "doctor/doctor.h"
#include "key.h"
#include "kme.h"
#include "libqlink/option.h"
#include "monitor.h"
#include "record.h"
#include "set.h"
#include "show.h"

static const char help_head[] =
"usage: qlinkctl [-j] [-s] show [DEV]\n"
"       qlinkctl set DEV [link LOWER]\n"
"                ";

/* The options of a link are printed between the two. */
#define OPTIONS_COLUMN	16

static const char help_tail[] =
"       qlinkctl rotate DEV\n"
"       qlinkctl [-j] monitor [DEV]\n"
"       qlinkctl [-j] key show DEV\n"
"       qlinkctl [-j] record show DEV [after N]\n"
"       qlinkctl key add DEV tx|rx epoch N [source SOURCE] [kmes N]\n"
"                [id UUID] [blocks N] file PATH\n"
"       qlinkctl key add DEV batch PATH\n"
"       qlinkctl key del DEV tx|rx epoch N\n"
"       qlinkctl [-j] [-c SOCKET] doctor [DEV] [config FILE]\n"
"       qlinkctl [-j] [-c SOCKET] status\n"
"       qlinkctl [-j] [-c SOCKET] top [TIMES]\n"
"       qlinkctl [-j] [-c SOCKET] [-n] reload\n"
"       qlinkctl [-j] [-c SOCKET] kme check NAME [link DEVICE] [take-key]\n"
"       qlinkctl [-c SOCKET] restart DEV\n"
"       qlinkctl [-c SOCKET] withdraw DEV\n"
"       qlinkctl [-c SOCKET] chain accept DEV\n"
"       qlinkctl [-c SOCKET] reconnect PEER\n"
"       qlinkctl help\n"
"\n"
"SOURCE is qkd, hybrid, pqc or static; the default of a key is static.\n"
"LIST is sources separated by commas; hybrid2 or qkd2 demands at least two KMEs.\n"
"PATH is a file, or - for standard input:\n"
"44 bytes of a key and its salt, or for batch one key on each line, from tx|rx on.\n"
"\n"
"  -c, --control SOCKET  where qlinkd listens; the default is " AGENT_CONTROL "\n"
"  -j, --json            JSON, see qlinkctl(8)\n"
"  -n, --dry-run         only show what the reload would change\n"
"  -s, --stats           also show counters that are 0\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n";

static int print_help(void)
{
	fputs(help_head, stdout);
	qlink_options_print(stdout, OPTIONS_COLUMN, "");
	return fputs(help_tail, stdout) == EOF ? CTL_FAILED : CTL_OK;
}

static int print(const char *text)
{
	return fputs(text, stdout) == EOF ? CTL_FAILED : CTL_OK;
}

static int help_run(struct ctl *ctl, int argc, char **argv)
{
	(void)ctl;
	(void)argc;
	(void)argv;
	return print_help();
}

static const struct ctl_command commands[] = {
	{ "chain", chain_run },
	{ "doctor", doctor_run },
	{ "help", help_run },
	{ "key", key_run },
	{ "kme", kme_command_run },
	{ "monitor", monitor_run },
	{ "reconnect", reconnect_run },
	{ "record", record_run },
	{ "reload", reload_run },
	{ "restart", restart_run },
	{ "rotate", rotate_run },
	{ "set", set_run },
	{ "show", show_run },
	{ "status", status_run },
	{ "top", top_run },
	{ "withdraw", withdraw_run },
	{ NULL, NULL },
};

static const struct option long_options[] = {
	{ "control", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "stats", no_argument, NULL, 's' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int run(struct ctl *ctl, int argc, char **argv)
{
	int option;

	/* Options may be anywhere: getopt_long() moves them to the front. */
	while ((option = getopt_long(argc, argv, "c:hjnsV", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			ctl->control = optarg;
			break;
		case 'h':
			return print_help();
		case 'j':
			ctl->json = true;
			break;
		case 'n':
			ctl->dry_run = true;
			break;
		case 's':
			ctl->all_counters = true;
			break;
		case 'V':
			return print("qlinkctl " QLINK_VERSION "\n");
		default:
			return CTL_USAGE;
		}
	}
	if (ctl->dry_run && (optind == argc || strcmp(argv[optind], "reload")))
		return ctl_usage("--dry-run: only reload has this option");
	return ctl_dispatch(ctl, commands, "command", argc - optind,
			    argv + optind);
}

int main(int argc, char **argv)
{
	struct ctl ctl = { 0 };
	int err = run(&ctl, argc, argv);

	qlink_nl_close(ctl.nl);
	if (fflush(stdout) || ferror(stdout))
		return ctl_fail("standard output: cannot be written");
	return err;
}
