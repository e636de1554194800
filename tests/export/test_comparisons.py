"""rules --diff, walk --compare and clients: text, JSON and exit status."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import truth

from k8stui.cli import run
from k8stui.walk.world import sample

GUESTBOOK = str(sample("guestbook"))
ONE_NODE = sample("broken") / "nodeport-one-node-only"
DUMP = str(ONE_NODE / "node-2.iptables")
WEB = str(ONE_NODE / "web.yaml")
HAIRPIN = (
    "walk",
    GUESTBOOK,
    "--from",
    "pod/frontend-1",
    "--to",
    "svc/frontend",
    "--compare",
    "hairpin=off",
)


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_diff_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", str(ONE_NODE), "--diff", f"node-2={DUMP}"]) == 1
    out = capsys.readouterr().out
    for said in (
        "nat KUBE-NODEPORTS\n",
        "  missing rule 2   Service default/web",
        '--comment "default/web" -m tcp --dport 30095 -j KUBE-EXT-',
        "2 requests answered differently because of it:",
        "  outside ─▶ node/node-2:30095   Service default/web\n    should be connected to ",
        "assumed: the ClusterIP of default/web",
    ):
        assert said in out


def test_diff_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    args = ["rules", WEB, "--node", "node-2", "--diff", f"node-2={DUMP}", "--format", "json"]
    assert run(args) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["node"], found["family"], found["version"]) == ("node-2", "ipv4", 1)
    assert len(found["differences"]) == 11
    assert {each["service"] for each in found["differences"]} == {"default/web"}
    assert [each["observed"][0]["result"] for each in found["requests"]] == [
        "unreachable", "refused",
    ]  # fmt: skip


def test_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["rules", GUESTBOOK, "--node", "node-1"])
    file = tmp_path / "dump"
    file.write_text(capsys.readouterr().out)
    assert run(["rules", GUESTBOOK, "--diff", f"node-1={file}"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("node-1: the IPv4 rules in ")
    assert out.endswith("are what should stand there")


def test_a_missing_rule_says_why_it_should_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the Service itself was observed, in a dump of the cluster."""
    folder = truth.folder("recordings") / "guestbook"
    objects = ("nodes", "services", "endpointslices", "proxy")
    paths = [str(folder / f"{name}.yaml") for name in objects]
    lines = (folder / "node-1.iptables").read_text().split("\n")
    file = tmp_path / "dump"
    file.write_text("\n".join(each for each in lines if '"default/frontend cluster' not in each))
    assert run(["rules", *paths, "--owner", "kube-proxy", "--diff", f"node-1={file}"]) == 1
    said = capsys.readouterr().out
    assert "   Service default/frontend   cluster IP of Service default/frontend, port " in said


def test_extra_rules_have_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["rules", GUESTBOOK, "--node", "node-1"])
    lines = capsys.readouterr().out.split("\n")
    lines.insert(
        lines.index("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"),
        "-A KUBE-MARK-MASQ -j RETURN",
    )
    file = tmp_path / "dump"
    file.write_text("\n".join(lines))
    run(["rules", GUESTBOOK, "--diff", f"node-1={file}"])
    number = lines.index("-A KUBE-MARK-MASQ -j RETURN") + 1
    assert f"  extra   rule 1   {file}:{number}\n" in capsys.readouterr().out


def test_diff_of_one_owner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A node with another network plug-in: what kube-proxy wrote there is right all the same."""
    file = tmp_path / "dump"
    assert run(["rules", GUESTBOOK, "--node", "node-1", "--owner", "kube-proxy"]) == 0
    plugin = ":cali-FORWARD - [0:0]\n-A cali-FORWARD -j ACCEPT\n-A FORWARD -j cali-FORWARD\n"
    saved = capsys.readouterr().out.replace("COMMIT\n*nat", f"{plugin}COMMIT\n*nat")
    assert plugin in saved
    file.write_text(saved)
    diff = ["rules", GUESTBOOK, "--diff", f"node-1={file}"]
    assert run([*diff, "--owner", "kube-proxy"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith("are what kube-proxy should have written; others' were not compared")
    assert run([*diff, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["owner"] == "all"


@pytest.mark.parametrize(
    "args",
    [
        ("--node", "node-1", "--diff", f"node-2={DUMP}"),
        ("--diff", f"node-2={DUMP}", "--table", "nat"),
        ("--diff", DUMP),
        ("--diff", f"node-9={DUMP}"),
        ("--diff", "node-2=/nowhere"),
        ("--diff", f"node-2={DUMP}", "--family", "ipv6"),
        (),
    ],
    ids=["two nodes", "table", "no node", "unknown node", "no file", "family", "neither"],
)
def test_diff_usage(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rules", WEB, *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "this is a bug" not in err


@pytest.mark.parametrize("columns", [60, 80, 99, 100, 120, 200])
def test_compare_fits(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run([*HAIRPIN]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert max(map(len, lines)) <= max(columns, 80)
    assert any(" │ " in line for line in lines) is (columns >= 100)
    assert "hairpin: as the plug-in sets it ─▶ off" in lines
    text = " ".join(" ".join(lines).split())
    assert "steps 1 to 9 are the same, to node-2: dnat" in text
    assert "off: 1/3 connected to default/frontend-2, which sees 10.244.2.2; 1/3 timeout" in text


def test_compare_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*HAIRPIN, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["setting"], found["common_steps"], found["same"]) == ("hairpin", 9, False)
    assert found["before"]["branch"]["outcome"]["result"] == "connected"
    assert found["after"]["branch"]["outcome"]["result"] == "timeout"
    assert [each["result"] for each in found["after"]["answers"]] == [
        "connected", "timeout", "connected",
    ]  # fmt: skip


def test_compare_that_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*HAIRPIN[:-1], "masqueradeAll=false"]) == 0
    out = capsys.readouterr().out
    assert "steps are the same\n" in out
    assert out.endswith("the client and the server feel no difference\n")


def test_compare_and_all() -> None:
    assert run([*HAIRPIN, "--all"]) == 2


def test_clients_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clients", GUESTBOOK, "svc/frontend"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[2].split("  ")[0] == "entry"
    assert lines[3].split() == ["node-1", "Cluster", "yes", "1/3", "10.244.1.1", "62", "frontend-2"]
    assert "203.0.113.10 (client)" in lines[7]
    assert max(map(len, lines)) <= 80


def test_clients_of_two_ports_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dns.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: dns}\nspec:\n  type: NodePort\n"
        "  selector: {app: dns}\n  ports:\n"
        "  - {name: udp, port: 53, protocol: UDP, nodePort: 30053}\n"
        "  - {name: tcp, port: 53, nodePort: 30053}\n"
    )
    assert run(["clients", str(file), "svc/dns"]) == 0
    said = capsys.readouterr().out
    entries = [line.split()[0] for line in said.splitlines() if line.startswith("node-1")]
    assert entries[:2] == ["node-1:30053/udp", "node-1:30053"]
    assert "? what it would be if externalTrafficPolicy were Local\n" in said


def test_clients_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    args = ["clients", str(sample("broken") / "source-address-lost"), "svc/shop"]
    assert run([*args, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["service"] == "default/shop"
    assert [each["delivered"] for each in found["arrivals"]] == [True, True, False, True]


@pytest.mark.parametrize("service", ["svc/redis-leader", "svc/nobody", "pod/client"])
def test_clients_usage(service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clients", GUESTBOOK, service]) == 2
    assert "this is a bug" not in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--iptables", "--diff"])
def test_remarks_of_iptables_save_are_passed_on(
    flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "dump"
    remark = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n"
    file.write_text(Path(DUMP).read_text() + remark)
    number = file.read_text().count("\n")
    run(
        [
            "rules",
            WEB,
            *(["--node", "node-2"] if flag == "--iptables" else []),
            flag,
            f"node-2={file}",
        ]
    )
    err = capsys.readouterr().err
    assert f"note: {file}:{number}: iptables-save says: Warning: iptables-legacy tables" in err
    assert "are not in the dump and not walked" in err


def many(tmp_path: Path, replicas: int) -> str:
    file = tmp_path / "many.yaml"
    file.write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
        f"spec:\n  replicas: {replicas}\n  selector: {{matchLabels: {{a: b}}}}\n"
        "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: x}]}}\n"
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
        "spec: {selector: {a: b}, ports: [{port: 80}]}\n"
    )
    return str(file)


def unlike(tmp_path: Path, count: int) -> str:
    """Write pods behind one Service of which no two are alike: each listens elsewhere too."""
    file = tmp_path / "unlike.yaml"
    pods = (
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{number}, labels: {{a: b}}}}\n"
        "spec: {containers: [{name: c, image: x, ports: "
        f"[{{containerPort: 80}}, {{containerPort: {1000 + number}}}]}}]}}\n"
        for number in range(count)
    )
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
    file.write_text(service + "spec: {selector: {a: b}, ports: [{port: 80}]}\n" + "".join(pods))
    return str(file)


@pytest.mark.parametrize(
    ("made", "count", "rest"), [(unlike, 100, "0"), (unlike, 125, "1/5"), (many, 125, "0")]
)
def test_compare_walks_a_hundred_branches(
    made: Callable[[Path, int], str],
    count: int,
    rest: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    args = ["walk", made(tmp_path, count), "--from", "node/node-1", "--to", "svc/s"]
    args += ["--compare", "masqueradeAll=true"]
    assert run([*args, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [document[side]["not_walked"] for side in ("before", "after")] == [rest, rest]
    assert run(args) == 0
    text = capsys.readouterr().out
    assert (f"; {rest} not walked" in " ".join(text.split())) == (rest != "0")
    assert ("the first 100 branches are walked" in text) == (rest != "0")


def test_a_file_that_cannot_be_read_is_told_by_the_option_that_gave_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    for option, line in (
        ("--diff", ["rules", GUESTBOOK, "--diff", f"node-1={nowhere}"]),
        ("--iptables", ["rules", GUESTBOOK, "--node", "node-1", "--iptables", f"node-1={nowhere}"]),
    ):
        assert run(line) == 2
        told = capsys.readouterr().err
        assert f"{nowhere}: No such file or directory" in told
        assert option in told
        assert told.count("--") == 1
