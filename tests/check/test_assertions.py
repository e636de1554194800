"""Reachability tests: what they mean, and what is said when they do not hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from check.worlds import SAMPLES, world

from k8stui.check import AssertionSyntaxError, Finding, Severity, check
from k8stui.check.assertion import parse, read
from k8stui.kernel.exchange import Result


def judged(text: str, sample: str = "guestbook", namespace: str = "default") -> list[Finding]:
    found = check(world(SAMPLES / sample), [sample], assertions=[parse(text)], namespace=namespace)
    return [f for f in found if f.rule == "assert"]


@pytest.mark.parametrize(
    "text",
    [
        "pod/client -> svc/frontend:80 connected",
        "pod/client->svc/frontend connected",
        "outside -> node/node-1:30080 connected",
        "deploy/frontend -> svc/redis-leader:6379 connected",
        "pod/client -> pod/frontend-1:81 refused",
        "pod/client -> frontnd:80 no-such-name",
        "pod/client -> svc/frontend:81 unreachable",
    ],
)
def test_holds(text: str) -> None:
    assert judged(text) == []


def test_fails_with_the_real_outcome_and_its_walk() -> None:
    (found,) = judged("pod/client -> pod/frontend-1:81 connected")
    assert found.severity is Severity.ERROR
    assert found.why.startswith("expected connected, got refused: nothing listens on port 81")
    assert found.fix == "ask for 80"
    assert found.proof is not None
    assert found.proof.result is Result.REFUSED
    assert found.proof.command == ("k8stui walk guestbook --from pod/client --to pod/frontend-1:81")
    assert found.place is not None, "the pod's line, for an annotation"


def test_every_branch_must_hold(tmp_path: Path) -> None:
    """A Service over two workloads, of which one has another port: half of the requests fail."""
    text = "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: web}}}}\n"
        f"spec: {{containers: [{{name: c, image: x, ports: [{{containerPort: {port}}}]}}]}}\n"
        for name, port in (("good", 80), ("bad", 81))
    )
    text += "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    text += "spec: {selector: {app: web}, ports: [{port: 80}]}\n"
    file = tmp_path / "two.yaml"
    file.write_text(text)
    assertion = parse("node/node-1 -> svc/web:80 connected")
    found = check(world(file), [str(file)], assertions=[assertion], ignore={"mixed-pods"})
    assert [f.rule for f in found] == ["assert"]
    assert "expected connected, got connected 1/2, refused 1/2" in found[0].why
    assert found[0].proof is not None
    assert found[0].proof.command.endswith("--to svc/web:80 --all")


def test_a_name_that_is_not_there_fails_with_a_guess() -> None:
    (found,) = judged("pod/client -> svc/frontnd:80 connected")
    assert found.why == "cannot be asked: there is no Service frontnd in namespace default"
    assert found.fix == "did you mean svc/frontend?"


def test_names_are_of_the_namespace() -> None:
    (found,) = judged("pod/client -> svc/frontend:80 connected", namespace="other")
    assert "in namespace other" in found.why


FORM = "write SOURCE -> DESTINATION RESULT, as in pod/a -> svc/b:80 connected"
RESULTS = (
    "there is: connected, denied, not-served, refused, unreachable, timeout, no-such-name, unknown"
)


@pytest.mark.parametrize(
    ("text", "caret", "message", "hint"),
    [
        (
            "pod/a svc/b:80 connected",
            "      ^",
            "not an assertion: 'pod/a svc/b:80 connected'",
            FORM,
        ),
        ("connected", "^", "not an assertion: 'connected'", FORM),
        ("-> svc/b:80 connected", "   ^", "not an assertion: '-> svc/b:80 connected'", FORM),
        ("a -> b -> c", "     ^", "not an assertion: 'a -> b -> c'", FORM),
        ("pod/a ->", "        ^", "no DESTINATION", FORM),
        ("pod/a -> b:80", "             ^", "what should come of 'pod/a -> b:80'?", RESULTS),
        (
            "pod/a->b:80 conected",
            "            ^",
            "not a result: 'conected'",
            "did you mean connected?",
        ),
        ("  a -> b fine", "         ^", "not a result: 'fine'", RESULTS),
        (
            "a -> b connected really",
            "                 ^",
            "one word too many: 'really'",
            FORM,
        ),
    ],
)
def test_what_cannot_be_read(text: str, caret: str, message: str, hint: str) -> None:
    with pytest.raises(AssertionSyntaxError) as caught:
        parse(text)
    found = caught.value.problem
    assert (found.message, found.hint, found.source_line) == (message, hint, text)
    assert (found.file, found.line) == ("--assert", 1)
    assert " " * (found.column - 1) + "^" == caret
    assert found.render().splitlines()[2].endswith("| " + caret)


def test_a_file_has_comments_and_places() -> None:
    content = "# the shop\n\n  pod/a -> svc/b:80 connected  # must\nnode/n -> 10.0.0.1:1 timeout\n"
    (first, second), problems = read("reach.txt", content)
    assert not problems
    assert (first.place and (first.place.file, first.place.line, first.place.column)) == (
        "reach.txt",
        3,
        3,
    )
    assert (second.source.text, second.expected) == ("node/n", Result.TIMEOUT)


def test_all_errors_of_a_file_are_told() -> None:
    found, problems = read("reach.txt", "a -> c connected\npod/a -> b:80 yes # no\n\n x\n")
    assert [str(each) for each in found] == ["a -> c connected"]
    assert [each.where for each in problems] == ["reach.txt:2:15", "reach.txt:4:2"]
    assert problems[0].source_line == "pod/a -> b:80 yes # no"
