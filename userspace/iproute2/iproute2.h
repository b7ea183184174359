/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of iproute2's plug-in interface that qlink uses, written from its behaviour. */
#ifndef QLINK_IPROUTE2_H
#define QLINK_IPROUTE2_H

/*
 * ip installs no header for this interface and gives it no version number. It
 * loads link_KIND.so, looks up KIND_link_util, and exports its own functions.
 * struct link_util is the same from iproute2 4.11 (2017) to 7.3. The tests check
 * what is below by loading the plug-in into ip.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/**
 * struct link_util - what ip knows of a kind of link
 */
struct link_util {
	/** @next: ip's own */
	struct link_util *next;

	/** @id: the kind */
	const char *id;

	/** @maxattr: highest attribute of IFLA_INFO_DATA that ip parses for us */
	int maxattr;

	/** @parse_opt: turn the words after "type KIND" into attributes; 0 for success */
	int (*parse_opt)(struct link_util *lu, int argc, char **argv,
			 struct nlmsghdr *n);

	/** @print_opt: print IFLA_INFO_DATA; @tb is %NULL if there is none */
	void (*print_opt)(struct link_util *lu, FILE *f, struct rtattr *tb[]);

	/** @print_xstats: print IFLA_INFO_XSTATS */
	void (*print_xstats)(struct link_util *lu, FILE *f,
			     struct rtattr *xstats);

	/** @print_help: for "ip link help KIND" */
	void (*print_help)(struct link_util *lu, int argc, char **argv, FILE *f);

	/** @parse_ifla_xstats: not used */
	int (*parse_ifla_xstats)(struct link_util *lu, int argc, char **argv);

	/** @print_ifla_xstats: not used */
	int (*print_ifla_xstats)(struct nlmsghdr *n, void *arg);
};

/* Bytes of the request that parse_opt() may fill. */
#define IPLINK_REQUEST_BYTES	1024

enum output_type {
	PRINT_FP = 1,
	PRINT_JSON = 2,
	PRINT_ANY = 4,
};

/* The only one of ip's colours that qlink uses. */
enum color_attr {
	COLOR_NONE = 6,
};

int addattr_l(struct nlmsghdr *n, int maxlen, int type, const void *data,
	      int alen);

bool is_json_context(void);
void open_json_object(const char *name);
void close_json_object(void);
void open_json_array(enum output_type type, const char *name);
void close_json_array(enum output_type type, const char *end);
void print_nl(void);
int print_color_string(enum output_type type, enum color_attr color,
		       const char *key, const char *format, const char *value);
int print_color_uint(enum output_type type, enum color_attr color,
		     const char *key, const char *format, unsigned int value);
int print_color_bool(enum output_type type, enum color_attr color,
		     const char *key, const char *format, bool value);
int print_color_u64(enum output_type type, enum color_attr color,
		    const char *key, const char *format, uint64_t value);

#endif
