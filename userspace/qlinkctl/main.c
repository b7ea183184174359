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
#include "links/declared.h"
#include "links/links.h"
#include "monitor.h"
#include "record.h"
#include "set.h"
#include "show.h"
#include "top.h"

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
"       qlinkctl [-j] [-f FOLDER] links apply|check|show [DEV]...\n"
"       qlinkctl [-f FOLDER] links follow\n"
"       qlinkctl [-j] [-c SOCKET] status\n"
"       qlinkctl [-bj] [-c SOCKET] top [-n TIMES] [-d SECONDS] [-o COLUMN]\n"
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
"  -f, --folder FOLDER   where links are declared; the default is " DECLARED_FOLDER "\n"
"  -j, --json            JSON, see qlinkctl(8)\n"
"  -n, --dry-run         only show what the reload would change\n"
"  -s, --stats           also show counters that are 0\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n"
"\n"
"Options of top, behind this word:\n"
"  -b, --batch           plain lines instead of a screen\n"
"  -d, --delay SECONDS   time between two looks; 1 unless set\n"
"  -n, --times TIMES     end after so many looks\n"
"  -o, --sort COLUMN     sort by the column with this heading; -COLUMN reverses\n";

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
	{ "links", links_run },
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
	{ "folder", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "stats", no_argument, NULL, 's' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* What top has besides, and instead of a dry run. */
static const struct option top_options[] = {
	{ "batch", no_argument, NULL, 'b' },
	{ "delay", required_argument, NULL, 'd' },
	{ "times", required_argument, NULL, 'n' },
	{ "sort", required_argument, NULL, 'o' },
	{ "control", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Find the command, before it is known which options there are. */
static bool is_top(int argc, char **argv)
{
	opterr = 0;
	while (getopt_long(argc, argv, "+bc:f:hjnsV", long_options, NULL) != -1)
		;
	opterr = 1;
	return optind < argc && !strcmp(argv[optind], "top");
}

/* Return: an exit status for an option that is all, or -1. */
static int take_option(struct ctl *ctl, int option)
{
	switch (option) {
	case 'b': ctl->top.batch = true; break;
	case 'c': ctl->control = optarg; break;
	case 'd': ctl->top.delay = optarg; break;
	case 'f': ctl->folder = optarg; break;
	case 'h': return print_help();
	case 'j': ctl->json = true; break;
	case 'n':
		/* Only that of top has an argument. */
		ctl->dry_run = !optarg;
		ctl->top.times = optarg;
		break;
	case 'o': ctl->top.sort = optarg; break;
	case 's': ctl->all_counters = true; break;
	case 'V': return print("qlinkctl " QLINK_VERSION "\n");
	default: return CTL_USAGE;
	}
	return -1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	bool has_top = is_top(argc, argv);
	int option, err;

	/* 0 has it start over. Options may be anywhere: getopt_long() moves them to the front. */
	optind = 0;
	while ((option = getopt_long(argc, argv, has_top ? "bc:d:hjn:o:V" : "c:f:hjnsV",
				     has_top ? top_options : long_options, NULL)) != -1) {
		err = take_option(ctl, option);
		if (err >= 0)
			return err;
	}
	if (has_top && optind == argc)
		return ctl_usage("--times \"top\": the number comes behind the word top, with this option");
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
