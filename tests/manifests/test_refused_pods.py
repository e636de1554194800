"""Mistakes in pods, templates and what they carry, as the server's validation.go finds them.

Field and kind of each are those of Kubernetes 1.36: pkg/apis/core/validation/validation.go unless
another file is named.
"""

from __future__ import annotations

import pytest
from manifests.refused import (
    DEPLOYMENT,
    DUPLICATE,
    FORBIDDEN,
    INVALID,
    JOB,
    ONE,
    POD,
    REQUIRED,
    SELECTED,
    TEMPLATE,
    UNSUPPORTED,
    read,
)

CONTAINERS = {
    "resources": (
        "resources: {requests: {cpu: 2, memory: 1Gi, disk: 1}, limits: {cpu: '1', memory: 1.5Gi}}",
        {("resources.requests", INVALID), ("resources.requests[disk]", INVALID)},
    ),
    "resources that are none": (
        "resources: {requests: {cpu: 1 core, memory: 512MB}, limits: {memory: -1}}",
        {
            ("resources.requests[cpu]", INVALID),
            ("resources.requests[memory]", INVALID),
            ("resources.limits[memory]", INVALID),
        },
    ),
    "extended resources": (
        "resources: {requests: {a.b/gpu: 1, c.d/x: 1}, limits: {a.b/gpu: 2, e.f/y: 500m}}",
        {
            ("resources.requests", INVALID),
            ("resources.limits", REQUIRED),
            ("resources.limits[e.f/y]", INVALID),
        },
    ),
    "resources in every form": (
        (
            "resources: {requests: {cpu: 0.5, memory: 1e3, hugepages-2Mi: 4Mi}, "
            "limits: {cpu: 500m, memory: 128Mi, hugepages-2Mi: 4Mi, "
            "ephemeral-storage: 1G, a.b/c: 2}}"
        ),
        set(),
    ),
    "probes": (
        (
            "livenessProbe: {tcpSocket: {port: 1}, successThreshold: 2, timeoutSeconds: -1}, "
            "readinessProbe: {exec: {command: []}, terminationGracePeriodSeconds: 3}, "
            "startupProbe: {httpGet: {port: 0, scheme: http}, terminationGracePeriodSeconds: 0}"
        ),
        {
            ("livenessProbe.successThreshold", INVALID),
            ("livenessProbe.timeoutSeconds", INVALID),
            ("readinessProbe.exec.command", REQUIRED),
            ("readinessProbe.terminationGracePeriodSeconds", INVALID),
            ("startupProbe.httpGet.port", INVALID),
            ("startupProbe.httpGet.scheme", UNSUPPORTED),
            ("startupProbe.terminationGracePeriodSeconds", INVALID),
        },
    ),
    "header": (
        "livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: a b, value: c}]}}",
        {("livenessProbe.httpGet.httpHeaders", INVALID)},
    ),
    "probe by gRPC": ("livenessProbe: {grpc: {port: 9000, service: a}}", set()),
    "hooks": (
        "lifecycle: {postStart: {}, preStop: {exec: {command: [a]}, sleep: {seconds: 3}}}",
        {("lifecycle.postStart", REQUIRED), ("lifecycle.preStop.sleep", FORBIDDEN)},
    ),
    "policies": (
        "imagePullPolicy: always, terminationMessagePolicy: Log",
        {("imagePullPolicy", UNSUPPORTED), ("terminationMessagePolicy", UNSUPPORTED)},
    ),
    "variables": (
        (
            "env: [{name: '', value: a}, {name: A=B, value: c}, {name: C, valueFrom: {}}, "
            "{name: D, valueFrom: {configMapKeyRef: {name: c}}}, "
            "{name: E, valueFrom: {secretKeyRef: {key: k}}}, "
            "{name: F, valueFrom: {fieldRef: {fieldPath: spec.nope}}}, "
            "{name: G, valueFrom: {fieldRef: {fieldPath: status.phase}}}, "
            "{name: H, valueFrom: {resourceFieldRef: {resource: cpu}}}]"
        ),
        {
            ("env[0].name", REQUIRED),
            ("env[1].name", INVALID),
            ("env[2].valueFrom", INVALID),
            ("env[3].valueFrom.configMapKeyRef.key", REQUIRED),
            ("env[4].valueFrom.secretKeyRef.name", INVALID),
            ("env[5].valueFrom.fieldRef.fieldPath", INVALID),
            ("env[6].valueFrom.fieldRef.fieldPath", UNSUPPORTED),
            ("env[7].valueFrom.resourceFieldRef.resource", UNSUPPORTED),
        },
    ),
    "variables in every form": (
        (
            "env: [{name: a.b-c, value: ''}, {name: B, valueFrom: {fieldRef: {fieldPath: "
            "\"metadata.labels['a/b']\"}}}, {name: C, valueFrom: {resourceFieldRef: "
            "{resource: limits.cpu, divisor: 1m}}}, {name: D, valueFrom: {secretKeyRef: "
            "{name: s, key: .k, optional: true}}}]"
        ),
        set(),
    ),
    "variables of a map": (
        "envFrom: [{}, {configMapRef: {}}, {prefix: a=, secretRef: {name: s}}]",
        {
            ("envFrom", INVALID),
            ("envFrom[1].configMapRef.name", REQUIRED),
            ("envFrom[2].prefix", INVALID),
        },
    ),
    "security": (
        (
            "securityContext: {runAsUser: -1, procMount: None, privileged: true, "
            "allowPrivilegeEscalation: false, seccompProfile: {type: Localhost}}"
        ),
        {
            ("securityContext.runAsUser", INVALID),
            ("securityContext.procMount", UNSUPPORTED),
            ("securityContext", INVALID),
            ("securityContext.seccompProfile.localhostProfile", REQUIRED),
        },
    ),
}
"""Fields of one container; paths from spec.containers[0] on."""

NODE_TERMS = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
REQUIRED_NODES = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
ANTI = "spec.affinity.podAntiAffinity"

SPECS = {
    "no node selector term": (
        NODE_TERMS + "{nodeSelectorTerms: []}}}",
        {(f"{REQUIRED_NODES}.nodeSelectorTerms", REQUIRED)},
    ),
    "node selector terms": (
        NODE_TERMS + "{nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In}, "
        "{key: a, operator: Exists, values: [b]}, {key: a, operator: Gt, values: ['1', '2']}, "
        "{key: a b, operator: Like}, {key: a, operator: In, values: [b c]}]}, "
        "{matchFields: [{key: metadata.uid, operator: Exists}, "
        "{key: metadata.name, operator: In, values: [a, b]}]}]}}}",
        {
            (f"{REQUIRED_NODES}.nodeSelectorTerms[0].matchExpressions[0].values", REQUIRED),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[0].matchExpressions[1].values", FORBIDDEN),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[0].matchExpressions[2].values", REQUIRED),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[0].matchExpressions[3].operator", INVALID),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[0].matchExpressions[3].key", INVALID),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[0].matchExpressions[4].values[0]", INVALID),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[1].matchFields[0].operator", INVALID),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[1].matchFields[0].key", INVALID),
            (f"{REQUIRED_NODES}.nodeSelectorTerms[1].matchFields[1].values", REQUIRED),
        },
    ),
    "weights": (
        (
            f"affinity: {{nodeAffinity: {{{PREFERRED}: [{{weight: 0, preference: {{}}}}]}}, "
            f"podAntiAffinity: {{{PREFERRED}: [{{weight: 101, "
            "podAffinityTerm: {topologyKey: ''}}]"
            "}}"
        ),
        {
            (f"spec.affinity.nodeAffinity.{PREFERRED}[0].weight", INVALID),
            (f"{ANTI}.{PREFERRED}[0].weight", INVALID),
            (f"{ANTI}.{PREFERRED}[0].podAffinityTerm.topologyKey", REQUIRED),
            (f"{ANTI}.{PREFERRED}[0].podAffinityTerm.topologyKey", INVALID),
        },
    ),
    "keys of a term": (
        (
            "affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: ["
            "{topologyKey: a, matchLabelKeys: [b]}, {topologyKey: a, namespaces: [A], "
            "labelSelector: {}, matchLabelKeys: [b], mismatchLabelKeys: [b]}]}}"
        ),
        {
            (f"{ANTI}.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys", FORBIDDEN),
            (f"{ANTI}.requiredDuringSchedulingIgnoredDuringExecution[1].namespace", INVALID),
            (
                f"{ANTI}.requiredDuringSchedulingIgnoredDuringExecution[1].matchLabelKeys[0]",
                INVALID,
            ),
        },
    ),
    "spread": (
        (
            "topologySpreadConstraints: [{maxSkew: 1, topologyKey: a, whenUnsatisfiable: "
            "ScheduleAnyway, minDomains: 0, nodeTaintsPolicy: Obey}, {maxSkew: 1, topologyKey: a, "
            "whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {b: c}}, "
            "matchLabelKeys: [b]}, "
            "{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, matchLabelKeys: [c]}]"
        ),
        {
            ("spec.topologySpreadConstraints[0].minDomains", INVALID),
            ("spec.topologySpreadConstraints[0].nodeTaintsPolicy", UNSUPPORTED),
            (
                "spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}",
                DUPLICATE,
            ),
            ("spec.topologySpreadConstraints[1].matchLabelKeys[0]", INVALID),
            ("spec.topologySpreadConstraints[2].matchLabelKeys", FORBIDDEN),
        },
    ),
    "gates": (
        (
            "schedulingGates: [{name: a}, {name: a}], readinessGates: [{conditionType: a b}], "
            "nodeName: node-1"
        ),
        {
            ("spec.schedulingGates[1]", DUPLICATE),
            ("spec.readinessGates[0].conditionType", INVALID),
            ("spec.nodeName", FORBIDDEN),
        },
    ),
    "dns": (
        (
            "dnsConfig: {nameservers: [1.1.1.1, a, 1.1.1.2, 1.1.1.3], searches: [A, _a.b, '.'], "
            "options: [{value: x}]}"
        ),
        {
            ("spec.dnsConfig.nameservers", INVALID),
            ("spec.dnsConfig.nameservers[1]", INVALID),
            ("spec.dnsConfig.searches[0]", INVALID),
            ("spec.dnsConfig.options[0]", REQUIRED),
        },
    ),
    "volumes": (
        (
            "volumes: [{name: a, hostPath: {}, emptyDir: {}}, "
            "{name: b, hostPath: {path: /a/../b}}, "
            "{name: c, nfs: {server: s, path: p}}, {name: d, configMap: {defaultMode: 512}}, "
            "{name: e, secret: {secretName: s, items: [{key: k, path: /x}]}}, "
            "{name: f, persistentVolumeClaim: {}}, {name: g}]"
        ),
        {
            ("spec.volumes[0].hostPath", FORBIDDEN),
            ("spec.volumes[1].hostPath.path", INVALID),
            ("spec.volumes[2].nfs.path", INVALID),
            ("spec.volumes[3].configMap.name", REQUIRED),
            ("spec.volumes[3].configMap.defaultMode", INVALID),
            ("spec.volumes[4].secret.items[0].path", INVALID),
            ("spec.volumes[5].persistentVolumeClaim.claimName", REQUIRED),
        },
    ),
    "security": (
        (
            "hostNetwork: true, hostPID: true, shareProcessNamespace: true, securityContext: "
            "{fsGroup: -1, sysctls: [{name: net.ipv4.ip_forward, value: '1'}, {name: A}]}"
        ),
        {
            ("spec.securityContext.shareProcessNamespace", INVALID),
            ("spec.securityContext.fsGroup", INVALID),
            ("spec.securityContext.sysctls[0].name", INVALID),
            ("spec.securityContext.sysctls[1].name", INVALID),
        },
    ),
    "rest": (
        (
            "activeDeadlineSeconds: 0, preemptionPolicy: Always, priority: 7, os: {name: bsd}, "
            "hostAliases: [{ip: 1.1.1.1, hostnames: [A]}]"
        ),
        {
            ("spec.activeDeadlineSeconds", INVALID),
            ("spec.preemptionPolicy", UNSUPPORTED),
            ("spec.priority", FORBIDDEN),  # plugin/pkg/admission/priority
            ("spec.os", UNSUPPORTED),
            ("spec.hostAliases[0].hostnames[0]", INVALID),
        },
    ),
    "a toleration's operator": (
        "tolerations: [{key: a, operator: In, value: b}]",
        {("spec.tolerations[0].operator", UNSUPPORTED)},
    ),
    "less than no time": ("terminationGracePeriodSeconds: -1", set()),
    "init container": (
        (
            "initContainers: [{name: i, image: i, livenessProbe: {tcpSocket: {port: 1}}, "
            "lifecycle: {}, ports: [{containerPort: 1, hostPort: 1}, "
            "{containerPort: 2, hostPort: 1}]}, "
            "{name: j, image: j, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}}]"
        ),
        {
            ("spec.initContainers[0].livenessProbe", FORBIDDEN),
            ("spec.initContainers[0].lifecycle", FORBIDDEN),
            ("spec.initContainers[0].ports[1].hostPort", DUPLICATE),
        },
    ),
}
"""Fields of a pod's spec beside its container."""

_CASES = {
    f"container: {name}": (
        POD + f"  containers: [{{name: c, image: i, {text}}}]\n",
        {(f"spec.containers[0].{field}", kind) for field, kind in wanted},
    )
    for name, (text, wanted) in CONTAINERS.items()
} | {
    name: (
        POD.replace("spec:\n", f"spec: {{containers: [{{name: c, image: i}}], {text}}}\n"),
        wanted,
    )
    for name, (text, wanted) in SPECS.items()
}

WHOLE = {
    "no container": (
        POD + "  containers: []\n",
        {("spec.containers", REQUIRED)},
    ),
    "white space in a template's image": (
        DEPLOYMENT + SELECTED.replace("image: i", 'image: "i "'),
        set(),
    ),
    "labels of a template": (
        DEPLOYMENT
        + SELECTED.replace("{a: b}}\n    spec", "{a: b, c: d e}, annotations: {f g: h}}\n    spec"),
        {("spec.template.labels", INVALID), ("spec.template.annotations", INVALID)},
    ),
    "strategy": (
        DEPLOYMENT + "  strategy: {type: Rolling}\n" + SELECTED,
        {("spec.strategy", UNSUPPORTED)},
    ),
    "amounts": (
        DEPLOYMENT
        + "  strategy: {rollingUpdate: {maxSurge: -1, maxUnavailable: 101%}}\n"
        + SELECTED,
        {
            ("spec.strategy.rollingUpdate.maxSurge", INVALID),
            ("spec.strategy.rollingUpdate.maxUnavailable", INVALID),
        },
    ),
    "amount in quotes": (
        DEPLOYMENT + '  strategy: {rollingUpdate: {maxSurge: "1"}}\n' + SELECTED,
        {("spec.strategy.rollingUpdate.maxSurge", INVALID)},
    ),
    "nothing unavailable, surge by default": (
        DEPLOYMENT + "  strategy: {rollingUpdate: {maxUnavailable: 0}}\n" + SELECTED,
        set(),
    ),
    "daemon set without selector": (
        DEPLOYMENT.replace("Deployment", "DaemonSet") + TEMPLATE,
        {("spec.template.metadata.labels", INVALID)},
    ),
    "daemon set's surge": (
        DEPLOYMENT.replace("Deployment", "DaemonSet")
        + "  updateStrategy: {rollingUpdate: {maxSurge: 1}}\n"
        + SELECTED,
        {("spec.updateStrategy.rollingUpdate.maxSurge", INVALID)},
    ),
    "daemon set that stands still": (
        DEPLOYMENT.replace("Deployment", "DaemonSet")
        + "  updateStrategy: {rollingUpdate: {maxUnavailable: 0}}\n"
        + SELECTED,
        {("spec.updateStrategy.rollingUpdate.maxUnavailable", REQUIRED)},
    ),
    "stateful set": (
        DEPLOYMENT.replace("Deployment", "StatefulSet")
        + "  podManagementPolicy: Ordered\n"
        + "  updateStrategy: {type: OnDelete, rollingUpdate: {partition: 1}}\n"
        + "  persistentVolumeClaimRetentionPolicy: {whenScaled: Keep}\n"
        + SELECTED,
        {
            ("spec.podManagementPolicy", INVALID),
            ("spec.updateStrategy.rollingUpdate", INVALID),
            ("spec.persistentVolumeClaimRetentionPolicy.whenScaled", UNSUPPORTED),
        },
    ),
    "stateful set's strategy": (
        DEPLOYMENT.replace("Deployment", "StatefulSet")
        + "  updateStrategy: {type: Recreate}\n"
        + SELECTED,
        {("spec.updateStrategy", INVALID)},
    ),
    "job of indices": (
        JOB.replace("name: j", "name: " + "j" * 62)
        + "  completionMode: Indexed\n  completions: 11\n  maxFailedIndexes: 12\n"
        + TEMPLATE.replace("containers", "restartPolicy: Never, containers"),
        {
            ("metadata.name", INVALID),
            ("spec.maxFailedIndexes", INVALID),
            ("spec.backoffLimitPerIndex", REQUIRED),
        },
    ),
    "job with a long name": (
        JOB.replace("name: j", "name: " + "j" * 64)
        + TEMPLATE.replace("containers", "restartPolicy: Never, containers"),
        {("spec.template.labels", INVALID)},
    ),
    "job without indices": (
        JOB
        + "  completionMode: Parallel\n  podReplacementPolicy: Never\n  backoffLimit: -1\n"
        + TEMPLATE.replace("containers", "restartPolicy: Never, containers"),
        {
            ("spec.completionMode", UNSUPPORTED),
            ("spec.podReplacementPolicy", UNSUPPORTED),
            ("spec.backoffLimit", INVALID),
        },
    ),
    "job that selects by hand": (
        JOB
        + "  manualSelector: true\n"
        + TEMPLATE.replace("containers", "restartPolicy: Never, containers"),
        {("spec.selector", REQUIRED)},
    ),
    "owners and finalizers": (
        POD.replace(
            "name: p",
            "name: p, ownerReferences: [{apiVersion: v1, kind: A, name: a, "
            "uid: u, controller: true}, {kind: A, name: b, apiVersion: v1, uid: v, "
            "controller: true}, {}], finalizers: [mine, a.b/c]",
        )
        + ONE,
        {
            ("metadata.ownerReferences", INVALID),
            ("metadata.ownerReferences[2].apiVersion", INVALID),
            ("metadata.ownerReferences[2].kind", INVALID),
            ("metadata.ownerReferences[2].name", INVALID),
            ("metadata.ownerReferences[2].uid", INVALID),
            ("metadata.finalizers[0]", INVALID),
        },
    ),
}


@pytest.mark.parametrize("name", [*_CASES, *WHOLE])
def test_refused(name: str) -> None:
    text, wanted = (_CASES | WHOLE)[name]
    found = read(text)
    assert {(problem.field, problem.wrong) for problem in found.problems} == wanted
    assert len(found.objects) == (0 if wanted else 1)
    assert all(problem.line and problem.source_line for problem in found.problems)


SCHEDULES = {
    "*/5 * * * *": True,
    "0 0 1,15 jan-jun mon-fri": True,
    "? 8-18/2 * * *": True,
    "@daily": True,
    "@every 1h30m": True,
    "60 * * * *": False,
    "0 24 * * *": False,
    "0 0 0 * *": False,
    "0 0 * 13 *": False,
    "0 0 * * 7": False,
    "5-1 * * * *": False,
    "*/0 * * * *": False,
    "a * * * *": False,
    "0 0 * * * *": False,
    "@noon": False,
    "@every day": False,
}
"""Whether robfig/cron's ParseStandard takes it."""
CRON = (
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec:\n  schedule: '%s'\n"
    "  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, "
    "containers: [{name: c, image: i}]}}}}\n"
)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedule(schedule: str) -> None:
    found = read(CRON % schedule)
    assert [problem.field for problem in found.problems] == (
        [] if SCHEDULES[schedule] else ["spec.schedule"]
    )


@pytest.mark.parametrize(
    ("zone", "fits"),
    [
        ("Etc/UTC", True),
        ("Europe/Berlin", True),
        ("Mars/Olympus", False),
        ("Local", False),
        ("''", False),
    ],
)
def test_time_zone(zone: str, fits: bool) -> None:
    found = read((CRON % "@daily") + f"  timeZone: {zone}\n")
    assert [problem.field for problem in found.problems] == ([] if fits else ["spec.timeZone"])


MENDED = {
    "512MB": "512M",
    "1 Gi": "1Gi",
    "100mi": "100Mi",
    "1 lot": None,
}


@pytest.mark.parametrize("written", MENDED)
def test_quantity_that_was_meant(written: str) -> None:
    text = POD + "  containers:\n  - name: c\n    image: i\n    resources:\n      limits:\n"
    text += f"        memory: {written}\n"
    [problem] = read(text).problems
    assert problem.line == 10
    meant = MENDED[written]
    assert (f"memory: {meant}" in problem.hint) == (meant is not None)


def test_a_quantity_that_is_to_be_filled_in_is_noted() -> None:
    text = POD + "  containers: [{name: c, image: i, resources: {limits: {memory: DNS_LIMIT}}}]\n"
    found = read(text)
    assert len(found.objects) == 1
    assert not found.problems
    assert "'DNS_LIMIT' is no quantity" in found.notes[0].message
