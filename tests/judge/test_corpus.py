"""The list of the corpus and its programs agree, and the table counts as it says."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mock_server.judge.program import Program
from mock_server.verdict.catalogue import RULES
from mock_server.verdict.traps import TRAPS
from tests.judge.confusion import Judged, table_of
from tests.judge.corpus_clients import CORPUS, Client, read_clients
from tests.judge.corpus_page import page_with
from tests.judge.corpus_table import environment, judge_client, main, missing_programs, text_of
from tests.judge.warm_python import WarmPython

CLIENTS = read_clients()
CORRECT = [each for each in CLIENTS if not each.mistakes]
MISTAKEN = [each for each in CLIENTS if each.mistakes]
VARIABLES = {
    "rivya": {"RIVYA_BASE_URL", "RIVYA_API_KEY"},
    "acedata": {"ACEDATA_BASE_URL", "ACEDATA_API_TOKEN"},
}
SIGNS = {
    "requests": r"^import requests$",
    "httpx": r"^import httpx$",
    "aiohttp": r"^import aiohttp$",
    "urllib": r"^(import|from) urllib\.request",
    "fetch": r"\bfetch\(",
    "undici": r'from "undici";$',
    "curl": r"\bcurl ",
}


def test_every_program_is_listed_once() -> None:
    programs = [
        path.relative_to(CORPUS).as_posix()
        for path in CORPUS.rglob("*")
        if path.suffix in {".py", ".mjs", ".sh"}
        and not {"base", "node_modules"}.intersection(path.parts)
    ]
    assert sorted(each.file for each in CLIENTS) == sorted(programs)


def test_every_rule_has_clients_in_two_languages() -> None:
    languages = {
        code: {each.language for each in MISTAKEN if code in each.mistakes} for code in RULES
    }
    assert [code for code, known in languages.items() if len(known) < 2] == []


def test_the_corpus_knows_no_other_rules() -> None:
    assert {code for each in CLIENTS for code in each.mistakes} <= set(RULES)


def test_a_rule_that_never_proves_anything_is_expected_as_a_note() -> None:
    never = {code for code, rule in RULES.items() if rule.is_note}
    assert [each.file for each in CLIENTS if never & set(each.codes)] == []


def test_the_page_of_the_table_counts_these_clients() -> None:
    page = (Path(__file__).parents[2] / "docs/judge-corpus.md").read_text("utf-8")
    rows = re.findall(r"^\| (HM\d+) \| (\S+).*? \| (\d+) \|", page, re.MULTILINE)
    expected = [
        (code, rule.name, str(sum(code in {*each.codes, *each.notes} for each in MISTAKEN)))
        for code, rule in RULES.items()
    ]
    assert rows == expected
    assert f"{len(MISTAKEN)} small clients" in page
    assert f"{len(CORRECT)} correct ones" in page


def test_the_page_shows_a_client_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs/judge-corpus.md").read_text("utf-8")
    client = (CORPUS / "python/all_4xx_are_final.py").read_text("utf-8")
    assert f"```python\n{client}```\n" in page


def test_there_are_enough_clients_of_each_kind() -> None:
    assert len(MISTAKEN) >= 60
    assert len(CORRECT) >= 20
    assert {each.library for each in CORRECT} == {each.library for each in MISTAKEN} == set(SIGNS)


def test_every_trap_is_a_correct_client() -> None:
    assert {each.trap for each in CORRECT} - {None} == set(TRAPS)
    assert [each.file for each in MISTAKEN if each.trap is not None] == []


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.file)
def test_a_program_is_what_its_row_says(client: Client) -> None:
    text = client.text
    assert re.search(SIGNS[client.library], text, re.MULTILINE)
    assert all(name in text for name in VARIABLES[client.api])
    assert "mock" not in text.lower()
    listens = re.search(r"HTTPServer\(|createServer\(|TCPSite\(", text) is not None
    assert listens == client.receives


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to the judge")
@pytest.mark.parametrize(
    ("ending", "code", "last"),
    [
        ("sys.exit(7)", 7, ""),
        ("sys.exit('why')", 1, "why"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero"),
        ("atexit.register(print, 'at exit')", 0, "at exit"),
        ("threading.Timer(0.1, print, ['of a thread']).start()", 0, "of a thread"),
        ("os.kill(os.getpid(), 9)", -9, ""),
    ],
)
def test_a_client_of_the_warm_python_is_a_program_of_its_own(
    tmp_path: Path, ending: str, code: int, last: str
) -> None:
    file = tmp_path / "client.py"
    file.write_text(
        "import atexit, os, sys, threading\n"
        "print(sorted(os.environ), sys.argv, sys.path[0], __name__, os.getsid(0) == os.getpid())\n"
        f"print(repr(sys.stdin.read()))\n{ending}\n"
    )

    async def story(warm: WarmPython) -> tuple[int, str]:
        environment = {"TMPDIR": str(tmp_path)}
        program = await Program.start(["python", str(file)], environment, "TMPDIR", warm.spawn)
        try:
            ended = await program.wait()
        finally:
            await program.end()
        return ended, program.last_output

    said = f"['TMPDIR'] ['{file}'] {tmp_path} __main__ True\n''\n"
    with closing(WarmPython()) as warm:
        ended, output = asyncio.run(story(warm))
    assert ended == code
    assert output.startswith(said)
    assert output.rstrip("\n").endswith(last or said.rstrip("\n"))


# One with each library and language, on the quiet day and on the days of its mistake.
SAMPLE = {
    "shell/keeps_nothing.sh",
    "python/new_key_each_attempt.py",
    "javascript/library_retries_posts.mjs",
    "python/retries_invalid.py",
    "javascript/key_to_media_host.mjs",
    "python/unknown_state_crashes.py",
    "javascript/retries_bad_key.mjs",
}


@pytest.mark.parametrize(
    "client", [each for each in CLIENTS if each.file in SAMPLE], ids=lambda client: client.file
)
def test_a_mistake_is_found(client: Client) -> None:
    needed = {".sh": {"bash", "curl", "jq"}, ".mjs": {"undici"}}.get(client.path.suffix, set())
    if missing := needed.intersection(missing_programs(environment())):
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
    judged = judge_client(client, seed=7)
    assert judged.problem == ""
    assert set(judged.found) == set(client.codes)


def client(file: str, *codes: str, notes: tuple[str, ...] = ()) -> Client:
    return Client(
        file=file, api="rivya", library="urllib", codes=codes, notes=notes, habit="Is made up."
    )


TWICE = client("a.py", "HM101")
FAST = client("b.py", notes=("HM305",))
GOOD = client("c.py")
DAY = ("quiet",)


def judged(who: Client, *found: str, noted: tuple[str, ...] = (), problem: str = "") -> Judged:
    return Judged(
        client=who,
        seed=1,
        found=dict.fromkeys(found, DAY),
        noted=dict.fromkeys(noted, DAY),
        problem=problem,
    )


def test_a_perfect_table_is_good() -> None:
    table = table_of([judged(TWICE, "HM101"), judged(FAST, noted=("HM305",)), judged(GOOD)], RULES)
    assert (table.recall, table.wrong, table.is_good) == (1.0, (), True)
    by_code = {row.code: row for row in table.rows}
    assert (by_code["HM101"].hit, by_code["HM101"].missed, by_code["HM101"].accused) == (1, 0, 0)
    assert list(by_code) == list(RULES)


def test_a_note_is_no_hit_where_a_finding_is_due() -> None:
    table = table_of([judged(TWICE, noted=("HM101",))], RULES)
    assert (table.recall, table.is_good) == (0.0, False)
    assert "missed HM101: a.py, seed 1; noted on quiet" in text_of(table, 1)


def test_a_note_about_a_correct_client_is_no_false_alarm() -> None:
    assert table_of([judged(GOOD, noted=("HM305",))], RULES).is_good


def test_one_finding_about_a_correct_client_spoils_the_table() -> None:
    many = [judged(TWICE, "HM101")] * 99
    table = table_of([*many, judged(GOOD, "HM206")], RULES)
    assert not table.is_good
    assert "FALSE ALARM HM206: c.py, seed 1, on quiet" in text_of(table, 1)
    assert "1 of 1 judgements of correct clients wrong" in text_of(table, 1)


def test_another_code_than_the_mistake_is_counted_as_accused() -> None:
    table = table_of([judged(TWICE, "HM101", "HM109")], RULES)
    assert [(row.code, row.accused) for row in table.rows if row.accused] == [("HM109", 1)]
    assert "accused HM109: a.py, seed 1, on quiet" in text_of(table, 1)


def test_the_figures_are_written_into_the_page() -> None:
    table = table_of([judged(TWICE, "HM101"), judged(FAST), judged(GOOD)], RULES)
    rows = "| a | b |\n| HM101 | x |\n| HM102 | y |\n"
    before = f"Text.\nWith 5 seeds, in 3 s: all\nand none.\n\n{rows}End.\n"
    after = page_with(before, table, RULES, 1, 12.4)
    assert "With 1 seed, in 12 s: 1 of 2 mistakes were found (50.0 %),\nand 0 of 1 " in after
    assert "| HM101 | create-repeated-without-key | 1 | 1 | 0 | 0 |\n" in after
    assert "| HM305 | looks-too-often (note) | 1 | 0 | 1 | 0 |\n" in after
    assert after.startswith("Text.\nWith 1 seed")
    assert after.endswith(" |\nEnd.\n")
    assert "| x |" not in after


@pytest.mark.parametrize(("missed", "is_good"), [(3, True), (4, False)])
def test_ninety_seven_of_a_hundred_are_enough(missed: int, *, is_good: bool) -> None:
    all_of_them = [judged(TWICE)] * missed + [judged(TWICE, "HM101")] * (100 - missed)
    assert table_of(all_of_them, RULES).is_good is is_good


def test_a_client_that_could_not_be_judged_spoils_the_table() -> None:
    table = table_of([judged(TWICE, "HM101"), judged(GOOD, problem="never called")], RULES)
    assert not table.is_good
    assert "not judged: c.py, seed 1: never called" in text_of(table, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "HM999"], "there is no rule 'HM999'"),
        (["--clients", "none/*"], "no client is left"),
        (["--page", "none.md"], "--page none.md: "),
        (["--page", "README.md"], "--page README.md: has no sentence 'With 5 seeds, in ...'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_before_a_client_runs(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
