"""The report as text, JUnit, SARIF and a receipt."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import jsonschema
import msgspec
import pytest

from mock_server.judge.baseline import flip_of
from mock_server.judge.console import WIDTH, as_text
from mock_server.judge.junit import as_junit
from mock_server.judge.receipt import as_receipt
from mock_server.judge.report import Accepted, Report, verdict_of
from mock_server.judge.sarif import as_sarif
from mock_server.verdict.catalogue import RuleInfo
from tests.judge.reports import AT, CODES, day, finding, judgement, on_days, report

INFOS = [
    RuleInfo(
        code,
        "create-repeated",
        "paying twice",
        "Sends a create again.",
        "An answer was lost.",
        "",
        (),
        ("Keep one key.", "Send it again."),
        ("CWE-841",),
    )
    for code in CODES
]
ODD = "</script><b>&\x1b[31m\x00\u202e " + "x" * 300
FULL = report(
    on_days(finding("HM101", 57, moments=20), "lost_answer", "answer_cut"),
    on_days(finding("HM301", sentence=ODD, name="odd"), "failed"),
    notes=(on_days(finding("HM208"), "looks_down"),),
    accepted=(Accepted("HM206", "until the new queue", AT.date()),),
    problems=("the client asked api.example:443, not the fake",),
)


def test_the_text_fits_a_terminal_and_has_no_escape_sequences() -> None:
    text = as_text(FULL)
    lines = [line for line in text.splitlines() if "https://" not in line]
    assert max(map(len, lines)) <= WIDTH
    assert "\x1b" not in text
    assert "\x1b[" in as_text(FULL, colour=True)


def test_the_text_has_the_worst_first_with_its_evidence_and_its_fix() -> None:
    text = as_text(FULL)
    parts = [
        "2 findings, 57 credits lost", "HM101", "57 credits lost", "+0.000 s  POST", "(12 more)",
        "Keep one key", "Send it with", "CWE-841", "lost_answer, answer_cut", "HM301", "1 note",
        "HM208", "api.example:443", "HM206", "until 2026-11-30", "HM501", "Clean: 2", "HM201",
    ]  # fmt: skip
    places: list[int] = []
    for part in parts:
        places.append(text.index(part, places[-1] if places else 0))
    assert places == sorted(places)


def test_a_clean_report_says_so() -> None:
    assert "No findings" in as_text(report())


# --- JUnit ----------------------------------------------------------------------------------------


def test_junit_has_a_case_for_each_rule_that_was_decided() -> None:
    (suite,) = ElementTree.fromstring(as_junit(FULL, INFOS))
    cases = {(case.get("name") or "").split()[0]: case for case in suite}
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "8", "failures": "3", "errors": "0", "skipped": "2"}
    assert {code: [child.tag for child in case] for code, case in cases.items()} == {
        "HM101": ["failure"], "HM301": ["failure"], "problem": ["failure"], "HM206": ["skipped"],
        "HM501": ["skipped"], "HM208": ["system-out"], "HM201": [], "HM202": [],
    }  # fmt: skip
    (failure,) = cases["HM101"]
    assert "Send it with every repeat." in (failure.text or "")
    assert "credits lost: 57" in (failure.text or "")


# --- SARIF ----------------------------------------------------------------------------------------

# What SARIF 2.1.0 requires of the parts that are written here.
TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name"],
                                "properties": {
                                    "rules": {
                                        "items": {
                                            "required": ["id"],
                                            "properties": {
                                                "shortDescription": TEXT,
                                                "help": TEXT,
                                                "name": {"pattern": "^[A-Za-z0-9]+$"},
                                            },
                                        }
                                    }
                                },
                            }
                        },
                    },
                    "invocations": {
                        "items": {
                            "required": ["executionSuccessful"],
                            "properties": {
                                "startTimeUtc": {"type": "string", "pattern": "Z$"},
                                "exitCode": {"type": "integer"},
                            },
                        }
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "properties": {
                                "message": TEXT,
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "locations": {
                                    "minItems": 1,
                                    "items": {
                                        "required": ["physicalLocation"],
                                        "properties": {
                                            "physicalLocation": {
                                                "required": ["artifactLocation"],
                                                "properties": {
                                                    "artifactLocation": {"required": ["uri"]},
                                                    "region": {
                                                        "properties": {"startLine": {"minimum": 1}}
                                                    },
                                                },
                                            }
                                        },
                                    },
                                },
                                "suppressions": {
                                    "items": {
                                        "required": ["kind"],
                                        "properties": {"kind": {"enum": ["inSource", "external"]}},
                                    }
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif_is_valid_and_names_the_rules() -> None:
    document = json.loads(as_sarif(FULL, INFOS))
    jsonschema.validate(document, SARIF)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    told = [(each["ruleId"], each["level"]) for each in run["results"]]
    assert told == [
        ("HM101", "error"), ("HM301", "error"), ("HM208", "warning"), ("HM206", "error")
    ]  # fmt: skip
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    assert [bool(each.get("suppressions")) for each in run["results"]] == [False] * 3 + [True]


def test_sarif_places_findings_at_the_file_in_the_command(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my client.mjs").write_text("")
    for command, uri in [(("node", "my client.mjs"), "my%20client.mjs"), (("node", "x"), ".")]:
        changed = msgspec.structs.replace(FULL, command=command)
        (run,) = json.loads(as_sarif(changed, INFOS))["runs"]
        place = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert place == {"uri": uri}


# --- receipt --------------------------------------------------------------------------------------


class Page(HTMLParser):
    """The elements of a page, its attributes and its texts; the script's is apart."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.data = self.text = ""
        self._stack: list[str] = []
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in {"meta", "br"}:
            self._stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._stack[-1:] == ["script"]:
            self.data += data
        elif self._stack[-1:] != ["style"]:
            self.text += data


def test_a_receipt_loads_nothing_and_runs_nothing() -> None:
    content = as_receipt(FULL, INFOS)
    page = Page(content)
    loading = {"link", "img", "iframe", "object", "embed", "audio", "video", "base", "form", "a"}
    assert loading.isdisjoint(page.tags)
    assert {name for name, _ in page.attributes} & {"src", "href", "srcset", "style"} == set()
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert page.tags.count("script") == 1
    assert ("type", "application/json") in page.attributes
    style = content.decode().partition("<style>")[2].partition("</style>")[0]
    assert re.search(r"url\(|@import|expression", style) is None
    policy = next(value for name, value in page.attributes if "default-src" in value)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_receipt_has_the_findings_and_the_report_as_data() -> None:
    page = Page(as_receipt(FULL, INFOS))
    for part in ("2 findings, 57 credits lost", "HM101", "CWE-841", "+0.040 s", "Keep one key"):
        assert part in page.text
    document = json.loads(page.data)
    assert [each["code"] for each in document["findings"]] == ["HM101", "HM301"]
    assert "<b>&" in document["findings"][1]["sentence"]


def test_a_receipt_shows_what_failed_then_and_passes_now() -> None:
    before = report(on_days(finding("HM101", 57, sentence="Paid twice."), "lost_answer"))
    now = verdict_of([(day("lost_answer"), judgement(judged=("HM101",)))])
    after = report(flip=flip_of(before, now), earlier=before.findings, clean=("HM101",))
    text = Page(as_receipt(after, INFOS)).text
    assert "No findings" in text
    assert re.search(r"HM101 [\w-]+failedpasses", text)
    assert "then; 57 credits lost" in text
    assert "Paid twice." in text


def test_the_json_is_the_report() -> None:
    plain = report(on_days(finding("HM101", 57), "lost_answer"))
    assert msgspec.json.decode(msgspec.json.encode(plain), type=Report) == plain
