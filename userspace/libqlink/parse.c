// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns words of a command line into values, and values into words. */
#include "parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "names.h"

#define ETHERTYPE_MIN	0x0600

/* isxdigit() and strtoul() depend on the locale, and strtoul() takes signs. */
static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool hex_byte(const char *text, uint8_t *byte)
{
	int high = hex_digit(text[0]), low;

	if (high < 0)
		return false;
	low = hex_digit(text[1]);
	if (low < 0)
		return false;
	*byte = (uint8_t)(high << 4 | low);
	return true;
}

int qlink_parse_ethertype(const char *text, uint16_t *ethertype,
			  struct qlink_why *why)
{
	size_t i, len = strlen(text);
	unsigned int value = 0;
	int digit = -1;

	if (len > 2 && len <= 6 && text[0] == '0' && text[1] == 'x')
		for (i = 2; i < len; i++) {
			digit = hex_digit(text[i]);
			if (digit < 0)
				break;
			value = value << 4 | (unsigned int)digit;
		}
	if (digit < 0 || value < ETHERTYPE_MIN)
		return qlink_refuse(why, -EINVAL, "not an EtherType from 0x0600 to 0xffff");
	*ethertype = (uint16_t)value;
	return 0;
}

int qlink_parse_mac(const char *text, uint8_t mac[QLINK_MAC_BYTES],
		    struct qlink_why *why)
{
	uint8_t bytes[QLINK_MAC_BYTES];
	int i;

	for (i = 0; i < QLINK_MAC_BYTES; i++) {
		if (!hex_byte(text, &bytes[i]))
			break;
		text += 2;
		if (*text != (i < QLINK_MAC_BYTES - 1 ? ':' : '\0'))
			break;
		text++;
	}
	if (i < QLINK_MAC_BYTES)
		return qlink_refuse(why, -EINVAL, "not a MAC address like 02:00:00:00:00:01");
	memcpy(mac, bytes, sizeof(bytes));
	return 0;
}

int qlink_parse_addr(const char *text, struct qlink_addr *addr,
		     struct qlink_why *why)
{
	struct qlink_addr new = { .len = 4 };

	if (inet_pton(AF_INET, text, new.bytes) != 1) {
		new.len = 16;
		if (inet_pton(AF_INET6, text, new.bytes) != 1)
			return qlink_refuse(why, -EINVAL, "not an IPv4 or IPv6 address");
	}
	*addr = new;
	return 0;
}

static bool is_before_dash(int i)
{
	return i == 4 || i == 6 || i == 8 || i == 10;
}

int qlink_parse_uuid(const char *text, uint8_t uuid[QLINK_KME_KEY_ID_BYTES],
		     struct qlink_why *why)
{
	uint8_t bytes[QLINK_KME_KEY_ID_BYTES];
	int i;

	for (i = 0; i < QLINK_KME_KEY_ID_BYTES; i++) {
		if (is_before_dash(i) && *text++ != '-')
			break;
		if (!hex_byte(text, &bytes[i]))
			break;
		text += 2;
	}
	if (i < QLINK_KME_KEY_ID_BYTES || *text)
		return qlink_refuse(why, -EINVAL, "not a UUID like 123e4567-e89b-12d3-a456-426614174000");
	memcpy(uuid, bytes, sizeof(bytes));
	return 0;
}

static int parse_name(const struct qlink_names *names, const char *what,
		      const char *text, uint8_t *value, struct qlink_why *why)
{
	int found = qlink_name_find(names, text, strlen(text));
	char list[64];

	if (found < 0) {
		qlink_name_list(names, list, sizeof(list));
		return qlink_refuse(why, -EINVAL, "not a %s: %s", what, list);
	}
	*value = (uint8_t)found;
	return 0;
}

int qlink_parse_source(const char *text, uint8_t *source, struct qlink_why *why)
{
	return parse_name(&qlink_sources, "source", text, source, why);
}

int qlink_parse_direction(const char *text, uint8_t *direction,
			  struct qlink_why *why)
{
	return parse_name(&qlink_directions, "direction", text, direction, why);
}

static bool has_kme(unsigned int source)
{
	return source == QLINK_SOURCE_QKD || source == QLINK_SOURCE_HYBRID;
}

/* Parses "hybrid" or "hybrid2"; without a number it is 1. No source's name ends with a digit.
 * Returns the source, or -EINVAL.
 */
static int parse_accepted(const char *text, size_t len, uint8_t *kmes, struct qlink_why *why)
{
	size_t name = len, i;
	unsigned int n = 0;
	char list[64];
	int found;

	while (name && text[name - 1] >= '0' && text[name - 1] <= '9')
		name--;
	found = qlink_name_find(&qlink_sources, text, name);
	if (found < 0) {
		qlink_name_list(&qlink_sources, list, sizeof(list));
		return qlink_refuse(why, -EINVAL, "\"%.*s\" is none of %s", (int)len, text, list);
	}
	if (name < len && !has_kme((unsigned int)found))
		return qlink_refuse(why, -EINVAL, "\"%.*s\": source %s has no KME, so it takes no number",
				    (int)len, text, qlink_name(&qlink_sources, (unsigned int)found));
	for (i = name; i < len && n <= QLINK_KMES_MAX; i++)
		n = n * 10 + (unsigned int)(text[i] - '0');
	if (name == len)
		n = 1;
	if (!n || n > QLINK_KMES_MAX)
		return qlink_refuse(why, -EINVAL, "\"%.*s\": the number of KMEs is not 1 to %d",
				    (int)len, text, QLINK_KMES_MAX);
	*kmes = (uint8_t)n;
	return found;
}

/* The kernel has one number for both. */
static int refuse_numbers(const uint8_t *kmes, struct qlink_why *why)
{
	char qkd[QLINK_SOURCE_TEXT], hybrid[QLINK_SOURCE_TEXT];

	return qlink_refuse(why, -EINVAL, "%s and %s have different numbers of KMEs",
			    qlink_format_source(QLINK_SOURCE_QKD, kmes[QLINK_SOURCE_QKD], qkd),
			    qlink_format_source(QLINK_SOURCE_HYBRID, kmes[QLINK_SOURCE_HYBRID],
						hybrid));
}

int qlink_parse_accept(const char *text, uint32_t *accept, uint8_t *kmes,
		       struct qlink_why *why)
{
	/* of each source; 0 for one that is not in the list */
	uint8_t numbers[QLINK_SOURCE_STATIC + 1] = { 0 }, n = 0;
	uint32_t mask = 0;
	size_t len;
	int source;

	if (!strcmp(text, "none")) {
		*accept = 0;
		*kmes = 1;
		return 0;
	}
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		source = parse_accepted(text, len, &n, why);
		if (source < 0)
			return source;
		if (mask & 1U << source)
			return qlink_refuse(why, -EINVAL, "names %s twice",
				      qlink_name(&qlink_sources, (unsigned int)source));
		mask |= 1U << source;
		numbers[source] = n;
		if (!text[len])
			break;
	}
	n = numbers[QLINK_SOURCE_HYBRID];
	if (n && numbers[QLINK_SOURCE_QKD] && n != numbers[QLINK_SOURCE_QKD])
		return refuse_numbers(numbers, why);
	if (!n)
		n = numbers[QLINK_SOURCE_QKD] ? numbers[QLINK_SOURCE_QKD] : 1;
	*accept = mask;
	*kmes = n;
	return 0;
}

char *qlink_format_mac(const uint8_t mac[QLINK_MAC_BYTES],
		       char text[QLINK_MAC_TEXT])
{
	snprintf(text, QLINK_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x",
		 mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return text;
}

char *qlink_format_addr(const struct qlink_addr *addr,
			char text[QLINK_ADDR_TEXT])
{
	if (addr->len == 4)
		inet_ntop(AF_INET, addr->bytes, text, QLINK_ADDR_TEXT);
	else if (addr->len == 16)
		inet_ntop(AF_INET6, addr->bytes, text, QLINK_ADDR_TEXT);
	else
		strcpy(text, "none");
	return text;
}

char *qlink_format_uuid(const uint8_t uuid[QLINK_KME_KEY_ID_BYTES],
			char text[QLINK_UUID_TEXT])
{
	size_t at = 0;
	int i;

	for (i = 0; i < QLINK_KME_KEY_ID_BYTES; i++)
		at += (size_t)snprintf(text + at, QLINK_UUID_TEXT - at, "%s%02x",
				       is_before_dash(i) ? "-" : "", uuid[i]);
	return text;
}

char *qlink_format_source(uint8_t source, uint8_t kmes, char text[QLINK_SOURCE_TEXT])
{
	const char *name = qlink_name(&qlink_sources, source);

	if (kmes > 1)
		snprintf(text, QLINK_SOURCE_TEXT, "%s%u", name, kmes);
	else
		snprintf(text, QLINK_SOURCE_TEXT, "%s", name);
	return text;
}

char *qlink_format_accept(uint32_t accept, uint8_t kmes, char text[QLINK_ACCEPT_TEXT])
{
	char source[QLINK_SOURCE_TEXT];
	const char *comma = "";
	size_t at = 0;
	uint8_t i;

	for (i = 0; i < qlink_sources.n; i++) {
		if (!(accept & 1U << i))
			continue;
		at += (size_t)snprintf(text + at, QLINK_ACCEPT_TEXT - at, "%s%s", comma,
				       qlink_format_source(i, has_kme(i) ? kmes : 0, source));
		accept &= ~(1U << i);
		comma = ",";
	}
	if (accept)
		snprintf(text + at, QLINK_ACCEPT_TEXT - at, "%s%#x", comma, accept);
	else if (!at)
		strcpy(text, "none");
	return text;
}
