#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Runs each query of the Grafana dashboard at a Prometheus.

usage: dashboard.py list DASHBOARD
       dashboard.py ask DASHBOARD URL
       dashboard.py names DASHBOARD RULES NAMES

list prints each query: panel, letter and expression, with tabs between them. ask also prints how many time series answer
it, and the labels and the value of the one with the largest value; it fails if a query has none. names fails if the
dashboard or the rules name a metric that is not in the file NAMES, which has one a line.
"""

import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from typing import Iterator, NamedTuple

# What Grafana puts into a query: all of a variable with several values, and a span of some scrapes.
VALUES = {"$job": "qlinkd", "$instance": ".*", "$link": ".*", "$__rate_interval": "20s"}
# Labels that say nothing in a table of results.
DULL = ("__name__", "job")


class Query(NamedTuple):
    """One query of a panel."""
    panel: str
    letter: str
    expr: str


def queries(path: str) -> Iterator[Query]:
    """All queries of a dashboard, in its order."""
    with open(path, encoding="utf-8") as file:
        board = json.load(file)
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield Query(panel["title"], target["refId"], target["expr"])


def fill_in(expr: str) -> str:
    """The expression as Grafana sends it."""
    for name, value in VALUES.items():
        expr = expr.replace(name, value)
    if "$" in expr:
        raise ValueError(f"{expr}: a variable that is not known here")
    return expr


def ask(url: str, expr: str) -> list:
    """What Prometheus answers."""
    data = urllib.parse.urlencode({"query": fill_in(expr)}).encode()
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query", data, timeout=30) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as err:
        raise ValueError(f"{expr}: {err.read().decode()}") from err


def largest(result: list) -> str:
    """Labels and value of the time series with the largest value."""
    if not result:
        return "-\t-"
    best = max(result, key=lambda series: float(series["value"][1]))
    labels = ", ".join(f"{name}={value}" for name, value in sorted(best["metric"].items()) if name not in DULL)
    number = float(best["value"][1])
    return f"{labels}\t{number:.6g}" if abs(number) < 1e9 else f"{labels}\t{number:.0f}"


def ask_all(path: str, url: str) -> int:
    """The command ask."""
    empty = 0
    for query in queries(path):
        result = ask(url, query.expr)
        empty += not result
        print("\t".join([query.panel, query.letter, query.expr, str(len(result)), largest(result)]))
    return 1 if empty else 0


def named(text: str) -> set[str]:
    """The metrics of the agent that a text names, but not those that a rule records."""
    return set(re.findall(r"(?<![\w:])qlinkd_\w+(?![\w:])", text))


def compare_names(board: str, rules: str, names: str) -> int:
    """The command names."""
    with open(names, encoding="utf-8") as file:
        known = set(file.read().split())
    with open(rules, encoding="utf-8") as file:
        # Texts for people name events, not metrics.
        used = named(re.sub(r"(?m)^ +(?:#|summary:|description:).*", "", file.read()))
    used |= {name for query in queries(board) for name in named(query.expr)}
    for name in sorted(used - known):
        print(f"{name}: no agent has this metric")
    return 1 if used - known or not used else 0


def main() -> int:
    """The command."""
    match sys.argv[1:]:
        case ["list", board]:
            for query in queries(board):
                print("\t".join(query))
            return 0
        case ["ask", board, url]:
            return ask_all(board, url)
        case ["names", board, rules, names]:
            return compare_names(board, rules, names)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
