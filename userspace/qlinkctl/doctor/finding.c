// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor finds about a link: causes in the order of cause and effect, and which follows from which. */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define BIT(layer)	(1U << LAYER_##layer)
/* What keeps agents from agreeing on keys. */
#define NO_KEYS		(BIT(MODULE) | BIT(DEVICE) | BIT(CLOCK) | BIT(FILES) | BIT(DATES) | BIT(CONFIG) | BIT(AGENT) | \
			 BIT(AGENT_WALL) | BIT(CHANNEL) | BIT(TRUST) | BIT(POLICY) | BIT(KME) | BIT(STOCK))
/* What keeps frames from the peer. */
#define NO_FRAMES	(BIT(MODULE) | BIT(DEVICE) | BIT(UNDERLAY) | BIT(ROUTE) | BIT(WALL) | BIT(FRAMES))

/* Keepalives are frames: without a key there are none. A worse key than could be opens them all the same. */
static const uint32_t follows[] = {
	[LAYER_MODULE] = 0,
	[LAYER_DEVICE] = BIT(MODULE),
	[LAYER_UNDERLAY] = 0,
	[LAYER_ROUTE] = BIT(UNDERLAY),
	[LAYER_WALL] = 0,
	[LAYER_FRAMES] = 0,
	[LAYER_CLOCK] = 0,
	[LAYER_FILES] = 0,
	/* The agent starts with a certificate that is not valid now. */
	[LAYER_DATES] = BIT(CLOCK),
	[LAYER_CONFIG] = 0,
	[LAYER_AGENT] = BIT(FILES) | BIT(CONFIG),
	[LAYER_AGENT_WALL] = 0,
	[LAYER_CHANNEL] = BIT(AGENT_WALL),
	[LAYER_TRUST] = BIT(CLOCK) | BIT(AGENT_WALL),
	[LAYER_POLICY] = 0,
	[LAYER_KME] = BIT(CLOCK),
	[LAYER_STOCK] = BIT(CLOCK) | BIT(KME),
	[LAYER_SESSION] = NO_KEYS,
	[LAYER_KEYS] = NO_KEYS | BIT(SESSION),
	[LAYER_GRADE] = NO_KEYS | BIT(SESSION) | BIT(KEYS),
	[LAYER_ECHO] = NO_FRAMES | BIT(KEYS),
	[LAYER_REST] = 0,
};

#define CANNOT_LEAVE	"no frame leaves this machine"
#define NO_NEW_KEYS	"the link gets no new keys, and stops when those in use reach hard-seconds"
#define NOT_BEST	"frames are sealed, but not under the best source that this link accepts"

const struct cause_row doctor_causes[CAUSE_N] = {
	[CAUSE_MODULE_MISSING] = { "module-missing", LAYER_MODULE, false, "without the module there are no qlink devices" },
	[CAUSE_MODULE_UNSIGNED] = { "module-unsigned", LAYER_MODULE, false, "this kernel loads signed modules only" },
	[CAUSE_MODULE_UNLOADED] = { "module-unloaded", LAYER_MODULE, false, "without the module there are no qlink devices" },
	[CAUSE_MODULE_DIFFERS] = { "module-differs", LAYER_MODULE, true, "an update takes effect when the module is loaded again" },
	[CAUSE_NO_DEVICE] = { "no-device", LAYER_DEVICE, false, "there is nothing to seal frames with" },
	[CAUSE_NOT_QLINK] = { "not-qlink", LAYER_DEVICE, false, "what this device sends is not sealed" },
	[CAUSE_NO_UNDERLAY] = { "no-underlay", LAYER_DEVICE, false, "the device does not know its peer" },
	[CAUSE_DEVICE_DOWN] = { "device-down", LAYER_DEVICE, false, CANNOT_LEAVE },
	[CAUSE_LOWER_DOWN] = { "lower-down", LAYER_UNDERLAY, false, CANNOT_LEAVE },
	[CAUSE_NO_CARRIER] = { "no-carrier", LAYER_UNDERLAY, false, CANNOT_LEAVE },
	[CAUSE_LOWER_TAKEN] = { "lower-taken", LAYER_UNDERLAY, false, "a bridge takes the frames of the peer first" },
	[CAUSE_NO_LOCAL_ADDRESS] = { "no-local-address", LAYER_UNDERLAY, false, "frames cannot be sent from it, nor reach it" },
	[CAUSE_FRAMES_TOO_BIG] = { "frames-too-big", LAYER_UNDERLAY, false, "these frames are dropped" },
	[CAUSE_MTU_SMALL] = { "mtu-small", LAYER_UNDERLAY, true, "IPv6 does not work below an MTU of 1280" },
	[CAUSE_NO_ROUTE] = { "no-route", LAYER_ROUTE, false, CANNOT_LEAVE },
	[CAUSE_ROUTE_LOOP] = { "route-loop", LAYER_ROUTE, false, "sealed frames would go into the link that sealed them, and are dropped" },
	[CAUSE_NEIGHBOUR_SILENT] = { "neighbour-silent", LAYER_ROUTE, false, "frames cannot be addressed on the cable" },
	[CAUSE_WALL_FRAMES] = { "firewall-frames", LAYER_WALL, false, "sealed frames are dropped" },
	[CAUSE_ADDRESS_DIFFERS] = { "address-differs", LAYER_FRAMES, false, "a link takes frames from the address of its peer only" },
	[CAUSE_ID_DIFFERS] = { "id-differs", LAYER_FRAMES, false, "a link takes frames with its own id only" },
	[CAUSE_PORT_UNREACHABLE] = { "port-unreachable", LAYER_FRAMES, false, "nobody there takes our frames" },
	[CAUSE_KEYS_DIFFER] = { "keys-differ", LAYER_FRAMES, false, "frames that cannot be opened are dropped" },
	[CAUSE_CLOCK_WRONG] = { "clock-wrong", LAYER_CLOCK, false, "certificates are valid between two dates, by this clock" },
	[CAUSE_FILE_UNREADABLE] = { "file-unreadable", LAYER_FILES, false, "the agent needs this file to prove who it is" },
	[CAUSE_CERTIFICATE_NAME] = { "certificate-name", LAYER_FILES, false, "the peer knows this agent by the name in its certificate" },
	[CAUSE_CERTIFICATE_EXPIRED] = { "certificate-expired", LAYER_DATES, false, "the other side refuses an expired certificate" },
	[CAUSE_CERTIFICATE_EARLY] = { "certificate-early", LAYER_DATES, false, "the other side refuses a certificate before its first day" },
	[CAUSE_EXPIRES_SOON] = { "expires-soon", LAYER_DATES, true, "connections end when it expires" },
	[CAUSE_CONFIG_REFUSED] = { "config-refused", LAYER_CONFIG, false, "the agent does not start with it" },
	[CAUSE_AGENT_DOWN] = { "agent-down", LAYER_AGENT, false, NO_NEW_KEYS },
	[CAUSE_AGENT_SILENT] = { "agent-silent", LAYER_AGENT, false, NO_NEW_KEYS },
	[CAUSE_AGENT_ELSEWHERE] = { "agent-elsewhere", LAYER_AGENT, false, NO_NEW_KEYS },
	[CAUSE_LINK_UNKNOWN] = { "link-unknown", LAYER_AGENT, false, NO_NEW_KEYS },
	[CAUSE_RELOAD_REFUSED] = { "reload-refused", LAYER_AGENT, true, "the agent runs with its configuration of before" },
	[CAUSE_WALL_AGENTS] = { "firewall-agents", LAYER_AGENT_WALL, false, "the agents cannot talk to each other" },
	[CAUSE_AGENT_NO_ROUTE] = { "agent-no-route", LAYER_CHANNEL, false, NO_NEW_KEYS },
	[CAUSE_THROUGH_QLINK] = { "through-qlink", LAYER_CHANNEL, false, "agents that talk through a link cannot repair it" },
	[CAUSE_PEER_AGENT_DOWN] = { "peer-agent-down", LAYER_CHANNEL, false, NO_NEW_KEYS },
	[CAUSE_PEER_UNREACHABLE] = { "peer-unreachable", LAYER_CHANNEL, false, NO_NEW_KEYS },
	[CAUSE_PEER_CERTIFICATE] = { "peer-certificate", LAYER_TRUST, false, NO_NEW_KEYS },
	[CAUSE_PEER_CA] = { "peer-ca", LAYER_TRUST, false, NO_NEW_KEYS },
	[CAUSE_PEER_NAME] = { "peer-name", LAYER_TRUST, false, NO_NEW_KEYS },
	[CAUSE_PEER_REFUSES] = { "peer-refuses", LAYER_TRUST, false, NO_NEW_KEYS },
	[CAUSE_PEER_SUITE] = { "peer-suite", LAYER_TRUST, false, NO_NEW_KEYS },
	[CAUSE_NO_CONNECTION] = { "no-connection", LAYER_TRUST, false, NO_NEW_KEYS },
	[CAUSE_POLICIES_DIFFER] = { "policies-differ", LAYER_POLICY, false, "the ends have no source of keys that both allow" },
	[CAUSE_VERSIONS_DIFFER] = { "versions-differ", LAYER_POLICY, false, "the agents do not understand each other" },
	[CAUSE_SUITE_LOW] = { "suite-low", LAYER_POLICY, false, "an end demands stronger algorithms than both can use" },
	[CAUSE_PSK_DIFFERS] = { "psk-differs", LAYER_POLICY, false, "keys depend on the pre-shared secret, so both ends need the same" },
	[CAUSE_CHAIN] = { "chain-restarts", LAYER_POLICY, false, "chain-required has an operator agree to that" },
	[CAUSE_NO_EPOCH] = { "no-epoch-left", LAYER_POLICY, false, "an epoch is never used twice" },
	[CAUSE_KERNEL_REFUSES] = { "kernel-refuses", LAYER_POLICY, false, NO_NEW_KEYS },
	[CAUSE_ID_TAKEN] = { "id-taken", LAYER_POLICY, false, "the agents know a link by its id" },
	[CAUSE_PEER_LINK_UNKNOWN] = { "peer-link-unknown", LAYER_POLICY, false, "the agents know a link by its id" },
	[CAUSE_KME_DOWN] = { "kme-down", LAYER_KME, false, "no QKD keys come from it" },
	[CAUSE_KME_TLS] = { "kme-tls", LAYER_KME, false, "no QKD keys come from it" },
	[CAUSE_KME_REFUSES] = { "kme-refuses", LAYER_KME, false, "no QKD keys come from it" },
	[CAUSE_KME_SAE] = { "kme-sae", LAYER_KME, false, "a KME gives keys for a pair of SAEs that it knows" },
	[CAUSE_KME_SWAPPED] = { "kme-swapped", LAYER_KME, false, "a KME gives keys for a pair of SAEs that it knows" },
	[CAUSE_KME_FILES] = { "kme-files", LAYER_KME, false, "the agent needs them to talk to the KME" },
	[CAUSE_KME_FAILS] = { "kme-fails", LAYER_KME, false, "no QKD keys come from it" },
	[CAUSE_KMES_FEW] = { "kmes-few", LAYER_KME, false, "a key of fewer KMEs is no hybrid key here" },
	[CAUSE_PEER_KME] = { "peer-kme", LAYER_KME, false, "a QKD key is of use only if both ends get it" },
	[CAUSE_STOCK_DRY] = { "stock-dry", LAYER_STOCK, false, "QKD keys are used up faster than they come" },
	[CAUSE_NO_AGREEMENT] = { "no-agreement", LAYER_SESSION, false, NO_NEW_KEYS },
	[CAUSE_NO_KEY] = { "no-key", LAYER_KEYS, false, "without a key no frame is sent" },
	[CAUSE_NO_RX_KEY] = { "no-rx-key", LAYER_KEYS, false, "the frames of the peer cannot be opened" },
	[CAUSE_LOWER_SOURCE] = { "lower-source", LAYER_GRADE, false, NOT_BEST },
	[CAUSE_OVERDUE] = { "overdue", LAYER_GRADE, false, "a key is used for longer than the link wants" },
	[CAUSE_ONE_WAY] = { "one-way", LAYER_ECHO, false, "without an echo the device has no carrier" },
	[CAUSE_SILENT] = { "silent", LAYER_ECHO, false, "without an echo the device has no carrier" },
	[CAUSE_NO_KEEPALIVES] = { "no-keepalives", LAYER_ECHO, true, "the kernel cannot know whether the peer receives frames" },
	[CAUSE_UNKNOWN] = { "unexplained", LAYER_REST, false, "see the state of the link in qlink(7)" },
};

uint32_t layer_follows(unsigned int layer)
{
	return follows[layer];
}

/* What does not fit is cut off, which leaves a text that people understand. */
#define FILL(to, format) do {						\
	va_list ap;							\
									\
	va_start(ap, format);						\
	vsnprintf(to, sizeof(to), format, ap);				\
	va_end(ap);							\
	text_clean(to);						\
} while (0)

struct finding *findings_add(struct findings *to, enum cause cause, const char *format, ...)
{
	struct finding *finding = &to->list[to->n];

	/* The last one is overwritten, so that callers need not ask. */
	if (to->n == FINDINGS_MAX)
		finding--;
	else
		to->n++;
	*finding = (struct finding){ .cause = cause };
	FILL(finding->what, format);
	return finding;
}

void finding_saw(struct finding *finding, const char *format, ...)
{
	FILL(finding->evidence, format);
}

/* Adds text to a command; what does not fit is cut off. */
static void add(struct finding *finding, const char *text, size_t len)
{
	size_t used = strlen(finding->command);

	snprintf(finding->command + used, sizeof(finding->command) - used, "%.*s", (int)len, text);
}

/* Adds a word, in quotes if a shell would take it for more than a word. */
static void add_word(struct finding *finding, const char *word)
{
	static const char plain[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_.,:/@+%=";
	size_t len;

	if (!word[strspn(word, plain)]) {
		add(finding, word, strlen(word));
		return;
	}
	add(finding, "'", 1);
	while (*word) {
		len = strcspn(word, "'");
		add(finding, word, len);
		if (word[len])
			add(finding, "'\\''", 4);
		word += len + !!word[len];
	}
	add(finding, "'", 1);
}

void finding_mend(struct finding *finding, const char *format, ...)
{
	const char *at;
	char number[24];
	va_list ap;

	finding->command[0] = '\0';
	va_start(ap, format);
	while ((at = strchr(format, '%'))) {
		add(finding, format, (size_t)(at - format));
		format = at + 2;
		if (at[1] == 's') {
			add_word(finding, va_arg(ap, const char *));
			continue;
		}
		/* The only other one is %lld. */
		snprintf(number, sizeof(number), "%lld", va_arg(ap, long long));
		add(finding, number, strlen(number));
		format = at + 4;
	}
	va_end(ap);
	add(finding, format, strlen(format));
	text_clean(finding->command);
}

void finding_mend_with(struct finding *finding, const char *command, const char *word, const char *value)
{
	const char *at;

	finding->command[0] = '\0';
	while (*value && (at = strstr(command, word))) {
		add(finding, command, (size_t)(at - command));
		add_word(finding, value);
		command = at + strlen(word);
	}
	add(finding, command, strlen(command));
	text_clean(finding->command);
}

bool findings_has(const struct findings *findings, enum cause cause)
{
	size_t i;

	for (i = 0; i < findings->n; i++) {
		if (findings->list[i].cause == cause)
			return true;
	}
	return false;
}

bool findings_have_layer(const struct findings *findings, uint32_t layers)
{
	size_t i;

	for (i = 0; i < findings->n; i++) {
		const struct cause_row *row = &doctor_causes[findings->list[i].cause];

		if (!row->is_advice && layers & 1U << row->layer)
			return true;
	}
	return false;
}

/* Stable, so that KMEs stay in their order. */
static void sort(struct findings *findings)
{
	struct finding moved;
	size_t i, k;

	for (i = 1; i < findings->n; i++) {
		moved = findings->list[i];
		for (k = i; k && findings->list[k - 1].cause > moved.cause; k--)
			findings->list[k] = findings->list[k - 1];
		findings->list[k] = moved;
	}
}

/* The first finding that explains this one. */
static const struct finding *explains(const struct findings *findings, const struct finding *finding)
{
	uint32_t layers = follows[doctor_causes[finding->cause].layer] | finding->also;
	const struct finding *earlier;

	for (earlier = findings->list; earlier < finding; earlier++) {
		const struct cause_row *row = &doctor_causes[earlier->cause];

		if (!row->is_advice && layers & 1U << row->layer)
			return earlier;
	}
	return NULL;
}

void findings_fold(struct findings *findings)
{
	size_t i;

	sort(findings);
	for (i = 0; i < findings->n; i++)
		findings->list[i].follows = doctor_causes[findings->list[i].cause].is_advice ? NULL :
					    explains(findings, &findings->list[i]);
}
