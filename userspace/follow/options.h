/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of qlink-follow, see qlink-follow(8). */
#ifndef FOLLOW_OPTIONS_H
#define FOLLOW_OPTIONS_H

#include <stdint.h>

#include "common/why.h"

/* Members of an etcd that are named, at most. */
#define OPTIONS_ENDPOINTS_MAX	9
/* Longest name of a site, as that of an agent. */
#define OPTIONS_NAME_MAX	253

/**
 * struct options - what the file and the command line say
 *
 * Texts point into @text.
 */
struct options {
	/** @site: name of the site */
	const char *site;

	/** @endpoints: URLs of etcd's members */
	const char *endpoints[OPTIONS_ENDPOINTS_MAX];

	/** @n_endpoints: how many */
	uint32_t n_endpoints;

	/** @ca: file with the CAs of etcd */
	const char *ca;

	/** @certificate: file with ours */
	const char *certificate;

	/** @key: file with its private key */
	const char *key;

	/** @user: of etcd, %NULL if it has no users */
	const char *user;

	/** @password_file: file with the password of @user */
	const char *password_file;

	/** @prefix: of all keys, as "/qlink" */
	const char *prefix;

	/** @ttl_ms: how long etcd keeps our status without hearing of us */
	uint64_t ttl_ms;

	/** @confirm_ms: time for links to be protected after a change */
	uint64_t confirm_ms;

	/** @prune: 1 to delete what documents no longer name */
	uint32_t prune;

	/** @control: the agent's control socket, %NULL for qlinkctl's default */
	const char *control;

	/** @config: the agent's configuration, likewise */
	const char *config;

	/** @folder: where links are declared, likewise */
	const char *folder;

	/** @pending: folder of a change that waits, likewise */
	const char *pending;

	/** @state: our folder */
	const char *state;

	/** @text: of the file */
	char *text;
};

/**
 * options_read() - read the configuration of a site
 * @options: filled in; freed with options_free(), also on failure
 * @site: name of the site
 * @path: of the file; %NULL for /etc/qlink/follow/SITE.conf, or /etc/qlink/follow.conf where there is none
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno with @why.
 */
int options_read(struct options *options, const char *site, const char *path, struct qlink_why *why);

/**
 * options_free() - free the configuration
 * @options: from options_read()
 */
void options_free(struct options *options);

#endif
