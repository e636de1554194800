"""Conditions and statements of nftables at random, of all kinds that a walk knows."""

from __future__ import annotations

from hypothesis import strategies as st

Words = st.SearchStrategy[str]

OPERATOR = st.sampled_from(["", "!= "])
SAME = st.sampled_from(["==", "!="])
ORDER = st.sampled_from(["", "!= ", "< ", "> ", "<= ", ">= "])
NEAR = st.builds("10.244.{}.{}".format, st.integers(1, 2), st.integers(1, 6))
"""Addresses that packets of a test have, or nearly."""
ADDRESS = st.one_of(NEAR, st.builds("10.{}.0.{}".format, st.integers(0, 255), st.integers(1, 254)))
NETWORK = st.sampled_from(
    [
        "10.0.0.0/8",
        "10.244.0.0/16",
        "10.244.1.0/24",
        "10.244.2.0/31",
        "10.128.0.0/9",
        "10.244.1.4/30",
    ]
)
RANGE = st.builds("10.244.1.{}-10.244.2.{}".format, st.integers(1, 9), st.integers(1, 9))
PORT = st.one_of(st.sampled_from([53, 80, 443, 40000]), st.integers(1, 65535)).map(str)
PORTS = st.one_of(
    PORT,
    st.tuples(st.integers(1, 100), st.integers(80, 50000)).map(
        lambda ends: f"{min(ends)}-{max(ends) + 1}"
    ),
)
PROTOCOL = st.sampled_from(["tcp", "udp", "icmp", "sctp", "gre"])
MARK = st.integers(0, 0xFFFFFFFF).map("0x{:08x}".format)
MASK = st.integers(0, 0xFFFF).map(lambda bits: f"{bits << 8 | 0x5:#010x}")
"""With a gap: of others nft makes ``VALUE/LENGTH``."""
STATE = st.sampled_from(["new", "established", "related", "invalid", "untracked"])
STATUS = st.sampled_from(["seen-reply", "snat", "dnat", "confirmed", "assured"])
FLAG = st.sampled_from(["fin", "syn", "rst", "psh", "ack"])
DEVICE = st.sampled_from(['"cni0"', '"eth0"', '"lo"', '"cni*"', '"e*"'])
KIND = st.sampled_from(["unicast", "local", "broadcast", "multicast"])
SEED = st.integers(0, 0xFFFFFFFF).map("{:#x}".format)


def some(values: Words, most: int = 3) -> Words:
    """``{ a, b }``."""
    return st.lists(values, min_size=2, max_size=most, unique=True).map(
        lambda them: f"{{ {', '.join(them)} }}"
    )


def flags(values: Words, between: str) -> Words:
    return st.lists(values, min_size=1, max_size=3, unique=True).map(between.join)


def asked(*parts: str | Words) -> Words:
    """Words with blanks between them."""
    said = (st.just(part) if isinstance(part, str) else part for part in parts)
    return st.tuples(*said).map(lambda found: " ".join(filter(None, map(str.strip, found))))


END = st.sampled_from(["ip saddr", "ip daddr"])
WAY = st.sampled_from(["sport", "dport"])
KEY = st.sampled_from(
    ["ip saddr . ip daddr", "ip daddr . ip saddr . ip daddr", "ip saddr . tcp dport"]
)

AMOUNT = st.integers(100, 1000).map(str)
"""Of packets or kilobytes: more than a test sends."""
BURST = st.one_of(st.just(""), st.integers(6, 90).map("burst {} packets".format))
MARKS = st.lists(NEAR, min_size=2, max_size=4, unique=True).map(
    lambda them: ", ".join(f"{one} : 0x{at:08x}" for at, one in enumerate(sorted(them), 5))
)
DONE: Words = st.one_of(
    asked("limit rate", AMOUNT, st.sampled_from(["second", "minute", "day"]).map("/{}".format),
          BURST).map(lambda said: said.replace(" /", "/")),
    asked("limit rate over", AMOUNT, "kbytes/second burst", AMOUNT, "kbytes"),
    asked("quota", st.sampled_from(["", "over"]), AMOUNT, st.sampled_from(["kbytes", "mbytes"])),
    asked("ct count", st.sampled_from(["", "over"]), AMOUNT),
    asked("log prefix", st.sampled_from(['"seen: "', '"a"']),
          st.sampled_from(["", "level info", "flags all", "level debug flags ip options"])),
    asked("log group", st.integers(1, 9).map(str), st.sampled_from(["", "snaplen 64"])),
    asked("ct mark set", st.sampled_from(["meta mark", "ct mark"]),
          st.integers(1, 14).map(lambda bits: f"& {0xFFFFFFF0 | bits:#010x} | {bits:#010x}")),
    asked("ct mark set ct mark ^", st.integers(1, 0xFFFF).map("0x{:08x}".format),
          "ct mark", OPERATOR, MARK),
    asked("ct mark set", END, MARKS.map("map {{ {} }}".format)),
    asked("ct mark set numgen random mod 1 offset", st.integers(1, 9).map(str)),
    asked("ct mark set jhash", KEY, "mod 64 seed", SEED, "offset 3"),
    asked("meta priority set", st.sampled_from(["1:2", "none", "a:f"])),
    asked("tcp option maxseg size set", st.integers(500, 1400).map(str)),
    st.just("reset tcp option maxseg"),
    asked("ip ttl set", st.integers(60, 90).map(str)),
    asked("ip dscp set", st.sampled_from(["ef", "cs1", "af41"])),
    asked(END, st.lists(NEAR, min_size=2, max_size=3, unique=True).map(
        lambda them: f"vmap {{ {', '.join(f'{one} : continue' for one in them)} }}")),
)  # fmt: skip
"""What a rule does before it goes on."""
CONDITION: Words = st.one_of(
    DONE,
    asked(END, OPERATOR, st.one_of(ADDRESS, NETWORK, RANGE, some(ADDRESS))),
    asked(END, OPERATOR, st.integers(1, 9).map("{{ 10.244.1.0/24, 10.244.2.{} }}".format)),
    asked(END, "& 0.0.0.3", SAME, st.integers(0, 3).map("0.0.0.{}".format)),
    asked("ip protocol", OPERATOR, st.one_of(PROTOCOL, some(PROTOCOL))),
    asked("meta l4proto", OPERATOR, st.one_of(PROTOCOL, some(PROTOCOL))),
    asked("ip ttl", ORDER, st.integers(60, 64).map(str)),
    asked(st.sampled_from(["tcp", "udp", "th"]), WAY, OPERATOR, st.one_of(PORTS, some(PORT))),
    asked(st.sampled_from(["tcp", "udp"]), WAY, ORDER, PORT),
    asked(END, ". meta l4proto . th", WAY, OPERATOR,
          st.builds("{{ {} . {} . {} }}".format, st.one_of(ADDRESS, NETWORK), PROTOCOL, PORTS)),
    asked("ct state", OPERATOR, st.one_of(flags(STATE, ","), some(STATE))),
    asked("ct status", flags(STATUS, ",")),
    asked("ct direction", OPERATOR, st.sampled_from(["original", "reply"])),
    asked("ct original", END, OPERATOR, st.one_of(ADDRESS, NETWORK)),
    asked("ct mark", OPERATOR, MARK),
    asked("ct mark set", MARK, "ct mark &", MASK, SAME, MARK),
    asked("ct mark set", MARK, "ct mark", OPERATOR, st.integers(2, 31).map("0x40000000/{}".format)),
    asked("tcp flags", flags(FLAG, ",")),
    asked("tcp flags", st.sampled_from(["==", "!=", "!"]), FLAG),
    asked("tcp flags & (syn | ack)", SAME, st.sampled_from(["syn", "ack"])),
    asked("tcp flags { syn, syn | ack }"),
    asked(st.sampled_from(["iifname", "oifname"]), OPERATOR, DEVICE),
    asked("fib", st.sampled_from(["saddr", "daddr"]), "type", OPERATOR, KIND),
    asked("fib daddr type", OPERATOR, some(KIND)),
    asked("fib saddr . iif oif", st.sampled_from(["missing", "exists"])),
    asked("icmp type", OPERATOR, st.sampled_from(["echo-request", "echo-reply", "redirect"])),
    asked("meta nfproto", OPERATOR, st.sampled_from(["ipv4", "ipv6"])),
    asked("jhash", KEY, "mod 4 seed", SEED, ORDER, st.integers(0, 3).map(str)),
    asked("jhash", KEY, "mod 9 seed", SEED, "offset 3", some(st.integers(3, 11).map(str), 5)),
)  # fmt: skip
