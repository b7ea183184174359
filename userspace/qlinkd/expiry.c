// SPDX-License-Identifier: GPL-2.0-or-later
/* Certificates and CRLs that expire: who has them, and what is said about them. */
#include "expiry.h"

#define DAY_S	86400

/* Days that are left when a line is logged; after the last one it has expired. */
static const unsigned int days[] = { 30, 7, 1, 0 };

struct check {
	struct services *services;
	time_t now;
};

static void list(struct credentials *credentials, const char *kme,
		 void (*use)(void *arg, const char *kme, struct credentials_item *item), void *arg)
{
	struct credentials_item *items;
	size_t i, n;

	/* A KME whose files could not be used at the start. */
	if (!credentials)
		return;
	items = credentials_items(credentials, &n);
	for (i = 0; i < n; i++) {
		/* A CRL need not say when the next one comes. */
		if (items[i].not_after)
			use(arg, kme, &items[i]);
	}
}

void expiry_list(const struct setup *setup,
		 void (*use)(void *arg, const char *kme, struct credentials_item *item), void *arg)
{
	size_t i;

	list(setup->own, "", use, arg);
	for (i = 0; i < setup->config.n_kmes; i++)
		list(setup->kmes[i], setup->config.kmes[i].name, use, arg);
}

long long expiry_seconds(const struct credentials_item *item, time_t now)
{
	return (long long)item->not_after - (long long)now;
}

static void check(void *arg, const char *kme, struct credentials_item *item)
{
	const struct check *check = arg;
	long long left = expiry_seconds(item, check->now);
	struct log_field serial = TEXT("serial", item->serial);
	unsigned int n = 0;

	while (n < sizeof(days) / sizeof(days[0]) && left <= (long long)days[n] * DAY_S)
		n++;
	if (n <= item->n_told)
		return;
	item->n_told = (uint8_t)n;
	if (!item->serial[0])
		serial.name = NULL;
	if (left > 0)
		TELL(check->services, LOG_WARNING, "certificate-expires", TEXT("owner", *kme ? kme : "agent"),
		     TEXT("use", item->use), TEXT("file", item->path), TEXT("subject", item->subject),
		     NUMBER_OF("days", (uint64_t)(left / DAY_S)), serial);
	else
		TELL(check->services, LOG_ERR, "certificate-expired", TEXT("owner", *kme ? kme : "agent"),
		     TEXT("use", item->use), TEXT("file", item->path), TEXT("subject", item->subject),
		     serial);
}

void expiry_check(const struct setup *setup, struct services *services, time_t now)
{
	struct check arg = { services, now };

	expiry_list(setup, check, &arg);
}
