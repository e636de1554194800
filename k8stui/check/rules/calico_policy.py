"""A policy of Calico's own that has no effect, or whose place among the others is not known.

Calico takes no policy with a selector that it cannot read, a protocol or a range of addresses that
is none, or ports without a protocol that has them: its API server refuses it, and Felix leaves out
what was written past that (libcalico-go lib/validator/v3). An error. A policy of a tier that the
input does not hold is asked last here, as one of a tier without an order is: a warning, once a
tier. An information where it selects no pod of the input.

Does not apply to what is about host endpoints (``doNotTrack``, ``preDNAT``), nor, of pods, where
the input does not hold all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from k8stui.check.finding import CheckRule, Finding, Severity
from k8stui.check.ground import Ground
from k8stui.check.subject import subject_of
from k8stui.cluster.policy import CALICO_POLICY_KINDS, CalicoPolicy
from k8stui.cluster.selection import Selection
from k8stui.manifests import Manifest

ID = "calico-policy"
_MADE = {"default", "adminnetworkpolicy", "baselineadminnetworkpolicy", "kube-admin"}
_MADE |= {"kube-baseline"}
"""Tiers that Calico makes itself."""


def look(ground: Ground) -> Iterator[Finding]:
    written = [one for kind in CALICO_POLICY_KINDS for one in ground.of_kind(kind).values()]
    if not written:
        return
    from k8stui.cluster.decode.calico_policy import tier_name  # noqa: PLC0415 - rare

    known = _MADE | {one.name for one in ground.of_kind("Tier").values()}
    for one in written:
        yield from _refused(one)
        tier = tier_name(one)
        if tier not in known:
            known.add(tier)
            yield Finding(
                rule=ID,
                severity=Severity.WARNING,
                subject=subject_of(one),
                place=one.place("spec", "tier"),
                why=f"its tier {tier} is not in the input: it is asked after all others here, and "
                "denies what no rule of it is about",
                fix=f"add Tier {tier}, or write the name of one that there is",
            )
    if ground.cluster.pods and not ground.has_strangers and not ground.is_kustomized:
        selection = Selection(ground.cluster)
        yield from (
            _nobody(one)
            for one in ground.cluster.calico_policies
            if not selection.meant_by(one.pods)
        )


def _refused(one: Manifest) -> Iterator[Finding]:
    from k8stui.cluster.decode.calico_policy import wrong_fields  # noqa: PLC0415 - rare

    for wrong in wrong_fields(one):
        where = f" (at its character {wrong.at + 1})" if wrong.at else ""
        yield Finding(
            rule=ID,
            severity=Severity.ERROR,
            subject=subject_of(one),
            place=one.place(*wrong.path),
            why=f"Calico does not take it, and it has no effect: {wrong.said}{where}",
            fix="mend it: nothing of the policy counts until then",
        )


def _nobody(policy: CalicoPolicy) -> Finding:
    return Finding(
        rule=ID,
        severity=Severity.INFO,
        subject=f"{policy.kind} {policy.key}",
        place=policy.origin.place,
        why=f"it selects no pod of the input: {policy.pods}",
        fix="mend its selector, if pods of the input are meant",
    )


RULE = CheckRule(
    id=ID,
    summary="A policy of Calico's own has no effect",
    help=__doc__ or "",
    severity=Severity.ERROR,
    look=look,
)
