// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal's identifiers of the agent's events. */
#include "messageid.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *event, *id;
} ids[] = {
	{ "agreed", "3a9b4de06ef141ab98f4936268e66967" },
	{ "audit-begun", "72775f7c6ac14f9dba9b2237f7bafb75" },
	{ "audit-changed", "a8694b5731824d5eb525df3315c0cd32" },
	{ "audit-damaged", "813a326191c04df0a89a26bc89cc37f8" },
	{ "audit-lost", "dd4907d563c14622a4df66c4c1f310c1" },
	{ "audit-no-checkpoint", "26fa7dfae9f74f68b498063b38f6a9f5" },
	{ "audit-not-written", "294b3ec4a8074746920ec52fcb7ef99a" },
	{ "audit-written", "5f1e59c779ec45d8a0f7096f19d77a07" },
	{ "certificate-expired", "c2845e790d0f4c57889678b824f75ee3" },
	{ "certificate-expires", "6eae3998ee444a888e28926a5caee2cc" },
	{ "chain-accepted", "b7cdb7c976234a818f9707d0169211fa" },
	{ "chain-restarted", "aa41463f3ee9444aa893e0265df454e3" },
	{ "chain-restored", "55b0b73bce894516bc13d810b013ff3c" },
	{ "command-refused", "4c42c703683c4627a833ed1dc1eed2c1" },
	{ "device", "553b7ccb01fc454f9b966ab7e084b60d" },
	{ "device-event", "1fee668416544bbfa355724288228b6b" },
	{ "id-taken", "5d8e5cb882c74e3690b9c7fbb695cfc1" },
	{ "kernel-refused", "9d624019363045b799d681dc912062d9" },
	{ "keys-burned", "efd7fe1859d544c59883cbd972cb7fe7" },
	{ "keys-refused", "1b327b1d0adb44dea2cdf8df048cdc98" },
	{ "kme-doubtful", "a11e47d500d242f4b0a8fb9cea1c4e01" },
	{ "kme-down", "e7629558abf146e38daa03590b081d78" },
	{ "kme-error", "b99176661ca54956902a8428851edb8d" },
	{ "kme-tls", "a7940dee044a470aaf66ad3f74081515" },
	{ "kme-up", "f8bad189df624b4f9ae09b3544f47a9f" },
	{ "kmes-changed", "c178706afe5b46ac82e7732ab376b32d" },
	{ "message-not-encoded", "4f56a0a85aa74158abdce9f0842ccc70" },
	{ "no-chain", "091ae770d49b42e883619dcac8049848" },
	{ "no-device", "8c383ee9343442b291b06944759b4ead" },
	{ "no-epoch-left", "6f674898fa944ddfb94a626db20b142e" },
	{ "no-random-numbers", "8f35f64af6a24f199422dbafbc85fb50" },
	{ "no-source-in-common", "8217a5866dd44fb68eaab435236cfc35" },
	{ "no-version-in-common", "aef55e2bfd2f4b8a9b951a7aea5a9b2d" },
	{ "offer-refused", "b25f4f0770e04571a1989960b895bb53" },
	{ "offer-rejected", "99a00aace879428cbfba25ad8ef96726" },
	{ "peer-connected", "0e427bc4d45f4447b8f9533a2581da37" },
	{ "peer-refused", "d9da964df31343ea926850efa17d12c3" },
	{ "peer-source-changed", "9adf2b1379e6428396ce1510eb27d307" },
	{ "peer-unreachable", "bf24fef01f7c4dc5a4257c1803d1a9c6" },
	{ "protocol-violation", "f5b5db5c01e74b6f96bcdc246aada5b6" },
	{ "psk-differs", "07f8a097367449589ae455f1952c2edf" },
	{ "ready", "fdad15cf2a84470bbbb65a95bc55986a" },
	{ "reconnect", "d99fda0dc4f4457cb67d945e2a4ed3ed" },
	{ "reload-failed", "153531125a3f467d98c4fc89d5228ddb" },
	{ "reloaded", "e9b5748443224a98ab55991b077d1c2b" },
	{ "restart", "df426cb4b17541418bce4d1430776702" },
	{ "rings-replaced", "05719db61dff47158c663dcaaff96909" },
	{ "secrets-wiped", "f59e4caa889943639a9e5ba03f1e92e8" },
	{ "session-failed", "7c7eb52d28a7441dbb9fd043031227d8" },
	{ "session-timed-out", "a56fb2be1e164b159a587e872987a25c" },
	{ "source-changed", "306e58e7cb9d4337b90b0b42204bc652" },
	{ "started", "ccc4e4fbdfe1481b9eb2bbf0c3598b7e" },
	{ "state-begun", "b500aaa7abe14c50b34ea606d83c5cce" },
	{ "state-lost", "a7e9de0b6ee04c05b761b8d3905d2ef7" },
	{ "state-not-read", "e85181384b614ebb8faf2379cf4cd0d1" },
	{ "state-not-written", "9ed2d52ed04147a4b5dbca3b94817344" },
	{ "state-read", "34fd5d03f86447f582fc20022fdcb463" },
	{ "state-written", "a32f496fd6d14496b2afe2cab107faa2" },
	{ "stopped", "182ffde5af1046fcbf76bdcaa6c86d29" },
	{ "suite-too-low", "f96d0e655c544a438260d3d13b8a2706" },
	{ "too-few-kmes", "7c7f01bf1c0b46a2a2cd2c638dbda49d" },
	{ "withdraw", "2ae566dfb7cb412da29c020726e71c25" },
	{ "withdrawn", "3ccd567d73534a4ea2318f2370194c72" },
};

const char *messageid_of(const char *event)
{
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (!strcmp(ids[i].event, event))
			return ids[i].id;
	}
	return NULL;
}
