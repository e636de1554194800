"""A compiled rule prints as the rule that it was."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel.recorded import rule_shapes

from k8stui.kernel import words
from k8stui.kernel.compile import compile_rule, render
from k8stui.kernel.matches.base import Opaque
from k8stui.kernel.matches.chance import exact_probability
from k8stui.kernel.targets.base import GoOn, Jump, UnknownTarget


def _chain(text: str) -> str:
    return text.split(" ", 2)[1]


@pytest.mark.parametrize("shape", rule_shapes())
def test_recorded_rules_are_understood_and_printed_again(shape: str) -> None:
    text = rule_shapes()[shape]
    compiled = compile_rule(text)
    assert render(_chain(text), compiled) == text
    assert not [test for test in compiled.tests if isinstance(test, Opaque)]
    assert not isinstance(compiled.target, UnknownTarget)


PRINTED = [
    "-A X -s 10.0.0.0/255.0.255.0 -j DROP",
    "-A X ! -s 10.0.0.1/32 ! -d 10.0.0.0/8 ! -i eth+ ! -o lo ! -p tcp -f -g Y",
    "-A X -s fd00::/8 -d fd00:10::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT",
    "-A X -p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
    "-A X -p icmp -m icmp --icmp-type any -j ACCEPT",
    "-A X -p tcp -m tcp --sport 1:1023 ! --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT",
    "-A X -p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE -j DROP",
    "-A X -p udp -m multiport ! --sports 53,1000:2000 -j ACCEPT",
    "-A X -p tcp -m multiport --ports 80,443 -j ACCEPT",
    (
        "-A X -m conntrack ! --ctstate INVALID,NEW --ctproto 6 --ctorigdst 10.96.0.10"
        " --ctorigdstport 53 --ctdir ORIGINAL -j ACCEPT"
    ),
    "-A X -m state --state RELATED,ESTABLISHED -j ACCEPT",
    "-A X -m mark --mark 0x1 -m connmark ! --mark 0x10/0xf0 -j ACCEPT",
    "-A X -m addrtype ! --src-type LOCAL --dst-type UNICAST,BROADCAST --limit-iface-in -j ACCEPT",
    "-A X -m physdev ! --physdev-is-in -j ACCEPT",
    "-A X -m physdev --physdev-in veth+ --physdev-is-bridged -j ACCEPT",
    "-A X -m set ! --match-set KUBE-LOOP dst,dst,src -j ACCEPT",
    "-A X -m set --match-set A src --return-nomatch -j ACCEPT",
    (
        "-A X -m recent --update --seconds 60 --hitcount 4 --rttl --name SSH --mask 255.255.255.0"
        " --rdest -j DROP"
    ),
    "-A X -m statistic --mode nth --every 3 --packet 0 -j Y",
    "-A X -m statistic --mode random ! --probability 0.25000000000 -j Y",
    '-A X -m limit --limit 5/min -j LOG --log-prefix "dropped: " --log-level 4',
    "-A X -m limit --limit 10/sec --limit-burst 20 -j ACCEPT",
    (
        "-A X -p udp -m hashlimit --hashlimit-upto 5/min --hashlimit-burst 5"
        " --hashlimit-mode srcip,dstport --hashlimit-name dns -j ACCEPT"
    ),
    "-A X -m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 10.1.0.1-10.1.0.9 -j ACCEPT",
    "-A X -m mac --mac-source 02:00:0a:f4:01:02 -j ACCEPT",
    "-A X -m owner ! --uid-owner 1000 --gid-owner 100-200 -j ACCEPT",
    "-A X -m rpfilter --loose --invert -j DROP",
    "-A X -m rpfilter -j ACCEPT",
    "-A X -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts -j DROP",
    "-A X -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff",
    "-A X -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    "-A X -j CONNMARK --set-xmark 0x1/0xff",
    "-A X -p tcp -j DNAT --to-destination 10.0.0.1-10.0.0.9:80-90 --random --persistent",
    "-A X -p tcp -j DNAT --to-destination :8080",
    "-A X -p tcp -j DNAT --to-destination [fd00::1]:80",
    "-A X -j SNAT --to-source 192.0.2.1-192.0.2.4:1024-65535 --random-fully",
    "-A X -p tcp -j MASQUERADE --to-ports 1024-2048 --random",
    "-A X -p tcp -j REDIRECT --to-ports 8080-8090",
    "-A X -j NETMAP --to 192.0.2.0/24",
    "-A X -p tcp -j REJECT --reject-with tcp-reset",
    '-A X -j NFLOG --nflog-prefix "seen here" --nflog-group 5',
    "-A X -p tcp -j TCPMSS --clamp-mss-to-pmtu",
    "-A X -j TRACE",
    "-A X -j CT --notrack",
    "-A X -j NOTRACK",
    "-A X",
]


@pytest.mark.parametrize("text", PRINTED)
def test_printed_forms_come_back(text: str) -> None:
    compiled = compile_rule(text)
    assert render("X", compiled) == text
    assert not [test for test in compiled.tests if isinstance(test, Opaque)]
    assert not isinstance(compiled.target, UnknownTarget)


UNKNOWN = [
    '-A X -p tcp -m u32 --u32 "0x0>>0x16&0x3c@0x10=0x1" -j DROP',
    "-A X -m string --string secret --algo bm --to 65535 -m tcp --dport 80 -j DROP",
    '-A X -m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0" -j DROP',
    "-A X -m conntrack --ctstatus ASSURED -j ACCEPT",
    "-A X -p tcp -m tcp --dport http -j ACCEPT",
    "-A X -p tcp -m tcp --dport 80 --new-option 5 -j ACCEPT",
    "-A X -s example.com -j ACCEPT",
    "-A X -p tcp -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1",
    "-A X -j CT --zone 5",
    "-A X -j DNAT",
    "-A X -p tcp -m tcp --dport 5353 -j NFQUEUE --queue-num 1 --queue-bypass",
    '-A X -m comment --comment "not closed',
    "-A X --dport 80 -j ACCEPT",
    "-A X -j A -j B",
    "-A X !",
    "-A X -m",
]


@pytest.mark.parametrize("text", UNKNOWN)
def test_what_is_not_known_is_kept_and_never_raises(text: str) -> None:
    compiled = compile_rule(text)
    assert render("X", compiled) == text
    assert isinstance(compiled.target, UnknownTarget) or [
        test for test in compiled.tests if isinstance(test, Opaque)
    ]


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        (
            "-A X -m comment --comment c -m tcp -p tcp -d 1.2.3.4 --dport 80 -j REJECT",
            (
                "-A X -d 1.2.3.4/32 -p tcp -m comment --comment c -m tcp --dport 80"
                " -j REJECT --reject-with icmp-port-unreachable"
            ),
        ),
        ("-A X -p tcp --syn --destination-port 80", None),
        ("-A X -j MARK --or-mark 0x4000", "-A X -j MARK --set-xmark 0x4000/0x4000"),
        ("-A X -j MARK --and-mark 0xffffbfff", "-A X -j MARK --set-xmark 0x0/0x4000"),
        ("-A X -j MARK --xor-mark 0x4000", "-A X -j MARK --set-xmark 0x4000/0x0"),
        ("-A X -j MARK --set-mark 1", "-A X -j MARK --set-xmark 0x1/0xffffffff"),
        (
            "-A X -m statistic --mode random --probability 0.3333333333 -j Y",
            "-A X -m statistic --mode random --probability 0.33333333349 -j Y",
        ),
        (
            "-A X -m recent --name L --rcheck --seconds 5 --reap -j Y",
            "-A X -m recent --rcheck --seconds 5 --reap --name L --rsource -j Y",
        ),
        ("--append X --source 10.0.0.1 --jump ACCEPT", "-A X -s 10.0.0.1/32 -j ACCEPT"),
        ("-A X -s 10.1.2.3/16 -j ACCEPT", "-A X -s 10.1.0.0/16 -j ACCEPT"),
        ("-A X -m limit --limit 5/second -j ACCEPT", "-A X -m limit --limit 5/sec -j ACCEPT"),
        ("-A X -m limit --limit 2331/second -j ACCEPT", "-A X -m limit --limit 2500/sec -j ACCEPT"),
        ("-A X -m limit --limit 48/d -j ACCEPT", "-A X -m limit --limit 2/hour -j ACCEPT"),
        ("-A X -m limit --limit 25/day -j ACCEPT", "-A X -m limit --limit 25/day -j ACCEPT"),
        ("-A X -j REJECT --reject-with tcp-rst", "-A X -j REJECT --reject-with tcp-reset"),
    ],
)
def test_what_is_sent_prints_as_saved(written: str, printed: str | None) -> None:
    expected = printed or ("-A X -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN")
    assert render("X", compile_rule(written)) == expected
    assert render("X", compile_rule(expected)) == expected


def test_jumps_and_gotos() -> None:
    assert compile_rule("-A X -j KUBE-SVC").target == Jump("KUBE-SVC")
    assert compile_rule("-A X -g KUBE-SVC").goto
    assert compile_rule("-A X").target is None
    assert isinstance(compile_rule("-A X -j LOG").target, GoOn)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 6, 7, 13, 100, 333, 999, 1013, 5000])
@pytest.mark.parametrize("printed", [False, True], ids=["sent", "saved"])
def test_the_chance_is_one_in_n(n: int, printed: bool) -> None:
    sent = f"{1 / n:.10f}"
    saved = f"{round(float(sent) * 2**31) / 2**31:.11f}"
    assert exact_probability(saved if printed else sent) == Fraction(1, n)


def test_any_other_chance_is_the_kernels_own() -> None:
    assert exact_probability("0.30000000000") == Fraction(round(0.3 * 2**31), 2**31)
    assert exact_probability("0") == 0


@given(st.text(min_size=1).filter(lambda text: "\n" not in text))
def test_a_quoted_word_is_read_back(text: str) -> None:
    assert [word.text for word in words.split(f"a {words.quote(text)} b")] == ["a", text, "b"]


@given(st.text('-!"\\ abjmpsd01.:/tcx', max_size=60))
def test_no_text_raises(rest: str) -> None:
    compile_rule(f"-A X {rest}")


@pytest.mark.parametrize(
    ("rule", "name", "comment"),
    [
        ("-A X -j KUBE-MARK-MASQ", "KUBE-MARK-MASQ", ""),
        ("-A X -p tcp -g OTHER", "OTHER", ""),
        ("-A X -j DNAT --to-destination 1.2.3.4", "DNAT", ""),
        ("-A X", "", ""),
        (
            '-A X -m comment --comment "once: -j DROP" -j ACCEPT',
            "ACCEPT",
            "once: -j DROP",
        ),
        ('-A X -m comment --comment "-g X -j Y"', "", "-g X -j Y"),
        (r'-A X -m comment --comment "name: \"web\" #2" -j Y', "Y", 'name: "web" #2'),
        ("-A X -m comment --comment plain -j TEE --gateway 10.0.0.1", "TEE", "plain"),
        ('-A X -m comment --comment "a --comment b" -m comment --comment c', "", "a --comment b"),
    ],
)
def test_target_and_comment_are_those_of_the_rule(rule: str, name: str, comment: str) -> None:
    compiled = compile_rule(rule)
    assert (compiled.target_name, compiled.comment) == (name, comment)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), st.booleans())
def test_no_comment_changes_what_a_rule_does(comment: str, drops: bool) -> None:
    target = "DROP" if drops else "ACCEPT"
    compiled = compile_rule(f"-A X -m comment --comment {words.quote(comment)} -j {target}")
    assert (compiled.target_name, compiled.comment) == (target, comment)
