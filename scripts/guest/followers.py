#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Measures, in the VM, how long many sites take to follow one put into etcd. See scripts/followers.

usage: followers.py SITES

Site N is the namespace sN. All are on one bridge: 10.3.0.0/16, with etcd's nodes at 10.3.255.1 to 3. Sites 1 and 2, 3 and 4 …
have a link with each other.
"""

import base64
import json
import os
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOM, PKI = Path("/tmp/followers"), Path("/job/pki")
NODES = [f"10.3.255.{n}" for n in (1, 2, 3)]
POLICIES = ("prefer-hybrid", "hybrid-required", "prefer-hybrid", "hybrid-required")
SERVERS = "10.3.255.4"
DEADLINE_S = 600
TLS = ssl.create_default_context(cafile=PKI / "etcd-ca.pem")
TLS.load_cert_chain(PKI / "etcd.pem", PKI / "etcd.key")


def address(site: int) -> str:
    """The address of a site."""
    return f"10.3.{site // 250}.{site % 250 + 1}"


def peer_of(site: int) -> int:
    """The site at the other end of its link."""
    return site + 1 if site % 2 else site - 1


# --- machines ---


def make_network(sites: int) -> None:
    """A bridge, and a namespace on it for each site."""
    batch = ["link add br0 type bridge", "link set br0 up", "link set lo up"]
    batch += [f"address add {node}/16 dev br0" for node in (*NODES, SERVERS)]
    for site in range(1, sites + 1):
        batch += [f"netns add s{site}", f"link add port{site} master br0 up type veth peer name eth0 netns s{site}"]
    run("ip", "-batch", "-", text="\n".join(batch))
    for site in range(1, sites + 1):
        run("ip", "-n", f"s{site}", "-batch", "-", text="\n".join((
            "link set lo up", f"address add {address(site)}/16 dev eth0", "link set eth0 up")))


def run(*words: str, text: str = "") -> None:
    """Runs a command that must succeed."""
    subprocess.run(words, check=True, input=text, text=True)


def start_node(number: int) -> None:
    """Starts one of etcd's nodes."""
    at = NODES[number]
    files = {"cert-file": "etcd.pem", "key-file": "etcd.key", "trusted-ca-file": "etcd-ca.pem"}
    words = ["etcd", "--name", f"n{number}", "--data-dir", f"{ROOM}/etcd{number}", "--log-level", "error",
             "--heartbeat-interval", "500", "--election-timeout", "5000", "--client-cert-auth", "--peer-client-cert-auth",
             "--listen-client-urls", f"https://{at}:2379", "--advertise-client-urls", f"https://{at}:2379",
             "--listen-peer-urls", f"https://{at}:2380", "--initial-advertise-peer-urls", f"https://{at}:2380",
             "--initial-cluster", ",".join(f"n{i}=https://{node}:2380" for i, node in enumerate(NODES))]
    for name, file in files.items():
        words += [f"--{name}", f"{PKI}/{file}", f"--peer-{name}", f"{PKI}/{file}"]
    start(words, f"etcd{number}")


def start(words: list[str], log: str) -> subprocess.Popen:
    """Starts a program whose output goes to a file."""
    with open(ROOM / f"{log}.log", "ab") as file:
        return subprocess.Popen(words, stdout=file, stderr=file)


# --- etcd ---


def ask(path: str, message: dict) -> dict:
    """One request to etcd's gateway."""
    request = urllib.request.Request(f"https://{NODES[0]}:2379/v3/{path}", json.dumps(message).encode())
    with urllib.request.urlopen(request, context=TLS, timeout=60) as answer:
        return json.load(answer)


def encode(text: str) -> str:
    """Base64, as the gateway has it."""
    return base64.b64encode(text.encode()).decode()


def put(key: str, value: dict) -> int:
    """Puts a document, and returns the revision."""
    answer = ask("kv/put", {"key": encode(f"/qlink/{key}"), "value": encode(json.dumps(value))})
    return int(answer["header"]["revision"])


class Statuses(threading.Thread):
    """The last status of each site, and when it came."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.last: dict[str, tuple[float, dict]] = {}
        message = {"create_request": {"key": encode("/qlink/status/"), "range_end": encode("/qlink/status0")}}
        request = urllib.request.Request(f"https://{NODES[0]}:2379/v3/watch", json.dumps(message).encode())
        self.stream = urllib.request.urlopen(request, context=TLS)

    def run(self) -> None:
        for line in self.stream:
            now = time.monotonic()
            for event in json.loads(line)["result"].get("events", []):
                if "value" in event["kv"]:
                    status = json.loads(base64.b64decode(event["kv"]["value"]))
                    self.last[status["site"]] = now, status

    def wait(self, sites: int, what: str, is_so) -> list[float]:
        """Waits until a status of each site is so, and returns when each came."""
        end, seen = time.monotonic() + DEADLINE_S, {}
        while len(seen) < sites:
            for site, (at, status) in list(self.last.items()):
                if site not in seen and is_so(status):
                    seen[site] = at
            if time.monotonic() > end:
                missing = [status for site, (_, status) in self.last.items() if site not in seen]
                sys.exit(f"{what}: {len(seen)} of {sites} sites within {DEADLINE_S} s; {missing[:2]}")
            time.sleep(0.05)
        return sorted(seen.values())


# --- sites ---


def document(site: int) -> dict:
    """The document of a site."""
    peer = peer_of(site)
    link = {"id": min(site, peer), "local": address(site), "remote": address(peer), "port": 7000,
            "accept": ["hybrid", "pqc"]}
    keys = {"peer": f"s{peer}", "kmes": ["rack"], "sae": f"s{peer}"}
    name, port = ("a", 8441) if site % 2 else ("b", 8442)
    agent = {"name": f"s{site}", "certificate": f"{PKI}/s{site}.pem", "key": f"{PKI}/s{site}.key", "ca": f"{PKI}/ca.pem",
             "listen": address(site), "control": f"{ROOM}/s{site}/control", "metrics": f"{ROOM}/s{site}/metrics",
             "audit-log": f"{ROOM}/s{site}/audit", "kme-connect-ms": 30000, "kme-timeout-ms": 30000,
             "kme": [{"name": "rack", "url": f"https://{SERVERS}:{port}", "id": f"kme-{name}",
                      "certificate": f"{PKI}/s{site}.pem", "key": f"{PKI}/s{site}.key", "ca": f"{PKI}/ca.pem"}],
             "peer": [{"name": f"s{peer}", "address": address(peer)}]}
    interface = {"name": "qlink0", "type": "qlink:qlink", "enabled": True, "qlink:link": link, "qlink:keys": keys}
    return {"ietf-interfaces:interfaces": {"interface": [interface]}, "qlink:agent": agent}


def common(policy: str) -> dict:
    """What all sites have in common."""
    return {"qlink:agent": {"defaults": {"policy": policy, "floor-ms": 30000, "ceiling-ms": 120000, "store": 10}}}


def start_servers(sites: int) -> None:
    """Starts two simulated key servers, one for each end of all links."""
    lines = []
    for name, port in (("a", 8441), ("b", 8442)):
        lines += [f"kme {name}", f" id kme-{name}", f" listen {SERVERS}:{port}", f" certificate {PKI}/kme-{name}.pem",
                  f" key {PKI}/kme-{name}.key", f" ca {PKI}/ca.pem"]
    for site in range(1, sites + 1, 2):
        lines += [f"link s{site} s{peer_of(site)}", " stock 100", " supply fibre 1"]
    (ROOM / "kmesim.conf").write_text("\n".join(lines) + "\n")
    start(["qlink-kmesim", f"{ROOM}/kmesim.conf"], "kmesim")


def follow(site: int) -> subprocess.Popen:
    """Starts the follower of a site."""
    room = ROOM / f"s{site}"
    (room / "links.d").mkdir(parents=True)
    # Each begins with another node, as it would by chance.
    nodes = NODES[site % 3:] + NODES[:site % 3]
    (room / "follow.conf").write_text(f"""etcd
 endpoints {" ".join(f"https://{node}:2379" for node in nodes)}
 ca {PKI}/etcd-ca.pem
 certificate {PKI}/etcd.pem
 key {PKI}/etcd.key
apply
 config {room}/conf
 control {room}/control
 folder {room}/links.d
 pending {room}/pending
 state {room}/state
 confirm 120
""")
    return start(["ip", "netns", "exec", f"s{site}", "qlink-follow", "-c", f"{room}/follow.conf", f"s{site}"], f"s{site}")


def cpu(pid: int) -> tuple[float, float]:
    """CPU seconds of a process, and of its children that have ended."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    tick = os.sysconf("SC_CLK_TCK")
    return (int(words[11]) + int(words[12])) / tick, (int(words[13]) + int(words[14])) / tick


def resident(pid: int) -> int:
    """KiB of memory that a process has for itself alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))


def totals(processes: list[subprocess.Popen]) -> tuple[float, float]:
    """cpu() of all of them together."""
    both = [cpu(process.pid) for process in processes]
    return sum(own for own, _ in both), sum(children for _, children in both)


# --- the measurement ---


def is_protected(status: dict) -> bool:
    """Its link is sealed under hybrid keys."""
    return (status["links"] or {}).get("qlink0") == "protected"


def measure(statuses: Statuses, followers: list[subprocess.Popen], policy: str) -> None:
    """Changes the policy, and prints how long it took and what it cost."""
    before, since, clock = totals(followers), time.monotonic(), time.time()
    revision = put("common", common(policy))
    times = [at - since for at in statuses.wait(len(followers), policy, lambda status: status["wanted"] == revision and
                                                status["outcome"] in ("applied", "unchanged"))]
    own, children = (b - a for a, b in zip(before, totals(followers)))
    written = sorted((ROOM / f"s{site + 1}" / "conf").stat().st_mtime - clock for site in range(len(followers)))
    print(f"policy {policy} at {len(times)} sites: the agent's file is written after {spread(written)}; the status says that "
          f"links are as before after {spread(times)}; {own / len(times) * 1000:.0f} ms of CPU a follower, "
          f"{children / len(times) * 1000:.0f} ms a qlinkctl apply", flush=True)


def spread(times: list[float]) -> str:
    """Sorted times in s: of the first, the one in the middle and the last."""
    return f"{times[0]:.2f}, {statistics.median(times):.2f}, {times[-1]:.2f} s"


def idle(followers: list[subprocess.Popen], seconds: int) -> None:
    """Prints what followers cost while nothing happens."""
    before = totals(followers)[0]
    time.sleep(seconds)
    took = totals(followers)[0] - before
    memory = statistics.mean(resident(process.pid) for process in followers)
    print(f"idle for {seconds} s: {took / seconds / len(followers) * 1000:.2f} ms of CPU a second and follower, "
          f"{memory:.0f} KiB of private memory each", flush=True)


def main() -> None:
    """The command."""
    sites = int(sys.argv[1])
    ROOM.mkdir()
    make_network(sites)
    for number in range(len(NODES)):
        start_node(number)
    start_servers(sites)
    while subprocess.run(["curl", "-sf", "--cacert", PKI / "etcd-ca.pem", "--cert", PKI / "etcd.pem", "--key", PKI / "etcd.key",
                          f"https://{NODES[0]}:2379/health"], capture_output=True).returncode:
        time.sleep(0.2)
    statuses = Statuses()
    statuses.start()
    put("common", common(POLICIES[0]))
    for site in range(1, sites + 1):
        put(f"sites/s{site}", document(site))
    followers = [follow(site) for site in range(1, sites + 1)]
    statuses.wait(sites, "first documents", lambda status: status["outcome"] == "applied")
    print(f"{sites} sites are as their documents say", flush=True)
    for site in range(1, sites + 1):
        start(["ip", "netns", "exec", f"s{site}", "qlinkd", "-c", f"{ROOM}/s{site}/conf"], f"s{site}-agent")
        run("ip", "-n", f"s{site}", "link", "set", "qlink0", "up")
    statuses.wait(sites, "links", is_protected)
    print(f"{sites} sites have a link that seals", flush=True)
    idle(followers, 30)
    for policy in POLICIES[1:]:
        measure(statuses, followers, policy)


if __name__ == "__main__":
    main()
