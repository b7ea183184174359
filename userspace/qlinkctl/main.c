// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl: configure qlink devices, install their keys, show both. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "chain.h"
#include "change/change.h"
#include "change/pending.h"
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
#include "site/agentfile.h"
#include "site/export.h"
#include "site/notices.h"
#include "top.h"

static const char help_head[] =
"usage: qlinkctl [-j] [-s] show [DEV]\n"
"       qlinkctl set DEV [link LOWER]\n"
"                ";

/* The options of a link are printed between the two. */
#define OPTIONS_COLUMN	16

static const char help_tail[] =
"       qlinkctl rotate DEV\n"
"       qlinkctl [-j] monitor [--yang] [DEV]\n"
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
"       qlinkctl [-j] [-c SOCKET] [-f FOLDER] apply [--check] [--prune] [--replace]\n"
"                [--confirm SECONDS [--if-protected]] [--config FILE]\n"
"                [--pending FOLDER] PATH\n"
"       qlinkctl [-j] [--pending FOLDER] confirm\n"
"       qlinkctl [-j] [--pending FOLDER] rollback [--if-interrupted]\n"
"       qlinkctl [-c SOCKET] export [--state] [--config FILE]\n"
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
"  -o, --sort COLUMN     sort by the column with this heading; -COLUMN reverses\n"
"\n"
"Options of apply, confirm and rollback:\n"
"      --check           only show what would change\n"
"      --config FILE     of the agent; the default is " AGENTFILE_PATH "\n"
"      --confirm SECONDS put back what was before, unless confirmed in this time\n"
"      --if-interrupted  only put back what nobody looks after\n"
"      --if-protected    confirm once links are as well protected as before\n"
"      --pending FOLDER  what was before; the default is " PENDING_FOLDER "\n"
"      --prune           what the document does not name goes\n"
"      --replace         take over files that were written by hand\n"
"\n"
"Options of export and monitor:\n"
"      --config FILE     of the agent; the default is " AGENTFILE_PATH "\n"
"      --state           also what the kernel and the agent say\n"
"      --yang            notifications of qlink.yang\n";

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

static int watch_run(struct ctl *ctl, int argc, char **argv)
{
	return ctl->yang ? notices_run(ctl, argc, argv) : monitor_run(ctl, argc, argv);
}

static const struct ctl_command commands[] = {
	{ "apply", change_apply },
	{ "chain", chain_run },
	{ "confirm", change_confirm },
	{ "doctor", doctor_run },
	{ "export", export_run },
	{ "help", help_run },
	{ "key", key_run },
	{ "kme", kme_command_run },
	{ "links", links_run },
	{ "monitor", watch_run },
	{ "reconnect", reconnect_run },
	{ "record", record_run },
	{ "reload", reload_run },
	{ "restart", restart_run },
	{ "rollback", change_rollback },
	{ "rotate", rotate_run },
	{ "set", set_run },
	{ "show", show_run },
	{ "status", status_run },
	{ "top", top_run },
	{ "withdraw", withdraw_run },
	{ NULL, NULL },
};

/* Long options that have no letter. */
enum {
	OPTION_CHECK = 256,
	OPTION_CONFIG,
	OPTION_CONFIRM,
	OPTION_IF_INTERRUPTED,
	OPTION_IF_PROTECTED,
	OPTION_PENDING,
	OPTION_PRUNE,
	OPTION_REPLACE,
	OPTION_STATE,
	OPTION_YANG,
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

/* What apply, confirm and rollback have. */
static const struct option change_options[] = {
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "confirm", required_argument, NULL, OPTION_CONFIRM },
	{ "if-interrupted", no_argument, NULL, OPTION_IF_INTERRUPTED },
	{ "if-protected", no_argument, NULL, OPTION_IF_PROTECTED },
	{ "pending", required_argument, NULL, OPTION_PENDING },
	{ "prune", no_argument, NULL, OPTION_PRUNE },
	{ "replace", no_argument, NULL, OPTION_REPLACE },
	{ "control", required_argument, NULL, 'c' },
	{ "folder", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const struct option export_options[] = {
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "state", no_argument, NULL, OPTION_STATE },
	{ "control", required_argument, NULL, 'c' },
	{ "folder", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static const struct option monitor_options[] = {
	{ "yang", no_argument, NULL, OPTION_YANG },
	{ "control", required_argument, NULL, 'c' },
	{ "folder", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "stats", no_argument, NULL, 's' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* Commands whose options are others. */
static const struct own_options {
	const char *command, *letters;
	const struct option *options;
} own_options[] = {
	{ "apply", "c:f:hjV", change_options },
	{ "confirm", "hjV", change_options },
	{ "export", "c:f:hjV", export_options },
	{ "monitor", "c:f:hjsV", monitor_options },
	{ "rollback", "hjV", change_options },
	{ "top", "bc:d:hjn:o:V", top_options },
	{ NULL, "c:f:hjnsV", long_options },
};

/* Find the command, before it is known which options there are. */
static const struct own_options *find_options(int argc, char **argv)
{
	const struct own_options *own = own_options;

	opterr = 0;
	while (getopt_long(argc, argv, "+bc:f:hjnsV", change_options, NULL) != -1)
		;
	opterr = 1;
	while (own->command && (optind >= argc || strcmp(argv[optind], own->command)))
		own++;
	return own;
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
	case OPTION_CHECK: ctl->change.check = true; break;
	case OPTION_CONFIG: ctl->config = optarg; break;
	case OPTION_CONFIRM: ctl->change.confirm = optarg; break;
	case OPTION_IF_INTERRUPTED: ctl->change.if_interrupted = true; break;
	case OPTION_IF_PROTECTED: ctl->change.if_protected = true; break;
	case OPTION_PENDING: ctl->change.pending = optarg; break;
	case OPTION_PRUNE: ctl->change.prune = true; break;
	case OPTION_REPLACE: ctl->change.replace = true; break;
	case OPTION_STATE: ctl->with_state = true; break;
	case OPTION_YANG: ctl->yang = true; break;
	case 'V': return print("qlinkctl " QLINK_VERSION "\n");
	default: return CTL_USAGE;
	}
	return -1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
	const struct own_options *own = find_options(argc, argv);
	bool has_top = own->options == top_options;
	int option, err;

	/* 0 has it start over. Options may be anywhere: getopt_long() moves them to the front. */
	optind = 0;
	while ((option = getopt_long(argc, argv, own->letters, own->options, NULL)) != -1) {
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
