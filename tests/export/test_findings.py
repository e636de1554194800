"""Findings in the four formats: what tools parse must parse, whatever a manifest says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from k8stui.check import Finding, Proof, Severity
from k8stui.check.place import TextPlace
from k8stui.check.table import BY_ID, RULES
from k8stui.cli import run
from k8stui.export.findings import encoded, findings_lines
from k8stui.export.findings_github import findings_github
from k8stui.export.findings_sarif import findings_sarif
from k8stui.kernel.exchange import Result

PROOF = Proof(
    command="k8stui walk shop --from pod/a --to svc/web:80",
    result=Result.REFUSED,
    where="node-1",
    step=10,
    text="no endpoint is ready",
)
TYPO = Finding(
    rule="no-endpoints",
    severity=Severity.ERROR,
    subject="Service default/web",
    place=TextPlace(file="shop/web.yaml", line=12, column=5, field="spec.selector.app"),
    why="no endpoints: the selector app=wbe matches no pod",
    fix="write app: web in the selector",
    proof=PROOF,
)
PENDING = Finding(
    rule="load-balancer",
    severity=Severity.INFO,
    subject="Service default/lb",
    place=TextPlace(file="shop/web.yaml", line=30),
    why="it has no address",
)
NOWHERE = Finding(
    rule="assert",
    severity=Severity.WARNING,
    subject="pod/a -> svc/b:80 connected",
    place=None,
    why="cannot be asked",
)
NASTY = Finding(
    rule="no-endpoints",
    severity=Severity.ERROR,
    subject="Service default/we,b::x",
    place=TextPlace(file="a,b: 100%\nc.yaml", line=1),
    why="100%\r\n::error::x \x1b[31m",
)


def test_text() -> None:
    assert list(findings_lines([TYPO, PENDING, NOWHERE])) == [
        f"shop/web.yaml:12: error no-endpoints: Service default/web: {TYPO.why}",
        "    hop: refused at node-1, step 10: no endpoint is ready",
        "    see: k8stui walk shop --from pod/a --to svc/web:80",
        "    fix: write app: web in the selector",
        "shop/web.yaml:30: info load-balancer: Service default/lb: it has no address",
        "",
        "warning assert: pod/a -> svc/b:80 connected: cannot be asked",
        "",
        "1 error, 1 warning, 1 info",
    ]


def test_text_of_nothing() -> None:
    assert list(findings_lines([])) == ["no findings"]


def test_where_nothing_is_read_nothing_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "nothing to check: no object was read\n"


def test_text_cannot_steer_a_terminal() -> None:
    lines = list(findings_lines([NASTY]))
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 3


def test_json() -> None:
    document = json.loads("".join(encoded("json", [TYPO, NOWHERE])))
    assert document["version"] == 1
    assert document["counts"] == {"error": 1, "warning": 1, "info": 0}
    first, second = document["findings"]
    assert first == {
        "rule": "no-endpoints",
        "severity": "error",
        "object": "Service default/web",
        "file": "shop/web.yaml",
        "line": 12,
        "column": 5,
        "field": "spec.selector.app",
        "why": "no endpoints: the selector app=wbe matches no pod",
        "fix": "write app: web in the selector",
        "hop": {
            "namespace": "node-1",
            "step": 10,
            "result": "refused",
            "text": "no endpoint is ready",
            "walk": "k8stui walk shop --from pod/a --to svc/web:80",
        },
    }
    assert second.keys() == first.keys()
    assert (second["file"], second["line"], second["hop"]) == (None, None, None)


def test_github() -> None:
    first, second, third = findings_github([TYPO, PENDING, NOWHERE])
    assert first == (
        "::error file=shop/web.yaml,line=12,col=5,title=no-endpoints%3A Service default/web::"
        "Service default/web: no endpoints: the selector app=wbe matches no pod"
        "%0Ahop: refused at node-1, step 10: no endpoint is ready"
        "%0Asee: k8stui walk shop --from pod/a --to svc/web:80"
        "%0Afix: write app: web in the selector"
    )
    assert second.startswith("::notice file=shop/web.yaml,line=30,col=1,title=")
    assert third.startswith("::warning title=assert%3A pod/a -> svc/b%3A80 connected::")


def test_github_escapes() -> None:
    (line,) = findings_github([NASTY])
    assert "\n" not in line
    assert "\r" not in line
    assert "\x1b" not in line
    assert line.startswith(
        "::error file=a%2Cb%3A 100%25%0Ac.yaml,line=1,col=1,"
        "title=no-endpoints%3A Service default/we%2Cb%3A%3Ax::"
    )


def test_github_titles_and_files_cannot_steer_a_log() -> None:
    finding = Finding(
        rule="input",
        severity=Severity.ERROR,
        subject="Job default/\x1b[31m\u202e",
        place=TextPlace(file="a\x1b.yaml", line=1),
        why="y",
    )
    (line,) = findings_github([finding])
    assert line.isprintable()


def sarif(*findings: Finding) -> dict[str, Any]:
    document = json.loads(findings_sarif(findings))
    (run,) = document["runs"]
    assert isinstance(run, dict)
    assert document["version"] == "2.1.0"
    return run


def test_sarif_result() -> None:
    run = sarif(PENDING, TYPO)
    result = run["results"][1]
    rules = run["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "no-endpoints"
    assert result["level"] == "error"
    assert run["results"][0]["level"] == "note"
    (location,) = result["locations"]
    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "shop/web.yaml"},
        "region": {"startLine": 12, "startColumn": 5},
    }
    assert "k8stui walk shop" in result["message"]["text"]


_URI = re.compile(r"(?:[A-Za-z0-9._~/!$&'()*+;=:@,-]|%[0-9A-F]{2})*")
"""RFC 3986 section 2, without query and fragment."""
_KEYS = {
    "log": {"$schema", "version", "runs"},
    "run": {"tool", "columnKind", "results"},
    "driver": {"name", "version", "semanticVersion", "rules"},
    "rule": {
        "id",
        "shortDescription",
        "fullDescription",
        "help",
        "defaultConfiguration",
        "properties",
    },
    "result": {"ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"},
    "location": {"physicalLocation", "logicalLocations"},
}
"""Of the properties that sarif-schema-2.1.0.json allows in each object, those that are written."""


@pytest.mark.parametrize(
    "file", ["a b/ü%.yaml", "/srv/x#1?y.yaml", "a:b.yaml", "a,b\n\x1b\u202e.yaml", "\udcff.yaml"]
)
def test_sarif_follows_the_schema(file: str) -> None:
    place = TextPlace(file=file, line=0, column=0)
    finding = Finding(
        rule="input", severity=Severity.ERROR, subject="x\x1b", place=place, why="y\n"
    )
    log = json.loads(findings_sarif([finding, TYPO, NOWHERE, NASTY]))
    assert log.keys() == _KEYS["log"]
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run.keys() == _KEYS["run"]
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = run["tool"]["driver"]
    assert driver.keys() == _KEYS["driver"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])
    for rule in driver["rules"]:
        assert rule.keys() == _KEYS["rule"]
    for result in run["results"]:
        assert result.keys() == _KEYS["result"]
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        (location,) = result["locations"]
        assert location.keys() <= _KEYS["location"]
        physical = location.get("physicalLocation")
        if physical is not None:
            assert _URI.fullmatch(physical["artifactLocation"]["uri"])
            first = physical["artifactLocation"]["uri"].partition("/")[0]
            assert ":" not in first or first == "file:", "no scheme but file"
            assert physical["region"]["startLine"] >= 1
            assert physical["region"]["startColumn"] >= 1


def test_sarif_fingerprints_do_not_move_with_lines() -> None:
    moved = Finding(
        rule=TYPO.rule,
        severity=TYPO.severity,
        subject=TYPO.subject,
        place=TextPlace(file="shop/web.yaml", line=99, field="spec.selector.app"),
        why=TYPO.why,
    )
    one, other = sarif(TYPO, moved)["results"]
    assert one["partialFingerprints"] == other["partialFingerprints"]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/ü%.yaml", "a%20b/%C3%BC%25.yaml"),
        ("./x.yaml", "x.yaml"),
        ("../x.yaml", "../x.yaml"),
        ("/srv/x y.yaml", "file:///srv/x%20y.yaml"),
    ],
)
def test_sarif_uris(file: str, uri: str) -> None:
    finding = Finding(
        rule="assert",
        severity=Severity.ERROR,
        subject="x",
        why="y",
        place=TextPlace(file=file, line=1),
    )
    (result,) = sarif(finding)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_sarif_without_a_file_has_no_physical_location() -> None:
    stdin = Finding(
        rule="assert",
        severity=Severity.ERROR,
        subject="x",
        why="y",
        place=TextPlace(file="-", line=1),
    )
    for result in sarif(stdin, NOWHERE)["results"]:
        assert result["locations"][0].keys() == {"logicalLocations"}


def test_every_rule_has_words_for_its_help() -> None:
    assert len(BY_ID) == len(RULES) + 2
    for rule in BY_ID.values():
        assert rule.id == rule.id.lower()
        assert rule.summary
        assert not rule.summary.endswith(".")
        assert rule.help.strip()
    for rule in RULES:
        assert "pplies" in rule.help or "pply" in rule.help, f"{rule.id}: when does it not apply?"


def test_sarif_of_all_rules_has_their_help() -> None:
    findings = [
        Finding(rule=rule, severity=Severity.ERROR, subject="x", why="y", place=None)
        for rule in BY_ID
    ]
    for rule in sarif(*findings)["tool"]["driver"]["rules"]:
        assert rule["help"]["text"]
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")


ROOT = Path(__file__).parents[2]
WRONG = "samples/broken/webapp-wrong-selector"


def k8stui(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "k8stui", "check", *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        input=stdin,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (("samples/guestbook",), 0),
        ((WRONG,), 1),
        ((WRONG, "--ignore", "wrong-pods"), 0),
        (("samples/broken/local-policy-no-pod-here",), 0),
        (("samples/guestbook", "--assert", "pod/client -> svc/frontend connected"), 0),
        (("samples/guestbook", "--assert", "pod/client -> svc/frontend refused"), 1),
        (("samples/guestbook", "--assert", "pod/client -> svc/frontend"), 2),
        (("samples/guestbook", "--ignore", "nonsense"), 2),
        (("samples/guestbook", "--assert-file", "not-there"), 2),
        (("tests/check/rejected/04-node-port-out-of-range.yaml",), 2),
        (("tests/check/rejected/04-node-port-out-of-range.yaml", "--ignore", "node-port"), 0),
        (("tests/check/rejected/04-node-port-out-of-range.yaml", "--ignore", "service-ports"), 2),
        (("not-there",), 2),
    ],
)
def test_exit_status(args: tuple[str, ...], status: int) -> None:
    done = k8stui(*args)
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_prints_the_finding_as_compilers_do() -> None:
    first = k8stui(WRONG).stdout.splitlines()[0]
    assert first.startswith(f"{WRONG}/4-myweb-svc.yaml:14: error wrong-pods: Service default/myweb")
    assert "3306" in first
    assert "8080" in first


def test_an_assertion_file_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "reach.txt"
    file.write_text("# all of it\npod/client -> svc/frontend:80 refused\n")
    done = k8stui("samples/guestbook", "--assert-file", str(file))
    assert done.returncode == 1
    assert done.stdout.startswith(f"{file}:2: error assert: pod/client -> svc/frontend:80 refused")
    file.write_text("\npod/client -> svc/frontend:80 reused\n")
    done = k8stui("samples/guestbook", "--assert-file", str(file))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"{file}:2:31: not a result: 'reused'",
        "    2 | pod/client -> svc/frontend:80 reused",
        f"      | {' ' * 30}^",
        "      = did you mean refused?",
    ]


def test_what_cannot_be_read_is_annotated_too() -> None:
    done = k8stui("-", "--format", "github", stdin="kind: Service\nmetadata: [\n")
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=input%3A input::")


def test_no_screen_and_no_graph_library_is_loaded() -> None:
    code = (
        "import sys\nfrom k8stui.cli import run\n"
        f"run(['check', '{WRONG}'])\n"
        "print(*sorted({'textual', 'rich', 'networkx', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.splitlines()[-1] == ""
