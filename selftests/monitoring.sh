#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A real Prometheus, at site a, scrapes the agents of both sites: its linter takes their metrics, each query of the dashboard
# has a value, and alerts fire for what is wrong and for nothing else.

# shellcheck disable=SC2034 # for run
needs_prometheus=yes

# shellcheck source=sites.sh
. "$(dirname "$0")/sites.sh"

readonly at=(- 127.0.0.1:9751 203.0.113.2:9751) shared=/usr/share/qlink

# agent_option N LINE…: adds LINEs to the section of the agent.
agent_option()
{
	local line

	for line in "${@:2}"; do sed -i "/^ audit-log /a\\ $line" "$tmp/${site[$1]}/conf"; done
}

# setup_metrics [LINE…]: as setup_running; both agents also listen by TCP and keep their chains.
setup_metrics()
{
	local n

	setup_sites
	kmes_start "${rich[@]}"
	links_add
	for n in 1 2; do
		agent_conf "$n" "floor-ms 50" "$@"
		head -c 32 /dev/urandom >"$tmp/${site[n]}/state-key"
		agent_option "$n" "state $tmp/${site[n]}/chains" "state-key $tmp/${site[n]}/state-key"
	done
	agent_option 1 "metrics-listen ${at[1]}"
	agent_option 2 "metrics-listen ${at[2]} in-clear-to-anyone"
	agent_start 1
	agent_start 2
	keep_busy
	expect_active hybrid
}

# expect_later NAME COMMAND…: as expect_soon, for what takes Prometheus some rounds of an emulated CPU.
expect_later() { n_checks=$((n_checks + 1)); busywait 120 "${@:2}" || { fail "$1: not within 120 s: ${*:2}"; return 1; }; }

# prometheus_start: with the rules that are installed, but alerts fire after 1 s instead of minutes.
prometheus_start()
{
	sed -E 's/^( +)for: .*/\1for: 1s/' "$shared/prometheus/qlink.rules.yml" >"$tmp/qlink.rules.yml"
	cat >"$tmp/prometheus.yml" <<-END
		global:
		  scrape_interval: 2s
		  evaluation_interval: 1s
		rule_files: [$tmp/qlink.rules.yml]
		scrape_configs:
		  - job_name: qlinkd
		    static_configs:
		      - targets: ["${at[1]}"]
		        labels: {site: a}
		      - targets: ["${at[2]}"]
		        labels: {site: b}
	END
	ip netns exec "$ns1" prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data" \
		--web.listen-address=127.0.0.1:9090 --log.level=warn >"$tmp/prometheus.log" 2>&1 &
	defer kill $!
	expect_later "Prometheus" in_ns "$ns1" curl -sf http://127.0.0.1:9090/-/ready || cat "$tmp/prometheus.log"
}

# scrape N [CURL-WORD…]: the metrics of a site, by TCP.
scrape() { in_ns "$(site_ns "$1")" curl -s "${@:2}" "http://${at[$1]}/metrics"; }

# query EXPRESSION: the answer of Prometheus, as JSON.
query() { in_ns "$ns1" curl -sf --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query; }
value() { query "$1" | jq -r '.data.result[0].value[1] // "none"'; }
value_is() { [ "$(value "$1")" = "$2" ]; }

# firing: the alerts that fire, each once.
firing() { query 'ALERTS{alertstate="firing"}' | jq -r '[.data.result[].metric.alertname] | unique | join(" ")'; }
fires() { [[ " $(firing) " == *" $1 "* ]]; }
fires_not() { ! fires "$1"; }

# expect_whole_texts: no text of an alert that fires has a gap or an error where a label or a value should be.
expect_whole_texts()
{
	expect_eq "texts with gaps" "$(in_ns "$ns1" curl -sf http://127.0.0.1:9090/api/v1/alerts |
		jq -c '[.data.alerts[].annotations[] | select(test("<|  |^ | $"))]')" "[]"
}

# expect_alert NAME…
expect_alert() { local name; for name; do expect_later "$name" fires "$name" || firing; done; }

ask_dashboard()
{
	ip netns exec "$ns1" python3 "$here/dashboard.py" ask "$shared/grafana/qlink.json" http://127.0.0.1:9090 >"$tmp/values" 2>&1
}

test_each_query_of_the_dashboard_has_a_value_udp()
{
	local n

	setup_metrics
	for n in 1 2; do
		scrape "$n" >"$tmp/scrape$n"
		expect_eq "what promtool says of site ${site[n]}" "$(promtool check metrics <"$tmp/scrape$n" 2>&1)" ""
		expect_ok "linter" promtool check metrics <"$tmp/scrape$n"
	done
	sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$tmp/scrape1" >"$tmp/names"
	expect_ok "names of metrics" python3 "$here/dashboard.py" names "$shared/grafana/qlink.json" \
		"$shared/prometheus/qlink.rules.yml" "$tmp/names"
	prometheus_start
	expect_later "both are up" value_is 'sum(up{job="qlinkd"})' 2
	expect_later "values" ask_dashboard || grep -P '\t0\t-' "$tmp/values"
	expect_eq "queries" "$(wc -l <"$tmp/values")" "$(python3 "$here/dashboard.py" list "$shared/grafana/qlink.json" | wc -l)"
	expect_eq "links that are protected" "$(value 'sum(agent:qlinkd_links_protected:count)')" 2
	[ ! -d /out ] || cp "$tmp/values" "$tmp/scrape1" /out/
	# Without the other agent there are no keys, and the log stands still.
	agent_kill 2
	expect_soon "hash of the audit log" same_hash 1
}

# same_hash N: the metrics have the hash of the last line of the audit log, as the status has it.
same_hash()
{
	local part hash=''

	for part in $(scrape "$1" | sed -n 's/^qlinkd_audit_hash{.*} //p'); do printf -v hash '%s%012x' "$hash" "$part"; done
	[ -n "$hash" ] && [ "$hash" = "$(status "$1" .audit.hash)" ]
}

# What is wrong is told within seconds here, and what is mended is told no more.
test_alerts_fire_for_what_is_wrong_udp()
{
	setup_metrics
	prometheus_start
	expect_later "both are up" value_is 'sum(up{job="qlinkd"})' 2
	expect_later "a stock of ten minutes is not there" fires QlinkStockLow
	expect_later "nothing else" only_the_stock || firing
	kmes stop a
	expect_alert QlinkKmeDown
	expect_eq "which" "$(query 'ALERTS{alertname="QlinkKmeDown",alertstate="firing"}' | jq -r '[.data.result[].metric | .site + .kme] | join(" ")')" arack
	expect_whole_texts
	kmes start a
	expect_later "mended" fires_not QlinkKmeDown
	agent_kill 2
	expect_alert QlinkAgentDown QlinkPeerUnreachable QlinkNoAgreement
	ip -n "$ns1" link set qlink0 down
	expect_alert QlinkBlocked
	expect_whole_texts
	ip -n "$ns1" link set qlink0 up
	agent_start 2
	expect_active hybrid
	expect_later "mended" fires_not QlinkAgentDown
	expect_later "mended" fires_not QlinkPeerUnreachable
	expect_later "mended" fires_not QlinkBlocked
}

# Of keys that are burned at a start, an alert may tell for a quarter of an hour.
only_the_stock() { [[ $(firing) =~ ^(QlinkKeysBurned )?(QlinkCertificateExpires )?QlinkStockLow$ ]]; }

test_others_than_operators_get_nothing_udp()
{
	setup_metrics
	expect_has "own" "$(scrape 1)" 'qlinkd_ready{link="qlink0"} 1'
	expect_eq "by a name" "$(scrape 1 -o /dev/null -w '%{http_code}' -H 'Host: evil.example')" 421
	expect_eq "by the agent's name" "$(scrape 1 -o /dev/null -w '%{http_code}' -H 'Host: site-a:9751')" 200
	expect_refused "from the other site" "" in_ns "$ns2" curl -sSf "http://203.0.113.1:9751/metrics"
	expect_has "where the word allows it" "$(in_ns "$ns1" curl -s "http://${at[2]}/metrics")" 'qlinkd_agent_info{agent="site-b"'
	sed -i 's/ in-clear-to-anyone//' "$tmp/b/conf"
	expect_refused "without the word" "is no address of the loopback device" qlinkd -n -c "$tmp/b/conf"
}

run_tests "$@"
