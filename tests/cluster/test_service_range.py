"""The ends of the Services' range, its bands, and ranges that ServiceCIDR objects say."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8stui.apiserver import apply
from k8stui.cluster.addresses import dynamic_band, dynamic_ports
from k8stui.cluster.build import build
from k8stui.kernel.address import Prefix

CIDR = """
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {{name: {name}}}
spec: {{cidrs: ["{cidr}"]}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: web}}
spec: {{clusterIP: "{ip}", ports: [{{port: 80}}]}}
"""


def said(*texts: str) -> str:
    found = apply(["-"], stdin=BytesIO("---".join(texts).encode())).problems
    return " ".join(problem.render() for problem in found)


@pytest.mark.parametrize(
    ("cidr", "ip", "message"),
    [
        ("10.40.0.0/20", "10.40.0.0", "first address"),
        ("10.40.0.0/20", "10.40.15.255", "last address"),
        ("10.40.0.0/20", "10.40.16.0", "not in the Services' range"),
        ("10.40.0.0/20", "10.40.0.1", "default/kubernetes"),
        ("10.40.0.0/20", "10.40.0.2", ""),
        ("10.40.0.0/20", "10.40.15.254", ""),
        ("10.40.0.0/20", "10.40.7.255", ""),
        ("fd00:40::/112", "fd00:40::", "first address"),
        ("fd00:40::/112", "fd00:40::ffff", ""),
        ("fd00:40::/112", "fd00:40::1:0", "not in the Services' range"),
    ],
)
def test_ends(cidr: str, ip: str, message: str) -> None:
    found = said(CIDR.format(name="kubernetes", cidr=cidr), SERVICE.format(ip=ip))
    assert message in found if message else not found


def test_a_range_that_was_added_later_says_nothing_of_the_first_one() -> None:
    more = CIDR.format(name="more", cidr="10.90.0.0/24")
    assert not said(more, SERVICE.format(ip="10.96.4.4"))
    both = more, CIDR.format(name="kubernetes", cidr="10.40.0.0/20")
    assert not said(*both, SERVICE.format(ip="10.90.0.7"))
    assert "last address" in said(*both, SERVICE.format(ip="10.90.0.255"))
    assert "default/kubernetes" in said(*both, SERVICE.format(ip="10.40.0.1"))


@given(st.integers(12, 29))
def test_the_upper_band_ends_before_the_broadcast_address(length: int) -> None:
    band, size = dynamic_band(Prefix.parse(f"10.0.0.0/{length}")), 1 << (32 - length)
    assert band.stop == size - 1
    assert band.start - 1 == (0 if size <= 16 else min(max(16, size // 16), 256))


@given(st.integers(1, 4000))
def test_the_upper_band_of_the_node_ports(size: int) -> None:
    ports = range(30000, 30000 + size)
    kept = dynamic_ports(ports).start - ports.start
    assert kept == (0 if size < 16 else min(max(16, size // 32), 128))
    assert dynamic_ports(range(30000, 32768)).start == 30086


@pytest.mark.parametrize(
    ("spec", "config", "noted", "refused"),
    [
        ("ipFamilies: [IPv6]", "", "ipFamilies with IPv6", ""),
        ("ipFamilyPolicy: RequireDualStack", "", "ipFamilyPolicy: RequireDualStack", ""),
        ("ipFamilyPolicy: PreferDualStack", "", "", ""),
        ("ipFamilies: [IPv4]", "", "", ""),
        ("ipFamilies: [IPv6]", "10.96.0.0/12", "", "has IPv4 only"),
        ("ipFamilyPolicy: RequireDualStack", "10.96.0.0/12", "", "has IPv4 only"),
        ("ipFamilyPolicy: RequireDualStack", "10.96.0.0/12,fd00:96::/112", "", ""),
    ],
)
def test_families_that_nobody_says_are_told(
    spec: str, config: str, noted: str, refused: str
) -> None:
    texts = [(f"apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec:\n  {spec}\n"
             "  ports: [{port: 80}]\n")]  # fmt: skip
    if config:
        texts.append(
            "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
            f"networking: {{serviceSubnet: '{config}'}}\n"
        )
    manifests = apply(["-"], stdin=BytesIO("---\n".join(texts).encode()))
    problems = " ".join(problem.render() for problem in manifests.problems)
    assert bool(problems) == bool(refused)
    assert refused in problems
    told = " ".join(one.text for one in build(manifests).remarks)
    assert bool(told) == bool(noted)
    assert noted in told
