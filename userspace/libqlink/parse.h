/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns words of a command line into values, and values into words. */
#ifndef QLINK_PARSE_H
#define QLINK_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include <linux/qlink.h>

#include "common/why.h"

#define QLINK_MAC_BYTES		6
/* Room for each text below, with its final NUL. */
#define QLINK_MAC_TEXT		18
#define QLINK_UUID_TEXT		37
#define QLINK_ADDR_TEXT		46
#define QLINK_ACCEPT_TEXT	64
#define QLINK_SOURCE_TEXT	16

/**
 * struct qlink_addr - an address of the udp underlay
 */
struct qlink_addr {
	/** @len: 4 for IPv4, 16 for IPv6, 0 for none */
	uint8_t len;

	/** @bytes: the address in network order, @len of them count */
	uint8_t bytes[16];
};

/**
 * qlink_parse_ethertype() - parse an EtherType, 0x0600 to 0xffff
 * @text: 0x and one to four hexadecimal digits
 * @ethertype: where it goes, in host order
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_ethertype(const char *text, uint16_t *ethertype,
			  struct qlink_why *why);

/**
 * qlink_parse_mac() - parse a MAC address
 * @text: six pairs of hexadecimal digits, colons between them
 * @mac: where it goes
 * @why: filled in on failure
 *
 * The kernel checks whether a peer can have the address.
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_mac(const char *text, uint8_t mac[QLINK_MAC_BYTES],
		    struct qlink_why *why);

/**
 * qlink_parse_addr() - parse an IPv4 or IPv6 address
 * @text: in the form of inet_pton()
 * @addr: where it goes
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_addr(const char *text, struct qlink_addr *addr,
		     struct qlink_why *why);

/**
 * qlink_parse_uuid() - parse a UUID in its usual form
 * @text: 8-4-4-4-12 hexadecimal digits of either case
 * @uuid: where it goes, in network order
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_uuid(const char *text, uint8_t uuid[QLINK_KME_KEY_ID_BYTES],
		     struct qlink_why *why);

/**
 * qlink_parse_source() - parse the name of a key source
 * @text: qkd, hybrid, pqc or static
 * @source: where it goes, an enum qlink_source
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_source(const char *text, uint8_t *source, struct qlink_why *why);

/**
 * qlink_parse_direction() - parse the direction of a key
 * @text: tx or rx
 * @direction: where it goes, an enum qlink_direction
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_direction(const char *text, uint8_t *direction,
			  struct qlink_why *why);

/**
 * qlink_parse_accept() - parse a list of key sources
 * @text: names of sources, commas between them, each once; or "none". The name of a source
 *	that has KMEs may end with the least number of them, as "hybrid2"; two such sources
 *	have the same number
 * @accept: where the mask goes, bit n for source n
 * @kmes: where the least number of KMEs goes, 1 without any
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why.
 */
int qlink_parse_accept(const char *text, uint32_t *accept, uint8_t *kmes,
		       struct qlink_why *why);

/**
 * qlink_format_mac() - write a MAC address as qlink_parse_mac() reads it
 * @mac: the address
 * @text: where it goes
 *
 * Return: @text.
 */
char *qlink_format_mac(const uint8_t mac[QLINK_MAC_BYTES],
		       char text[QLINK_MAC_TEXT]);

/**
 * qlink_format_addr() - write an address as qlink_parse_addr() reads it
 * @addr: the address
 * @text: where it goes, "none" for an address of length 0
 *
 * Return: @text.
 */
char *qlink_format_addr(const struct qlink_addr *addr,
			char text[QLINK_ADDR_TEXT]);

/**
 * qlink_format_uuid() - write 16 bytes as qlink_parse_uuid() reads them
 * @uuid: the bytes, in network order
 * @text: where it goes, in lower case
 *
 * Return: @text.
 */
char *qlink_format_uuid(const uint8_t uuid[QLINK_KME_KEY_ID_BYTES],
			char text[QLINK_UUID_TEXT]);

/**
 * qlink_format_source() - write where a key comes from
 * @source: an enum qlink_source
 * @kmes: how many KMEs it has secrets of
 * @text: where it goes: the name of the source, then the number if that is above 1
 *
 * Return: @text.
 */
char *qlink_format_source(uint8_t source, uint8_t kmes, char text[QLINK_SOURCE_TEXT]);

/**
 * qlink_format_accept() - write a mask as qlink_parse_accept() reads it
 * @accept: the mask; bits without a name are added as one number at the end
 * @kmes: the least number of KMEs of a key whose source has any
 * @text: where it goes, "none" for an empty mask
 *
 * Return: @text.
 */
char *qlink_format_accept(uint32_t accept, uint8_t kmes, char text[QLINK_ACCEPT_TEXT]);

#endif
