"""Mistakes that no recording holds: field and kind as the server's validation.go has them."""

from __future__ import annotations

import pytest
from manifests.refused import (
    DEPLOYMENT,
    DUPLICATE,
    ENDPOINTS,
    FORBIDDEN,
    INGRESS,
    INVALID,
    JOB,
    ONE,
    POD,
    POLICY,
    REQUIRED,
    SELECTED,
    SERVICE,
    SLICE,
    TEMPLATE,
    UNSUPPORTED,
    read,
)

SERVICES = {
    "port name": ("{ports: [{name: Web, port: 80}]}", {("spec.ports[0].name", INVALID)}),
    "udp and tcp": ("{ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]}", set()),
    "app protocol": (
        "{ports: [{port: 80, appProtocol: a b}]}",
        {("spec.ports[0].appProtocol", INVALID)},
    ),
    "target name twice wrong": (
        '{ports: [{port: 80, targetPort: "-A"}]}',
        {("spec.ports[0].targetPort", INVALID)},
    ),
    "target 0": ("{ports: [{port: 80, targetPort: ''}]}", set()),
    "node port twice": (
        (
            "{type: NodePort, ports: [{name: a, port: 80, nodePort: 30001}, "
            "{name: b, port: 81, nodePort: 30001}]}"
        ),
        {("spec.ports[1].nodePort", DUPLICATE)},
    ),
    "node port shared by protocols": (
        (
            "{type: NodePort, ports: [{name: a, port: 53, nodePort: 30001}, "
            "{name: b, port: 53, protocol: UDP, nodePort: 30001}]}"
        ),
        set(),
    ),
    "node port of an external name": (
        "{type: ExternalName, externalName: a.b, ports: [{port: 80, nodePort: 30001}]}",
        set(),
    ),
    "external name with an address": (
        "{type: ExternalName, externalName: a.b, clusterIP: 10.96.0.9, ipFamilies: [IPv4]}",
        {("spec.clusterIPs", FORBIDDEN), ("spec.ipFamilies", FORBIDDEN)},
    ),
    "external name, dot behind it": ("{type: ExternalName, externalName: a.b.}", set()),
    "external name is an address": ("{type: ExternalName, externalName: 192.0.2.1}", set()),
    "kubelet's port": (
        "{type: LoadBalancer, ports: [{port: 10250}]}",
        {("spec.ports[0].port", INVALID)},
    ),
    "headless load balancer": (
        "{type: LoadBalancer, clusterIP: None, ports: [{port: 80}]}",
        {("spec.clusterIPs[0]", INVALID)},
    ),
    "headless without ports": ("{clusterIP: None}", set()),
    "address": ("{clusterIP: 10.96.0.300, ports: [{port: 80}]}", {("spec.clusterIPs[0]", INVALID)}),
    "other first address": (
        '{clusterIP: 10.96.0.1, clusterIPs: ["10.96.0.2"], ports: [{port: 80}]}',
        {("spec.clusterIPs", INVALID)},
    ),
    "three addresses": (
        '{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "fd00::1", "fd00::2"], ports: [{port: 1}]}',
        {("spec.clusterIPs", INVALID)},
    ),
    "two of one family": (
        "{clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, 10.96.0.2], ports: [{port: 1}]}",
        {("spec.clusterIPs", INVALID)},
    ),
    "family of another address": (
        "{clusterIP: 10.96.0.1, ipFamilies: [IPv6], ports: [{port: 1}]}",
        {("spec.clusterIPs[0]", INVALID)},
    ),
    "family twice": (
        "{ipFamilies: [IPv4, IPv4], ipFamilyPolicy: PreferDualStack, ports: [{port: 1}]}",
        {("spec.ipFamilies[1]", DUPLICATE)},
    ),
    "single stack of two": (
        "{ipFamilies: [IPv4, IPv6], ipFamilyPolicy: SingleStack, ports: [{port: 1}]}",
        {("spec.ipFamilyPolicy", INVALID)},
    ),
    "affinity without a type": (
        "{sessionAffinityConfig: {clientIP: {timeoutSeconds: 10}}, ports: [{port: 1}]}",
        {("spec.sessionAffinityConfig", FORBIDDEN)},
    ),
    "affinity of two days": (
        (
            "{sessionAffinity: ClientIP, ports: [{port: 1}], "
            "sessionAffinityConfig: {clientIP: {timeoutSeconds: 99999}}}"
        ),
        {("spec.sessionAffinityConfig.clientIP.timeoutSeconds", INVALID)},
    ),
    "external policy inside": (
        "{externalTrafficPolicy: Local, ports: [{port: 1}]}",
        {("spec.externalTrafficPolicy", INVALID)},
    ),
    "external policy with external IPs": (
        "{externalTrafficPolicy: Local, externalIPs: [192.0.2.1], ports: [{port: 1}]}",
        set(),
    ),
    "external IP is loopback": (
        "{externalIPs: [127.0.0.1, x], ports: [{port: 1}]}",
        {("spec.externalIPs[0]", INVALID), ("spec.externalIPs[1]", INVALID)},
    ),
    "health check port": (
        "{type: NodePort, healthCheckNodePort: 30001, ports: [{port: 1}]}",
        {("spec.healthCheckNodePort", INVALID)},
    ),
    "source ranges": (
        "{type: NodePort, loadBalancerSourceRanges: [10.0.0.0/8], ports: [{port: 1}]}",
        {("spec.LoadBalancerSourceRanges", FORBIDDEN)},
    ),
    "source range": (
        "{type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/8, 10.0.0], ports: [{port: 1}]}",
        {("spec.LoadBalancerSourceRanges[1]", INVALID)},
    ),
    "name twice and wrong": (
        "{ports: [{name: A, port: 1}, {name: A, port: 2}]}",
        {
            ("spec.ports[0].name", INVALID),
            ("spec.ports[1].name", INVALID),
            ("spec.ports[1].name", DUPLICATE),
        },
    ),
    "class that is no name": (
        "{type: LoadBalancer, loadBalancerClass: a b, ports: [{port: 1}]}",
        {("spec.loadBalancerClass", INVALID)},
    ),
    "load balancer's class": (
        "{loadBalancerClass: a/b, allocateLoadBalancerNodePorts: true, ports: [{port: 1}]}",
        {
            ("spec.loadBalancerClass", FORBIDDEN),
            ("spec.allocateLoadBalancerNodePorts", FORBIDDEN),
        },
    ),
    "distribution": (
        "{trafficDistribution: Close, ports: [{port: 1}]}",
        {("spec.trafficDistribution", UNSUPPORTED)},
    ),
    "selector's value": (
        '{selector: {a: "b c"}, ports: [{port: 1}]}',
        {("spec.selector", INVALID)},
    ),
}

PODS = {
    "container's name": (
        "  containers: [{name: C_1, image: i}]\n",
        {("spec.containers[0].name", INVALID)},
    ),
    "init container's name": (
        ONE + "  initContainers: [{name: c, image: i}]\n",
        {("spec.initContainers[0].name", DUPLICATE)},
    ),
    "white space in image": (
        '  containers: [{name: c, image: "i "}]\n',
        {("spec.containers[0].image", INVALID)},
    ),
    "host ports on other addresses": (
        (
            "  containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 80, "
            "hostIP: 192.0.2.1}, {containerPort: 81, hostPort: 80}]}]\n"
        ),
        set(),
    ),
    "host network": (
        (
            "  hostNetwork: true\n"
            "  containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 81}]}]\n"
        ),
        {("spec.containers[0].ports[0].hostPort", INVALID)},
    ),
    "value and valueFrom": (
        (
            "  containers: [{name: c, image: i, env: [{name: A, value: b, "
            "valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}]\n"
        ),
        {("spec.containers[0].env[0].valueFrom", INVALID)},
    ),
    "mount of no volume": (
        "  containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}]\n",
        {("spec.containers[0].volumeMounts[0].name", "Not found")},
    ),
    "mounted twice": (
        (
            "  volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]\n"
            "  containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}, "
            "{name: v, mountPath: /v}]}]\n"
        ),
        {
            ("spec.volumes[1].name", DUPLICATE),
            ("spec.containers[0].volumeMounts[1].mountPath", INVALID),
        },
    ),
    "probe": (
        (
            "  containers: [{name: c, image: i, livenessProbe: {periodSeconds: 3}, "
            'readinessProbe: {httpGet: {port: "8080"}, tcpSocket: {port: 80}}}]\n'
        ),
        {
            ("spec.containers[0].livenessProbe", REQUIRED),
            ("spec.containers[0].readinessProbe.tcpSocket", FORBIDDEN),
            ("spec.containers[0].readinessProbe.httpGet.port", INVALID),
        },
    ),
    "dns": (ONE + "  dnsPolicy: None\n", {("spec.dnsConfig", REQUIRED)}),
    "dns without a server": (
        ONE + "  dnsPolicy: None\n  dnsConfig: {searches: [a.b]}\n",
        {("spec.dnsConfig.nameservers", REQUIRED)},
    ),
    "host alias": (
        ONE + "  hostAliases: [{ip: x, hostnames: [a]}]\n",
        {("spec.hostAliases[0].ip", INVALID)},
    ),
    "hostname": (ONE + "  hostname: a.b\n", {("spec.hostname", INVALID)}),
    "tolerations": (
        ONE + "  tolerations: [{operator: Equal, effect: Never}, "
        "{key: a, operator: Exists, value: b}, {key: a, value: b, tolerationSeconds: 3}]\n",
        {
            ("spec.tolerations[0].operator", INVALID),
            ("spec.tolerations[0].effect", UNSUPPORTED),
            ("spec.tolerations[1].operator", INVALID),
            ("spec.tolerations[2].effect", INVALID),
        },
    ),
    "spread": (
        ONE + "  topologySpreadConstraints: [{maxSkew: 0, whenUnsatisfiable: Never}]\n",
        {
            ("spec.topologySpreadConstraints[0].maxSkew", INVALID),
            ("spec.topologySpreadConstraints[0].topologyKey", REQUIRED),
            ("spec.topologySpreadConstraints[0].whenUnsatisfiable", UNSUPPORTED),
        },
    ),
}

WORKLOADS = {
    "empty selector": (DEPLOYMENT + "  selector: {}\n" + TEMPLATE, {("spec.selector", INVALID)}),
    "expressions": (
        DEPLOYMENT + "  selector: {matchLabels: {a: b}, matchExpressions: [{key: a, operator: In}, "
        "{key: a, operator: Exists, values: [b]}, {key: a, operator: Like}]}\n" + TEMPLATE,
        {
            ("spec.selector.matchExpressions[0].values", REQUIRED),
            ("spec.selector.matchExpressions[1].values", FORBIDDEN),
            ("spec.selector.matchExpressions[2].operator", INVALID),
            ("spec.template.metadata.labels", INVALID),
        },
    ),
    "expression that does not match": (
        DEPLOYMENT
        + "  selector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}\n"
        + TEMPLATE,
        {("spec.template.metadata.labels", INVALID)},
    ),
    "restart policy": (
        DEPLOYMENT
        + "  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"
        "    spec: {restartPolicy: Never, activeDeadlineSeconds: 3, "
        "containers: [{name: c, image: i}]}\n",
        {
            ("spec.template.spec.restartPolicy", UNSUPPORTED),
            ("spec.template.spec.activeDeadlineSeconds", FORBIDDEN),
        },
    ),
    "recreate": (
        DEPLOYMENT + "  strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n" + SELECTED,
        {("spec.strategy.rollingUpdate", FORBIDDEN)},
    ),
    "nothing moves": (
        DEPLOYMENT + "  strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}\n" + SELECTED,
        {("spec.strategy.rollingUpdate.maxUnavailable", INVALID)},
    ),
    "deadline": (
        DEPLOYMENT + "  minReadySeconds: 600\n" + SELECTED,
        {("spec.progressDeadlineSeconds", INVALID)},
    ),
    "selector from the template": (
        "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: r}\nspec:\n" + TEMPLATE,
        set(),
    ),
    "no labels to select": (
        (
            "apiVersion: v1\nkind: ReplicationController\nmetadata: {name: r}\nspec:\n"
            "  template: {spec: {containers: [{name: c, image: i}]}}\n"
        ),
        {("spec.selector", REQUIRED)},
    ),
    "job runs for ever": (JOB + TEMPLATE, {("spec.template.spec.restartPolicy", REQUIRED)}),
    "job selects": (
        JOB + "  selector: {matchLabels: {a: b}}\n  completionMode: Indexed\n  template:\n"
        "    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}\n",
        {("spec.selector", INVALID), ("spec.completions", REQUIRED)},
    ),
    "schedule": (
        (
            "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: j}\nspec:\n  schedule: '* * *'\n"
            "  concurrencyPolicy: Never\n  jobTemplate: {spec: {template: {spec: "
            "{restartPolicy: Never, containers: [{name: c, image: i}]}}}}\n"
        ),
        {("spec.schedule", INVALID), ("spec.concurrencyPolicy", UNSUPPORTED)},
    ),
    "stateful set's name": (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a.b}\nspec:\n" + SELECTED,
        {("metadata.name", INVALID)},
    ),
    "stateful set's pods are looked at later": (
        (
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n"
            "  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n"
            "    spec: {containers: [{name: C, image: i}]}\n"
        ),
        set(),
    ),
}

OTHERS = {
    "slice of another family": (
        SLICE + 'addressType: IPv6\nendpoints: [{addresses: [10.0.0.1]}, {addresses: ["::1"]}]\n',
        {("endpoints[0].addresses[0]", INVALID), ("endpoints[1].addresses[0]", INVALID)},
    ),
    "slice without a type": (
        SLICE + "endpoints: [{addresses: []}]\nports: [{port: 1}, {port: 2}]\n",
        {
            ("addressType", REQUIRED),
            ("endpoints[0].addresses", REQUIRED),
            ("ports[1].name", DUPLICATE),
        },
    ),
    "endpoints": (
        ENDPOINTS + "[{ports: [{port: 1}, {port: 2}]}, {addresses: [{ip: 127.0.0.1}, {ip: x}]}]\n",
        {
            ("subsets[0]", REQUIRED),
            ("subsets[0].ports[0].name", REQUIRED),
            ("subsets[0].ports[1].name", REQUIRED),
            ("subsets[1].addresses[0].ip", INVALID),
            ("subsets[1].addresses[1].ip", INVALID),
        },
    ),
    "ingress": (
        INGRESS + "{rules: [{host: A_b, http: {paths: [{path: /, backend: {service: {name: s}}}, "
        "{path: x, pathType: Prefix, backend: {}}, "
        "{path: /, pathType: Exact, backend: {service: {name: s}}}]}}]}\n",
        {
            ("spec.rules[0].host", INVALID),
            ("spec.rules[0].http.paths[0].pathType", REQUIRED),
            ("spec.rules[0].http.paths[1].path", INVALID),
            ("spec.rules[0].http.paths[1].backend", INVALID),
            ("spec.rules[0].http.paths[2].backend", REQUIRED),
        },
    ),
    "policy": (
        POLICY + "[{from: [{ipBlock: {cidr: 10.0.0.0}}, {}], "
        "ports: [{port: 90, endPort: 80}, {endPort: 3}]}]}\n",
        {
            ("spec.ingress[0].from[0].ipBlock.cidr", INVALID),
            ("spec.ingress[0].from[1]", REQUIRED),
            ("spec.ingress[0].ports[0].endPort", INVALID),
            ("spec.ingress[0].ports[1].endPort", INVALID),
        },
    ),
    "configuration's key": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a b: x}\n",
        {("data[a b]", INVALID)},
    ),
    "taint": (
        (
            "apiVersion: v1\nkind: Node\nmetadata: {name: x}\n"
            "spec: {taints: [{key: a, effect: Never}], podCIDRs: [10.0.0.1]}\n"
        ),
        {("metadata.taints[0].effect", UNSUPPORTED), ("spec.podCIDRs[0]", INVALID)},
    ),
    "hosts": (
        INGRESS + "{defaultBackend: {service: {name: S, port: {number: 80, name: http}}}, "
        "ingressClassName: A, tls: [{hosts: ['*.a.b', 'a.*', A], secretName: B}], "
        "rules: [{host: 192.0.2.1}, {host: '*.a.b'}, {host: 'a.*.b', http: {paths: []}}]}\n",
        {
            ("spec.defaultBackend.service.name", INVALID),
            ("spec.defaultBackend", INVALID),
            ("spec.ingressClassName", INVALID),
            ("spec.tls[0].hosts[1]", INVALID),
            ("spec.tls[0].hosts[2]", INVALID),
            ("spec.tls[0].secretName", INVALID),
            ("spec.rules[0].host", INVALID),
            ("spec.rules[2].host", INVALID),
            ("spec.rules[2].http.paths", REQUIRED),
        },
    ),
    "paths": (
        INGRESS
        + "{rules: [{http: {paths: ["
        + ", ".join(
            f"{{path: '{path}', pathType: {kind}, "
            "backend: {service: {name: s, port: {name: http}}}}"
            for path, kind in (
                ("/a//b", "Prefix"),
                ("/a/../b", "Exact"),
                ("/a/.", "Exact"),
                ("a", "ImplementationSpecific"),
                ("", "ImplementationSpecific"),
                ("/a//b", "ImplementationSpecific"),
                ("/", "Regex"),
            )
        )
        + "]}}]}\n",
        {
            ("spec.rules[0].http.paths[0].path", INVALID),
            ("spec.rules[0].http.paths[1].path", INVALID),
            ("spec.rules[0].http.paths[2].path", INVALID),
            ("spec.rules[0].http.paths[3].path", INVALID),
            ("spec.rules[0].http.paths[6].pathType", UNSUPPORTED),
        },
    ),
    "backends": (
        INGRESS + "{rules: [{http: {paths: [{path: /, pathType: Exact, backend: {resource: "
        "{kind: A, name: a}, service: {name: s, port: {number: 80}}}}, "
        "{path: /, pathType: Exact, backend: {service: {name: s, port: {name: HTTP_1}}}}]}}]}\n",
        {
            ("spec.rules[0].http.paths[0].backend", INVALID),
            ("spec.rules[0].http.paths[1].backend.service.port.name", INVALID),
        },
    ),
    "two classes": (
        INGRESS.replace("name: i", "name: i, annotations: {kubernetes.io/ingress.class: a}")
        + "{ingressClassName: b, defaultBackend: {service: {name: s, port: {number: 80}}}}\n",
        {("annotations.kubernetes.io/ingress.class", INVALID)},
    ),
    "blocks": (
        POLICY + "[{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16, 11.0.0.0/16, "
        "10.0.0.0/8]}}, {namespaceSelector: {matchExpressions: [{key: '', operator: Exists}]}}]}], "
        "policyTypes: [Ingress, Egress, Ingress]}\n",
        {
            ("spec.ingress[0].from[1].namespaceSelector.matchExpressions[0].key", INVALID),
            ("spec.ingress[0].from[0].ipBlock.except[1]", INVALID),
            ("spec.ingress[0].from[0].ipBlock.except[2]", INVALID),
            ("spec.policyTypes", INVALID),
        },
    ),
    "hints": (
        SLICE + "addressType: IPv4\nports: [{name: a, port: 1, appProtocol: b c}]\n"
        "endpoints: [{addresses: [10.0.0.1], hints: {forZones: [{name: a}, {name: a}, {name: ''}]}"
        "}]\n",
        {
            ("ports[0].appProtocol", INVALID),
            ("endpoints[0].hints.forZones[1].name", DUPLICATE),
            ("endpoints[0].hints.forZones[2].name", REQUIRED),
        },
    ),
    "node": (
        (
            "apiVersion: v1\nkind: Node\nmetadata: {name: x}\n"
            "spec: {podCIDRs: [10.0.0.0/24, 10.0.0.0/24], taints: [{key: a, effect: NoSchedule}, "
            "{key: a, effect: NoSchedule}, {key: b c, value: d e, effect: NoExecute}]}\n"
        ),
        {
            ("spec.podCIDRs", INVALID),
            ("spec.podCIDRs[1]", DUPLICATE),
            ("metadata.taints[1]", DUPLICATE),
            ("metadata.taints[2].key", INVALID),
            ("metadata.taints[2].value", INVALID),
        },
    ),
    "keys in both": (
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b, ..c: d}\n"
            "binaryData: {a: Yg==}\n"
        ),
        {("data[a]", INVALID), ("data[..c]", INVALID)},
    ),
    "a certificate's Secret": (
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/tls\n"
            "stringData: {tls.crt: a}\n"
        ),
        {("data[tls.key]", REQUIRED)},
    ),
    "user without password": (
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: kubernetes.io/basic-auth\n"
            "stringData: {username: a}\n"
        ),
        set(),
    ),
    "an account's Secret": (
        (
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
            "type: kubernetes.io/service-account-token\n"
        ),
        {("metadata.annotations[kubernetes.io/service-account.name]", REQUIRED)},
    ),
    "namespace": (
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b, annotations: {a b: c}}\n",
        {("metadata.name", INVALID), ("metadata.annotations", INVALID)},
    ),
}

_CASES = (
    {name: (SERVICE + text + "\n", wanted) for name, (text, wanted) in SERVICES.items()}
    | {name: (POD + text, wanted) for name, (text, wanted) in PODS.items()}
    | WORKLOADS
    | OTHERS
)


@pytest.mark.parametrize("name", _CASES)
def test_refused(name: str) -> None:
    text, wanted = _CASES[name]
    found = read(text)
    assert {(problem.field, problem.wrong) for problem in found.problems} == wanted
    assert len(found.objects) == (0 if wanted else 1)
    assert all(" is refused and left out: " in problem.message for problem in found.problems)
    assert all(problem.line and problem.source_line for problem in found.problems)


MENDED = {
    "name": (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: My_Svc\nspec: {ports: [{port: 80}]}\n",
        "  name: my-svc",
    ),
    "name that needs quotes": (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: 12_3\nspec: {ports: [{port: 80}]}\n",
        None,
    ),
    "label": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    app: 'my app'\n",
        "    app: 'my-app'",
    ),
    "number in quotes": (
        (
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  ports:\n  - port: 80\n"
            '    targetPort: "8080"  # a text\n'
        ),
        "    targetPort: 8080  # a text",
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_mended_line_loads(name: str) -> None:
    text, line = MENDED[name]
    [problem] = read(text).problems
    if line is None:
        return
    assert problem.hint.endswith(f"did you mean:\n{line}")
    lines = text.split("\n")
    lines[problem.line - 1] = line
    assert not read("\n".join(lines)).problems


def service(name: str, spec: str, *, uid: str = "") -> str:
    meta = f"{{name: {name}{uid and ', uid: ' + uid}}}"
    return f"apiVersion: v1\nkind: Service\nmetadata: {meta}\nspec: {spec}\n---\n"


def node_port(name: str, port: int, *, uid: str = "") -> str:
    return service(name, f"{{type: NodePort, ports: [{{port: 80, nodePort: {port}}}]}}", uid=uid)


KUBEADM = (
    "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
    "networking: {serviceSubnet: 10.200.0.0/16}\n"
    "apiServer: {extraArgs: {service-node-port-range: 20000-22767}}\n---\n"
)
API_SERVER = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: kube-apiserver-cp-1, uid: a}\nspec: {containers: "
    "[{name: kube-apiserver, image: i, command: [kube-apiserver, "
    "--service-node-port-range=80-443]}]}\n---\n"
)
TOGETHER = {
    "of two protocols": (
        node_port("a", 30001)
        + service("b", "{type: NodePort, ports: [{port: 53, protocol: UDP, nodePort: 30001}]}"),
        {("Service default/b", "spec.ports[0].nodePort")},
    ),
    "of a dump behind it": (
        node_port("a", 30001) + node_port("b", 30001, uid="x"),
        {("Service default/a", "spec.ports[0].nodePort")},
    ),
    "given back by a change": (
        node_port("a", 30001) + node_port("a", 30002) + node_port("b", 30001),
        set(),
    ),
    "a refused one has nothing": (
        service("a", "{type: NodePort, ports: [{port: 80, nodePort: 30001, targetPort: A}]}")
        + node_port("b", 30001),
        {("Service default/a", "spec.ports[0].targetPort")},
    ),
    "range of kubeadm": (
        KUBEADM + node_port("a", 20001) + node_port("b", 30001),
        {("Service default/b", "spec.ports[0].nodePort")},
    ),
    "range of the API server": (API_SERVER + node_port("a", 80), set()),
    "address of another range": (
        KUBEADM + service("a", "{clusterIP: 10.96.0.10, ports: [{port: 80}]}"),
        {("Service default/a", "spec.clusterIPs")},
    ),
    "families that are not there": (
        (
            "apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\n"
            "spec: {podCIDRs: [10.244.0.0/24]}\n---\n"
            + service("a", "{ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}")
            + service("b", "{ipFamilies: [IPv4, IPv6], ports: [{port: 80}]}")
            + service("c", '{clusterIP: "fd00::1", ports: [{port: 80}]}')
            + service("d", "{ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}")
            + service("e", "{clusterIP: None, ipFamilies: [IPv6], ports: [{port: 80}]}")
        ),
        {
            ("Service default/a", "spec.ipFamilyPolicy"),
            ("Service default/b", "spec.ipFamilies[1]"),
            ("Service default/c", "spec.ipFamilies[0]"),
        },
    ),
    "address of the API server": (
        KUBEADM + service("a", "{clusterIP: 10.200.0.1, ports: [{port: 80}]}"),
        {("Service default/a", "spec.clusterIPs")},
    ),
    "no range known": (service("a", "{clusterIP: 10.0.0.1, ports: [{port: 80}]}"), set()),
    "one IPv6 address, two spellings": (
        service("a", '{clusterIP: "fd00::a", ports: [{port: 80}]}')
        + service("b", '{clusterIP: "fd00:0::0A", ports: [{port: 80}]}'),
        {("Service default/b", "spec.clusterIPs")},
    ),
    "more than a quota allows": (
        (
            "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\n"
            "spec: {hard: {services: 2, services.nodeports: 1}}\n---\n"
            + service("a", "{type: NodePort, ports: [{port: 80}]}")
            + service("a", "{type: NodePort, ports: [{port: 81}]}")
            + service("b", "{type: LoadBalancer, ports: [{port: 80}]}")
            + service("c", "{ports: [{port: 80}]}")
            + service("d", "{ports: [{port: 80}]}")
        ),
        {("Service default/b", ""), ("Service default/d", "")},
    ),
    "health check port": (
        node_port("a", 30001)
        + service(
            "b",
            "{type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30001, "
            "ports: [{port: 80}]}",
        ),
        {("Service default/b", "spec.healthCheckNodePort")},
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_taken_by_another(name: str) -> None:
    text, wanted = TOGETHER[name]
    found = read(text)
    assert {(problem.subject, problem.field) for problem in found.problems} == wanted


def test_every_mistake_of_an_object_is_told() -> None:
    """Those of the types, too: the server tells both in one message."""
    text = SERVICE + "{type: NodePort, clusterIP: None, ports: [{port: 0}, {port: 80}]}\n"
    found = read(text)
    assert not found.objects
    assert [problem.field for problem in found.problems if problem.wrong] == [
        "spec.ports[0].name",
        "spec.ports[0].targetPort",
        "spec.ports[1].name",
        "spec.clusterIPs[0]",
    ]
    assert any(problem.message.startswith("spec.ports[0].port needs") for problem in found.problems)


def test_a_namespace_that_is_made_is_not_missed() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: team}\n---\n"
    [note] = read(text * 2).notes[:1]
    assert "'team' is nowhere" in read(text).notes[0].message
    assert not read(text + "apiVersion: v1\nkind: Namespace\nmetadata: {name: team}\n").notes
    assert note


def test_an_account_that_is_made_is_not_missed() -> None:
    text = POD + ONE + "  serviceAccountName: robot\n"
    [note] = read(text).notes
    assert "'robot' is nowhere" in note.message
    assert note.line == 6
    account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n"
    assert not read(text + account).notes


CHANGES = {
    "image of a Job": (
        JOB + TEMPLATE.replace("spec: {", "spec: {restartPolicy: Never, "),
        ("image: i", "image: j"),
        {("spec.template", INVALID)},
    ),
    "number of a Job": (
        JOB + "  completions: 1\n" + TEMPLATE.replace("spec: {", "spec: {restartPolicy: Never, "),
        ("completions: 1", "completions: 2"),
        {("spec.completions", INVALID)},
    ),
    "immutable": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: b}\n",
        ("a: b", "a: c"),
        {("data", FORBIDDEN)},
    ),
    "immutable no more": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\nimmutable: true\ndata: {a: b}\n",
        ("immutable: true", "immutable: false"),
        {("immutable", FORBIDDEN)},
    ),
    "type of a Secret": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: c}\ntype: a/b\n",
        ("a/b", "c/d"),
        {("type", INVALID)},
    ),
    "type of a slice": (
        SLICE + "addressType: IPv4\nendpoints: []\n",
        ("IPv4", "IPv6"),
        {("addressType", INVALID)},
    ),
    "class of a load balancer": (
        SERVICE + "{type: LoadBalancer, loadBalancerClass: a/b, ports: [{port: 80}]}\n",
        ("a/b", "c/d"),
        {("spec.loadBalancerClass", INVALID)},
    ),
    "nothing": (
        JOB + TEMPLATE.replace("spec: {", "spec: {restartPolicy: Never, "),
        ("", ""),
        set(),
    ),
}
"""What a cluster has, what is written instead, and what the server says."""


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_what_is_there(name: str) -> None:
    text, (old, new), wanted = CHANGES[name]
    there = text.replace("metadata: {", "metadata: {uid: 1f, ", 1)
    found = read(f"{there}---\n{text.replace(old, new) if old else text}")
    assert {(problem.field, problem.wrong) for problem in found.problems} == wanted


_ADMIN = (
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
    "metadata: {name: x}\nspec: {priority: 1, subject: {namespaces: {}}, "
)
_BASELINE = (
    "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: BaselineAdminNetworkPolicy\n"
    "metadata: {name: NAME}\nspec: {subject: {namespaces: {}}}"
)
_CLUSTER = (
    "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
    "metadata: {name: x}\nspec: {tier: Admin, priority: 1, "
)
_ALL = "subject: {namespaces: {}}, "
_TO = "egress: [{action: Deny, to: "
CLUSTER_POLICIES = {
    "no subject": (_CLUSTER + "subject: {}}", {("spec.subject", INVALID)}),
    "two subjects": (
        _CLUSTER + "subject: {namespaces: {}, pods: {podSelector: {}, namespaceSelector: {}}}}",
        {("spec.subject", "Too many")},
    ),
    "nobody": (
        _ADMIN + "ingress: [{action: Pass, from: []}]}",
        {("spec.ingress[0].from", INVALID)},
    ),
    "an empty peer": (_ADMIN + _TO + "[{}]}]}", {("spec.egress[0].to[0]", INVALID)}),
    "no range": (
        _ADMIN + _TO + "[{networks: [10.0.0.0/33, 10.0.0.0/8, 10.0.0.0/8]}]}]}",
        {
            ("spec.egress[0].to[0].networks[0]", INVALID),
            ("spec.egress[0].to[0].networks[2]", DUPLICATE),
        },
    ),
    "no domain": (
        _CLUSTER + _ALL + _TO + "[{domainNames: ['*.a.b', '*.*.c', nodot]}]}]}",
        {
            ("spec.egress[0].to[0].domainNames[1]", INVALID),
            ("spec.egress[0].to[0].domainNames[2]", INVALID),
        },
    ),
    "a named port of nodes": (
        _ADMIN + _TO + "[{nodes: {}}], ports: [{namedPort: web}]}]}",
        {("spec.egress[0].ports[0].namedPort", INVALID)},
    ),
    "two ports in one": (
        _ADMIN + _TO + "[{namespaces: {}}], ports: [{namedPort: web, portNumber: {port: 1}}]}]}",
        {("spec.egress[0].ports[0]", "Too many")},
    ),
    "a protocol of no port": (
        _CLUSTER + _ALL + _TO + "[{namespaces: {}}], protocols: [{tcp: {}}]}]}",
        {("spec.egress[0].protocols[0].tcp", INVALID)},
    ),
    "a range of one": (
        _CLUSTER
        + _ALL
        + _TO
        + "[{namespaces: {}}], "
        + "protocols: [{sctp: {destinationPort: {range: {start: 7, end: 7}}}}]}]}",
        {("spec.egress[0].protocols[0].sctp.destinationPort.range.end", INVALID)},
    ),
    "too many rules": (
        _CLUSTER + _ALL + f"egress: [{', '.join(['{action: Deny, to: [{nodes: {}}]}'] * 26)}]}}",
        {("spec.egress", "Too many")},
    ),
    "as many in the first version": (
        _ADMIN + f"egress: [{', '.join(['{action: Deny, to: [{nodes: {}}]}'] * 26)}]}}",
        set(),
    ),
    "the one baseline": (_BASELINE.replace("NAME", "default"), set()),
    "another baseline": (_BASELINE.replace("NAME", "more"), {("metadata.name", INVALID)}),
}


@pytest.mark.parametrize("case", CLUSTER_POLICIES)
def test_policies_of_the_cluster(case: str) -> None:
    text, expected = CLUSTER_POLICIES[case]
    assert {(one.field, one.wrong) for one in read(text).problems} == expected


def test_a_network_policy_needs_no_spec() -> None:
    found = read("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}")
    assert not found.problems
