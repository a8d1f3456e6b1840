"""What ``make bench`` measures beside what, the target of each figure, and what it leaves out."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    :ivar pattern: finds it in what the benchmark prints; of several the worst counts.
    :ivar peer: beside what it was measured.
    :ivar target: which the figure must reach (``at least``) or not exceed (``at most``).
    """

    what: str
    pattern: str
    unit: str
    peer: str
    is_good: Literal["at least", "at most"]
    target: float

    def read(self, printed: str) -> float | None:
        """Return the figure; ``None``: it was not printed."""
        found = re.findall(self.pattern, printed, re.MULTILINE)
        figures = [float(one.replace(",", "")) for one in found]
        if not figures:
            return None
        return min(figures) if self.is_good == "at least" else max(figures)

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure is as good as it must be."""
        return figure >= self.target if self.is_good == "at least" else figure <= self.target


@dataclass(frozen=True, slots=True)
class Bench:
    """One benchmark.

    :ivar script: relative to this folder, with its arguments.
    :ivar quick: more arguments, for a short run.
    :ivar programs: without which it does not run.
    """

    name: str
    script: tuple[str, ...]
    rows: tuple[Row, ...]
    quick: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A target that is not measured here.

    :ivar how: the command that does, or where its test is.
    :ivar reason: why not here.
    """

    what: str
    target: str
    how: str
    reason: str


def _memory(what: str) -> Row:
    """Return the row of the memory that is printed behind the processor's share."""
    return Row(what, r"% +([\d,]+) MB", "MB", "itself", "at most", 200)


def _ratio(what: str, pattern: str, peer: str, is_good: str, target: float) -> Row:
    kind: Literal["at least", "at most"] = "at least" if is_good == ">=" else "at most"
    return Row(what, pattern, "x", peer, kind, target)


SDK = "LINE's SDK"
#: Name, people, and what counting them took, in what ``bench/marketing`` prints.
_SEGMENT = r"together +[\d,]+ +[\d.]+ +[\d.]+ +"
BENCHES = (
    Bench(
        "startup",
        ("startup/run.py",),
        (
            _ratio(
                "a start: the processor's time that joining adds",
                r"^start\n.*\n  joined .*adds +[\d.]+ x +([\d.]+) x",
                "Flask and its extensions alone",
                "<=",
                0.4,
            ),
            Row(
                "a start: memory that joining adds",
                r"^start\n.*\n  joined .*adds .* x +([\d.]+) MB$",
                "MB",
                "Flask and its extensions alone",
                "at most",
                20,
            ),
        ),
        ("--turns", "3"),
    ),
    Bench(
        "login",
        ("login/run.py",),
        (
            _ratio(
                "a login: the processor's time",
                r"^flask-lineconnect, login +[\d.]+ +([\d.]+)",
                "bare Authlib",
                "<=",
                1.3,
            ),
            _ratio(
                "an auto-login: the processor's time",
                r"^flask-lineconnect, auto-login +[\d.]+ +([\d.]+)",
                "bare Authlib",
                "<=",
                1.3,
            ),
        ),
        ("--logins", "20"),
    ),
    Bench(
        "webhook",
        ("webhook/run.py",),
        (
            _ratio(
                "webhooks of one event, stored durably and once",
                r"^ +1  extension +[\d,]+ +[\d,]+ +([\d.]+)",
                SDK,
                ">=",
                0.9,
            ),
            _ratio(
                "webhooks of a hundred events, stored durably and once",
                r"^ +100  extension +[\d,]+ +[\d,]+ +([\d.]+)",
                SDK,
                ">=",
                8,
            ),
        ),
        ("--rounds", "1", "--seconds", "2"),
        ("wrk",),
    ),
    Bench(
        "answers",
        ("answers/run.py",),
        (
            _ratio(
                "answers a second, where LINE takes 50 ms",
                r"^rate +50 ms  extension .*?([\d.]+) of the SDK's",
                SDK,
                ">=",
                8,
            ),
            _ratio(
                "answers a second, where LINE takes no time",
                r"^rate +0 ms  extension .*?([\d.]+) of the SDK's",
                SDK,
                ">=",
                1,
            ),
            Row(
                "a text's wait for its reply to be requested, median",
                r"^wait +50 ms  extension .*median +([\d,.]+) ms",
                "ms",
                SDK,
                "at most",
                20,
            ),
            Row(
                "a text's wait, the slowest of a hundred",
                r"^wait +50 ms  extension .*p99 +([\d,.]+) ms",
                "ms",
                SDK,
                "at most",
                100,
            ),
        ),
        ("rate", "wait", "--rounds", "1", "--messages", "500", "--seconds", "5"),
    ),
    Bench(
        "delivery",
        ("delivery/run.py", "push"),
        (
            Row(
                "personalised pushes: of LINE's 2,000 a second",
                r"^push +[\d,]+ +[\d,]+ +([\d.]+)%",
                "%",
                "LINE's limit",
                "at least",
                95,
            ),
            _ratio(
                "personalised pushes",
                r"SDK's loop, ([\d.]+) times its 16 threads",
                f"16 threads of {SDK}",
                ">=",
                1,
            ),
        ),
        ("--rounds", "1", "--messages", "2000"),
    ),
    Bench(
        "campaign",
        ("delivery/run.py", "campaign"),
        (
            _ratio(
                "a campaign to 100,000, press to last accepted recipient",
                r"^ *[\d,]+ +[\d.]+ +([\d.]+) +\d+%",
                "LINE's 200 multicasts a second",
                "<=",
                1.15,
            ),
            _memory("memory of its worker"),
        ),
        ("--rounds", "1", "--members", "20000"),
    ),
    Bench(
        "emulator",
        ("emulator/run.py",),
        (
            Row(
                "pushes a second that the emulator's sink takes on one core",
                r"^push +sink +([\d,]+)",
                "/s",
                "nginx",
                "at least",
                3_000,
            ),
            Row(
                "recipients of multicasts a second that it takes",
                r"^multicast +sink +[\d,]+ +([\d,]+)",
                "/s",
                "nginx",
                "at least",
                100_000,
            ),
        ),
        ("--rounds", "1", "--seconds", "2"),
        ("nginx", "wrk", "taskset"),
    ),
    Bench(
        "liff",
        ("liff/run.py",),
        (
            _ratio(
                "from the tap to the barcode, cold",
                r"^ours, cold +\d+ +([\d.]+)",
                "a page like LINE's starter",
                "<=",
                0.8,
            ),
            _ratio(
                "from the tap to the barcode, warm",
                r"^ours, warm +\d+ +([\d.]+)",
                "a page like LINE's starter",
                "<=",
                0.333,
            ),
        ),
        ("--rounds", "2"),
    ),
    Bench(
        "hanging",
        ("login/hanging.py",),
        (
            _ratio(
                "a visitor's wait while LINE hangs, median",
                r"^of quiet +([\d.]+)",
                "the same shop while LINE answers",
                "<=",
                2,
            ),
            _ratio(
                "a visitor's wait while LINE hangs, slowest twentieth",
                r"^of quiet +[\d.]+ +([\d.]+)",
                "the same shop while LINE answers",
                "<=",
                2,
            ),
        ),
        ("--turns", "1", "--seconds", "8"),
    ),
    Bench(
        "console",
        ("console/run.py",),
        (
            Row(
                "a page of the console, the slowest",
                r"^\S.*? +([\d,]+) +[\d,]+ +[\d.]+ +\d+$",
                "ms",
                "its statements alone",
                "at most",
                300,
            ),
            Row(
                "statements of a page of the console, the most",
                r"^\S.*? +[\d,]+ +[\d,]+ +[\d.]+ +(\d+)$",
                "",
                "its statements alone",
                "at most",
                12,
            ),
            _ratio(
                "a page of the console, the farthest from its statements",
                r"^\S.*? +[\d,]+ +[\d,]+ +([\d.]+) +\d+$",
                "its statements alone",
                "<=",
                2,
            ),
        ),
        ("--members", "2000", "--rounds", "3"),
    ),
    Bench(
        "segments",
        ("marketing/run.py", "--explain-to", os.devnull),
        (
            _ratio(
                "ten segments counted, together",
                rf"^{_SEGMENT}([\d.]+) +[\d.]+ +[\d.]+ +[\d.]+$",
                "SQL by hand",
                "<=",
                1.2,
            ),
            _ratio(
                "ten segments listed, together",
                rf"^{_SEGMENT}[\d.]+ +[\d.]+ +[\d.]+ +([\d.]+)$",
                "SQL by hand",
                "<=",
                1.2,
            ),
            _ratio(
                "an event told in the shop's transaction",
                r"bare INSERT [\d,]+ µs, ratio ([\d.]+)",
                "a bare INSERT",
                "<=",
                1.5,
            ),
            _ratio(
                "an event told in the shop's transaction",
                r"add and flush [\d,]+ µs, ratio ([\d.]+)",
                "add and flush of the ORM",
                "<=",
                1.3,
            ),
        ),
        ("--members", "2000", "--orders", "10000", "--events", "20000", "--turns", "1"),
    ),
    Bench(
        "latency",
        ("marketing/latency.py",),
        (
            Row(
                "from an event to LINE's answer at 200 events a second, median",
                r"^event to accepted: p50 ([\d.]+) s",
                "s",
                "itself",
                "at most",
                0.5,
            ),
            Row(
                "from an event to LINE's answer, the slowest of a hundred",
                r"^event to accepted: .*p99 ([\d.]+) s",
                "s",
                "itself",
                "at most",
                2,
            ),
        ),
        ("--rate", "50", "--seconds", "4"),
    ),
    Bench(
        "steps",
        ("marketing/steps.py", "--due", "100000", "--sleeping", "100000"),
        (
            Row(
                "steps of 100,000 runs that are due in one minute, one worker",
                r'"steps a second": (\d+)',
                "/s",
                "LINE's 2,000 pushes a second",
                "at least",
                2_000,
            ),
            Row(
                "memory of its worker",
                r'"memory at most, MB": (\d+)',
                "MB",
                "itself",
                "at most",
                200,
            ),
        ),
        ("--due", "2000", "--sleeping", "2000"),
    ),
    Bench(
        "clicks",
        ("results/clicks.py",),
        (
            _ratio(
                "a tracked click, stored durably",
                r"^(?:shared|personal) +[\d,]+ +([\d.]+)",
                "a bare view: one INSERT, a redirect",
                "<=",
                1.3,
            ),
            Row(
                "tracked clicks a second, stored for ten seconds",
                r"^(?:shared|personal) +([\d,]+)",
                "/s",
                "a bare view: one INSERT, a redirect",
                "at least",
                1_000,
            ),
        ),
        ("--rounds", "1", "--seconds", "2"),
    ),
    Bench(
        "attribution",
        ("results/attribution.py",),
        (
            _ratio(
                "a day's 50,000 orders find their messages",
                r"^\w+: ([\d.]+) times",
                "an expert's statement",
                "<=",
                1.2,
            ),
            Row(
                "the figures of a campaign's page",
                r"figures in ([\d.]+) ms",
                "ms",
                "itself",
                "at most",
                50,
            ),
        ),
        (
            *("--members", "2000", "--touches", "10000", "--clicks", "2000"),
            *("--orders", "500", "--turns", "1"),
        ),
    ),
    Bench(
        "personal",
        ("results/send.py",),
        (
            _ratio(
                "100,000 personalised messages with tracked links, press to last accepted",
                r"^ *[\d,]+ +[\d.]+ +[\d.]+ +([\d.]+) +\d+%",
                "LINE's 2,000 pushes a second",
                "<=",
                1.2,
            ),
            _memory("memory of its worker"),
        ),
        ("--members", "4000"),
    ),
    Bench(
        "upkeep",
        ("upkeep/run.py",),
        (
            Row(
                "is anything due, beside 500,000 messages for later?",
                r"^anything due\? \(ms\) +([\d,.]+)",
                "ms",
                "itself",
                "at most",
                2,
            ),
            _ratio(
                "a webhook beside upkeep, the slowest of a hundred",
                r"^webhooks p99, beside upkeep / alone +([\d,.]+)",
                "webhooks alone",
                "<=",
                1.5,
            ),
        ),
        ("--messages", "20000", "--campaigns", "20", "--scheduled", "5000"),
    ),
)
#: What else has a target.
ELSEWHERE = (
    Elsewhere(
        "upkeep of 2,000,000 messages and 2,000 old campaigns on SQLite",
        "≥ 20 x the version before",
        "bench/upkeep/run.py --before FOLDER",
        "needs a checkout of that version",
    ),
    Elsewhere(
        "each of ten segments, and events, with 1,000,000 members and 5,000,000 orders",
        "≤ 1.2 x SQL by hand, ≤ 1.5 x a bare INSERT",
        "bench/marketing/run.py --members 1000000 --orders 5000000 --events 20000000",
        "takes hours to fill; here with a twentieth",
    ),
    Elsewhere(
        "finding who is due with 10,000 and with 10,000,000 sleeping runs",
        "the same",
        "bench/marketing/steps.py --due 0 --sleeping 10000000",
        "takes an hour to fill",
    ),
    Elsewhere(
        "clicks, orders and the page's figures with 10,000,000 sends and 5,000,000 orders",
        "≤ 1.2 x an expert's statement, ≤ 50 ms",
        "bench/results/attribution.py --members 1000000 --touches 10000000 --clicks 1000000",
        "takes an hour to fill; here with a tenth",
    ),
    Elsewhere(
        "pages of the console with 1,000,000 members, 10,000,000 messages",
        "≤ 300 ms, ≤ 12 statements, ≤ 2 x their statements",
        "bench/console/run.py --members 1000000",
        "takes hours to fill; here with a tenth",
    ),
    Elsewhere(
        "a segment's count while it is made: the estimate; the exact number",
        "≤ 300 ms; ≤ 1.2 x SQL by hand",
        "bench/console/run.py --members 1000000; bench/marketing/run.py",
        "its page is one of those above; the exact count is the segment's own statement",
    ),
    Elsewhere(
        "kills of workers and servers: acknowledged, answered, lost, doubled",
        "0 lost, 0 doubled",
        "bench/webhook/kills.py; bench/answers/kills.py; bench/marketing/kills.py",
        "a promise, and no speed",
    ),
    Elsewhere(
        "from an empty folder to a tapped card; from fresh channels to a doctor without complaints",
        "≤ 5 commands in 2 minutes; ≤ 15 steps",
        "tests/setting_up/test_init.py; tests/setting_up/test_fresh_channels.py",
        "tests, which count them",
    ),
    Elsewhere(
        "planted faults that the doctor or the start find",
        "≥ 38 of 40",
        "tests/doctor/test_forty.py",
        "a test, which counts them",
    ),
)
