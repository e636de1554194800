"""Whatever stands in a tour file, it is a tour or a list of problems, each with its place."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8stui.manifests.problem import Problem
from k8stui.tour.bundled import bundled_tours
from k8stui.tour.page import TourError
from k8stui.tour.read import parse_tour
from k8stui.tour.rehearse import Stop, rehearse

TEXTS = {name: path.read_text(encoding="utf-8") for name, path in bundled_tours().items()}
FILE = str(next(iter(bundled_tours().values())))
WORDS = st.sampled_from(
    ["at: ", "nth: 0", "[", "{", "- ", "\n", "  ", ":", "&a ", "*a", "!x ", "'", '"', "\t", "---\n",
     "null", "~", "-1", "1e9", "٣",
     "what-if: ", "after: ", "pane: ", "\x00", "\u2028", "<<: ", "? ",
     "ask: a -> b", "branch: 10000000000", "caption: ", "> \n", "| \n", "#", "%YAML 1.1\n"]
)  # fmt: skip
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def judge(content: str) -> None:
    problems: tuple[Problem, ...] = ()
    stops: tuple[Stop, ...] = ()
    try:
        stops = rehearse(parse_tour(FILE, content)).stops
    except TourError as error:
        problems = error.problems
    assert bool(stops) is not bool(problems)
    for problem in problems:
        assert problem.render().startswith(FILE)
        assert 0 <= problem.line <= content.count("\n") + 1


@SLOW
@given(st.text(max_size=200))
def test_any_text(content: str) -> None:
    judge(content)


@SLOW
@given(st.data())
def test_a_tour_with_something_cut_out_or_put_in(data: st.DataObject) -> None:
    content = TEXTS[data.draw(st.sampled_from(["row-3", "row-4", "row-8"]))]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content)))
        gone = data.draw(st.integers(0, 12))
        content = content[:at] + data.draw(st.just("") | WORDS) + content[at + gone :]
    judge(content)


@SLOW
@given(st.sampled_from(sorted(TEXTS)), st.integers(0, 2000), st.integers(0, 2000))
def test_lines_in_another_order(name: str, one: int, other: int) -> None:
    lines = TEXTS[name].split("\n")[:12]
    one, other = one % len(lines), other % len(lines)
    lines[one], lines[other] = lines[other], lines[one]
    judge("\n".join(lines))
