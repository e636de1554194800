"""The fields of the kinds that k8stui knows, as a table. What a field means is cluster's business.

Source: the API reference of Kubernetes 1.36 (core/v1, apps/v1, batch/v1, networking/v1,
discovery/v1), kubeproxy.config.k8s.io/v1alpha1 and kubeadm.k8s.io. A field whose inside matters
to nobody is ANY: its name is known, its value is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from k8stui.record import record


@record()
class Scalar:
    """A scalar of one of the API's types."""

    words: str
    """How a message calls it: "a number"."""
    types: tuple[type, ...]
    low: int | None = None
    high: int | None = None
    private: bool = False
    """People write into it what they like, passwords too: quoted on request only (`secrecy`)."""


@record()
class Choice:
    """A string out of a closed set."""

    values: tuple[str, ...]
    fills: bool = False
    """The empty text is filled in as if nothing was written: the Go type is no pointer
    (core/v1 defaults.go)."""


@record()
class ListOf:
    item: Type


@record()
class MapOf:
    """Free keys, scalars of one type: labels, annotations."""

    value: Scalar


@record()
class Record:
    name: str
    fields: Mapping[str, Type] = field(hash=False)
    required: tuple[str, ...] = ()


@record()
class Anything:
    """A known name whose value is not looked at; it may hold anything, passwords too."""


Type = Scalar | Choice | ListOf | MapOf | Record | Anything

ANY = Anything()
STRING = Scalar("a text", (str,))
INTEGER = Scalar("a whole number", (int,))
BOOLEAN = Scalar("true or false", (bool,))
COUNT = Scalar("a whole number from 0", (int,), 0)
PORT = Scalar("a port number from 1 to 65535", (int,), 1, 65535)
PORT_OR_NAME = Scalar("a port number from 1 to 65535 or a port's name", (int, str), 1, 65535)
QUANTITY = Scalar("a quantity such as 500m or 1Gi", (str, int, float))
NUMBER_OR_TEXT = Scalar("a whole number or a text", (int, str))
FREE = Scalar("a text", (str,), private=True)
STRINGS = MapOf(STRING)
TEXTS = ListOf(STRING)
WORDS = ListOf(FREE)
"""A command line."""
_PROTOCOLS = ("TCP", "UDP", "SCTP")
PROTOCOL = Choice(_PROTOCOLS, fills=True)


def _record(
    name: str, text: str = "", *, required: str = "", unread: str = "", **typed: Type
) -> Record:
    """`text`: fields that are strings; `unread`: those whose value is not looked at."""
    fields: dict[str, Type] = dict.fromkeys(unread.split(), ANY)
    fields |= dict.fromkeys(text.split(), STRING) | typed
    return Record(name, fields, tuple(required.split()))


_META = _record(
    "metadata",
    "name namespace generateName uid resourceVersion creationTimestamp deletionTimestamp selfLink",
    unread="managedFields clusterName",
    labels=STRINGS,
    annotations=MapOf(FREE),
    finalizers=TEXTS,
    generation=INTEGER,
    deletionGracePeriodSeconds=INTEGER,
    ownerReferences=ListOf(
        _record(
            "ownerReference",
            "apiVersion kind name uid",
            controller=BOOLEAN,
            blockOwnerDeletion=BOOLEAN,
        )
    ),
)
_EXPRESSION = _record("matchExpression", "key operator", values=TEXTS, required="key operator")
_SELECTOR = _record("selector", matchLabels=STRINGS, matchExpressions=ListOf(_EXPRESSION))

_CONTAINER_PORT = _record(
    "port",
    "name hostIP",
    containerPort=PORT,
    hostPort=Scalar("a port number from 0 to 65535", (int,), 0, 65535),
    protocol=PROTOCOL,
    required="containerPort",
)


def _handler(name: str, **typed: Type) -> Record:
    """What is done to a container: one of four things, and when."""
    return _record(
        name,
        "",
        required="",
        unread="",
        exec=_record("exec", command=WORDS),
        httpGet=_record(
            "httpGet",
            "path host scheme",
            port=NUMBER_OR_TEXT,
            httpHeaders=ListOf(_record("httpHeader", "name", value=FREE)),
        ),
        tcpSocket=_record("tcpSocket", "host", port=NUMBER_OR_TEXT),
        **typed,
    )


_PROBE = _handler(
    "probe",
    grpc=_record("grpc", "service", port=INTEGER),
    initialDelaySeconds=INTEGER,
    timeoutSeconds=INTEGER,
    periodSeconds=INTEGER,
    successThreshold=INTEGER,
    failureThreshold=INTEGER,
    terminationGracePeriodSeconds=INTEGER,
)
_HOOK = _handler("lifecycle handler", sleep=_record("sleep", seconds=INTEGER))
_RESOURCES = _record("resources", unread="claims", limits=MapOf(QUANTITY), requests=MapOf(QUANTITY))
_KEY_REF = _record("key reference", "name key", optional=BOOLEAN)
_NAME_REF = _record("reference", "name", optional=BOOLEAN)
_SE_LINUX = _record("seLinuxOptions", "level role type user")
_PROFILE = _record("profile", "type localhostProfile")
_WINDOWS = _record(
    "windowsOptions",
    "gmsaCredentialSpec gmsaCredentialSpecName runAsUserName",
    hostProcess=BOOLEAN,
)
_SECURITY = _record(
    "securityContext",
    "procMount",
    seLinuxOptions=_SE_LINUX,
    windowsOptions=_WINDOWS,
    seccompProfile=_PROFILE,
    appArmorProfile=_PROFILE,
    capabilities=_record("capabilities", add=TEXTS, drop=TEXTS),
    privileged=BOOLEAN,
    runAsUser=INTEGER,
    runAsGroup=INTEGER,
    runAsNonRoot=BOOLEAN,
    readOnlyRootFilesystem=BOOLEAN,
    allowPrivilegeEscalation=BOOLEAN,
)
_CONTAINER = _record(
    "container",
    "name image imagePullPolicy workingDir terminationMessagePath terminationMessagePolicy "
    "restartPolicy",
    unread="volumeDevices resizePolicy restartPolicyRules",
    command=WORDS,
    args=WORDS,
    ports=ListOf(_CONTAINER_PORT),
    env=ListOf(
        _record(
            "env entry",
            "name",
            value=FREE,
            valueFrom=_record(
                "valueFrom",
                unread="fileKeyRef",
                fieldRef=_record("fieldRef", "apiVersion fieldPath"),
                resourceFieldRef=_record(
                    "resourceFieldRef", "containerName resource", divisor=QUANTITY
                ),
                configMapKeyRef=_KEY_REF,
                secretKeyRef=_KEY_REF,
            ),
            required="name",
        )
    ),
    envFrom=ListOf(_record("envFrom entry", "prefix", configMapRef=_NAME_REF, secretRef=_NAME_REF)),
    volumeMounts=ListOf(
        _record(
            "volumeMount",
            "name mountPath subPath subPathExpr mountPropagation recursiveReadOnly",
            readOnly=BOOLEAN,
        )
    ),
    resources=_RESOURCES,
    lifecycle=_record("lifecycle", "stopSignal", postStart=_HOOK, preStop=_HOOK),
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    startupProbe=_PROBE,
    securityContext=_SECURITY,
    stdin=BOOLEAN,
    stdinOnce=BOOLEAN,
    tty=BOOLEAN,
    required="name",
)
_NODE_REQUIREMENT = _record(
    "nodeSelectorTerm", matchExpressions=ListOf(_EXPRESSION), matchFields=ListOf(_EXPRESSION)
)
_AFFINITY_TERM = _record(
    "podAffinityTerm",
    "topologyKey",
    labelSelector=_SELECTOR,
    namespaceSelector=_SELECTOR,
    namespaces=TEXTS,
    matchLabelKeys=TEXTS,
    mismatchLabelKeys=TEXTS,
    required="topologyKey",
)
_POD_AFFINITY = _record(
    "podAffinity",
    preferredDuringSchedulingIgnoredDuringExecution=ListOf(
        _record("preferred podAffinityTerm", weight=INTEGER, podAffinityTerm=_AFFINITY_TERM)
    ),
    requiredDuringSchedulingIgnoredDuringExecution=ListOf(_AFFINITY_TERM),
)
_AFFINITY = _record(
    "affinity",
    nodeAffinity=_record(
        "nodeAffinity",
        preferredDuringSchedulingIgnoredDuringExecution=ListOf(
            _record("preferred nodeAffinity term", weight=INTEGER, preference=_NODE_REQUIREMENT)
        ),
        requiredDuringSchedulingIgnoredDuringExecution=_record(
            "nodeSelector", nodeSelectorTerms=ListOf(_NODE_REQUIREMENT)
        ),
    ),
    podAffinity=_POD_AFFINITY,
    podAntiAffinity=_POD_AFFINITY,
)
_CLAIM = _record(
    "spec",
    "storageClassName volumeMode volumeName volumeAttributesClassName",
    unread="dataSource dataSourceRef",
    accessModes=TEXTS,
    resources=_RESOURCES,
    selector=_SELECTOR,
)
_CLAIM_TEMPLATE = _record(
    "claim template", "apiVersion kind", unread="status", metadata=_META, spec=_CLAIM
)
_KEY_FILES = ListOf(_record("item", "key path", mode=INTEGER))
_POD_FILES = ListOf(_record("item", "path", mode=INTEGER, unread="fieldRef resourceFieldRef"))
_VOLUME = _record(
    "volume",
    "name",
    unread="awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker "
    "gcePersistentDisk gitRepo glusterfs image iscsi photonPersistentDisk portworxVolume quobyte "
    "rbd scaleIO storageos vsphereVolume",
    configMap=_record("configMap", "name", items=_KEY_FILES, defaultMode=INTEGER, optional=BOOLEAN),
    secret=_record("secret", "secretName", items=_KEY_FILES, defaultMode=INTEGER, optional=BOOLEAN),
    downwardAPI=_record("downwardAPI", items=_POD_FILES, defaultMode=INTEGER),
    emptyDir=_record("emptyDir", "medium", sizeLimit=QUANTITY),
    ephemeral=_record("ephemeral", volumeClaimTemplate=_CLAIM_TEMPLATE),
    projected=_record(
        "projected",
        defaultMode=INTEGER,
        sources=ListOf(
            _record(
                "source",
                unread="clusterTrustBundle podCertificate",
                configMap=_record("configMap", "name", items=_KEY_FILES, optional=BOOLEAN),
                secret=_record("secret", "name", items=_KEY_FILES, optional=BOOLEAN),
                downwardAPI=_record("downwardAPI", items=_POD_FILES),
                serviceAccountToken=_record(
                    "serviceAccountToken", "audience path", expirationSeconds=INTEGER
                ),
            )
        ),
    ),
    hostPath=_record("hostPath", "path type"),
    nfs=_record("nfs", "server path", readOnly=BOOLEAN),
    persistentVolumeClaim=_record("persistentVolumeClaim", "claimName", readOnly=BOOLEAN),
)
_POD_SPEC = _record(
    "pod spec",
    "nodeName schedulerName serviceAccountName serviceAccount hostname hostnameOverride subdomain "
    "priorityClassName preemptionPolicy runtimeClassName",
    unread="resourceClaims workloadRef schedulingGroup",
    imagePullSecrets=ListOf(_record("imagePullSecret", "name")),
    volumes=ListOf(_VOLUME),
    securityContext=_record(
        "securityContext",
        "fsGroupChangePolicy supplementalGroupsPolicy seLinuxChangePolicy",
        seLinuxOptions=_SE_LINUX,
        windowsOptions=_WINDOWS,
        seccompProfile=_PROFILE,
        appArmorProfile=_PROFILE,
        runAsUser=INTEGER,
        runAsGroup=INTEGER,
        runAsNonRoot=BOOLEAN,
        fsGroup=INTEGER,
        supplementalGroups=ListOf(INTEGER),
        sysctls=ListOf(_record("sysctl", "name value")),
    ),
    dnsConfig=_record(
        "dnsConfig",
        nameservers=TEXTS,
        searches=TEXTS,
        options=ListOf(_record("option", "name value")),
    ),
    readinessGates=ListOf(_record("readinessGate", "conditionType")),
    schedulingGates=ListOf(_record("schedulingGate", "name")),
    os=_record("os", "name"),
    overhead=MapOf(QUANTITY),
    resources=_RESOURCES,
    containers=ListOf(_CONTAINER),
    initContainers=ListOf(_CONTAINER),
    ephemeralContainers=ANY,
    restartPolicy=Choice(("Always", "OnFailure", "Never"), fills=True),
    dnsPolicy=Choice(("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"), fills=True),
    nodeSelector=STRINGS,
    affinity=_AFFINITY,
    tolerations=ListOf(
        _record("toleration", "key operator value effect", tolerationSeconds=INTEGER)
    ),
    topologySpreadConstraints=ListOf(
        _record(
            "topologySpreadConstraint",
            "topologyKey whenUnsatisfiable nodeAffinityPolicy nodeTaintsPolicy",
            maxSkew=INTEGER,
            minDomains=INTEGER,
            labelSelector=_SELECTOR,
            matchLabelKeys=TEXTS,
        )
    ),
    hostAliases=ListOf(_record("hostAlias", "ip", hostnames=TEXTS)),
    hostNetwork=BOOLEAN,
    hostPID=BOOLEAN,
    hostIPC=BOOLEAN,
    hostUsers=BOOLEAN,
    shareProcessNamespace=BOOLEAN,
    automountServiceAccountToken=BOOLEAN,
    enableServiceLinks=BOOLEAN,
    setHostnameAsFQDN=BOOLEAN,
    priority=INTEGER,
    terminationGracePeriodSeconds=INTEGER,
    activeDeadlineSeconds=INTEGER,
    required="containers",
)
_TEMPLATE = _record("pod template", metadata=_META, spec=_POD_SPEC, required="spec")
_CONDITIONS = ListOf(
    _record(
        "condition",
        "type status reason message lastTransitionTime lastProbeTime lastHeartbeatTime "
        "lastUpdateTime",
        observedGeneration=INTEGER,
    )
)
_POD_STATUS = _record(
    "pod status",
    "phase podIP hostIP reason message nominatedNodeName qosClass resize startTime",
    unread="initContainerStatuses ephemeralContainerStatuses resourceClaimStatuses resources "
    "extendedResourceClaimStatus allocatedResources nodeAllocatableResourceClaimStatuses",
    observedGeneration=INTEGER,
    conditions=_CONDITIONS,
    containerStatuses=ANY,
    podIPs=ListOf(_record("podIP", "ip")),
    hostIPs=ListOf(_record("hostIP", "ip")),
)


def _workload(name: str, text: str = "", *, unread: str = "", **typed: Type) -> Record:
    return _record(
        name,
        text,
        unread=unread,
        replicas=COUNT,
        minReadySeconds=INTEGER,
        template=_TEMPLATE,
        required="template",
        **typed,
    )


def _strategy(**typed: Type) -> Record:
    """How pods are replaced; `typed`: what is said beside ``maxUnavailable``."""
    rolling = _record(
        "rollingUpdate", "", required="", unread="", maxUnavailable=NUMBER_OR_TEXT, **typed
    )
    return _record("strategy", "type", rollingUpdate=rolling)


_DEPLOYMENT = _workload(
    "spec",
    selector=_SELECTOR,
    strategy=_strategy(maxSurge=NUMBER_OR_TEXT),
    revisionHistoryLimit=INTEGER,
    progressDeadlineSeconds=INTEGER,
    paused=BOOLEAN,
    unread="rollbackTo",
)
_REPLICA_SET = _workload("spec", selector=_SELECTOR)
_CONTROLLER = _workload("spec", selector=STRINGS)
_STATEFUL_SET = _workload(
    "spec",
    "serviceName podManagementPolicy",
    updateStrategy=_strategy(partition=INTEGER),
    revisionHistoryLimit=INTEGER,
    selector=_SELECTOR,
    ordinals=_record("ordinals", start=COUNT),
    persistentVolumeClaimRetentionPolicy=_record(
        "persistentVolumeClaimRetentionPolicy", "whenDeleted whenScaled"
    ),
    volumeClaimTemplates=ListOf(_CLAIM_TEMPLATE),
)
_DAEMON_SET = _record(
    "spec",
    selector=_SELECTOR,
    template=_TEMPLATE,
    minReadySeconds=INTEGER,
    revisionHistoryLimit=INTEGER,
    updateStrategy=_strategy(maxSurge=NUMBER_OR_TEXT),
    unread="templateGeneration",
    required="template",
)
_JOB = _record(
    "spec",
    "completionMode podReplacementPolicy managedBy",
    parallelism=COUNT,
    completions=COUNT,
    backoffLimit=INTEGER,
    backoffLimitPerIndex=INTEGER,
    maxFailedIndexes=INTEGER,
    activeDeadlineSeconds=INTEGER,
    ttlSecondsAfterFinished=INTEGER,
    suspend=BOOLEAN,
    manualSelector=BOOLEAN,
    selector=_SELECTOR,
    template=_TEMPLATE,
    unread="podFailurePolicy successPolicy",
    required="template",
)
_CRON_JOB = _record(
    "spec",
    "schedule timeZone concurrencyPolicy",
    suspend=BOOLEAN,
    startingDeadlineSeconds=INTEGER,
    successfulJobsHistoryLimit=INTEGER,
    failedJobsHistoryLimit=INTEGER,
    jobTemplate=_record("job template", metadata=_META, spec=_JOB, required="spec"),
    required="jobTemplate",
)
_SERVICE_PORT = _record(
    "port",
    "name appProtocol",
    port=PORT,
    # 0 and the empty text stand for the number of `port` (core/v1 defaults.go SetDefaults_Service).
    targetPort=Scalar("a port number up to 65535 or a port's name", (int, str), 0, 65535),
    nodePort=Scalar("a port number from 0 to 65535", (int,), 0, 65535),
    protocol=PROTOCOL,
    required="port",
)
_SERVICE = _record(
    "spec",
    "clusterIP externalName loadBalancerIP loadBalancerClass trafficDistribution",
    unread="topologyKeys",
    sessionAffinityConfig=_record(
        "sessionAffinityConfig", clientIP=_record("clientIP", timeoutSeconds=INTEGER)
    ),
    type=Choice(("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"), fills=True),
    selector=STRINGS,
    ports=ListOf(_SERVICE_PORT),
    clusterIPs=TEXTS,
    externalIPs=TEXTS,
    loadBalancerSourceRanges=TEXTS,
    ipFamilies=ListOf(Choice(("IPv4", "IPv6"))),
    ipFamilyPolicy=Choice(("SingleStack", "PreferDualStack", "RequireDualStack")),
    externalTrafficPolicy=Choice(("Cluster", "Local"), fills=True),
    internalTrafficPolicy=Choice(("Cluster", "Local")),
    sessionAffinity=Choice(("None", "ClientIP"), fills=True),
    healthCheckNodePort=INTEGER,
    publishNotReadyAddresses=BOOLEAN,
    allocateLoadBalancerNodePorts=BOOLEAN,
)
_LOAD_BALANCER = _record(
    "status",
    unread="conditions",
    loadBalancer=_record(
        "loadBalancer", ingress=ListOf(_record("ingress", "ip hostname ipMode", unread="ports"))
    ),
)
_TARGET = _record("targetRef", "apiVersion kind name namespace uid resourceVersion fieldPath")
_ENDPOINT_PORT = _record("port", "name appProtocol", port=PORT, protocol=PROTOCOL)
_SUBSET_ADDRESS = _record("address", "ip hostname nodeName", targetRef=_TARGET, required="ip")
_SUBSETS = ListOf(
    _record(
        "subset",
        addresses=ListOf(_SUBSET_ADDRESS),
        notReadyAddresses=ListOf(_SUBSET_ADDRESS),
        ports=ListOf(_ENDPOINT_PORT),
    )
)
_SLICE_ENDPOINT = _record(
    "endpoint",
    "hostname nodeName zone",
    addresses=TEXTS,
    conditions=_record("conditions", ready=BOOLEAN, serving=BOOLEAN, terminating=BOOLEAN),
    hints=_record(
        "hints",
        forZones=ListOf(_record("zone", "name")),
        forNodes=ListOf(_record("node", "name")),
    ),
    deprecatedTopology=STRINGS,
    topology=STRINGS,
    targetRef=_TARGET,
    required="addresses",
)
_NODE_SPEC = _record(
    "spec",
    "podCIDR providerID externalID",
    unread="configSource",
    podCIDRs=TEXTS,
    unschedulable=BOOLEAN,
    taints=ListOf(_record("taint", "key value effect timeAdded", required="key effect")),
)
_NODE_STATUS = _record(
    "status",
    "phase",
    unread="capacity allocatable daemonEndpoints nodeInfo images volumesInUse volumesAttached "
    "config runtimeHandlers features declaredFeatures",
    addresses=ListOf(_record("address", "type address")),
    conditions=_CONDITIONS,
)
_BACKEND_PORT = _record("port", "name", number=PORT)
_BACKEND = _record(
    "backend",
    "serviceName",
    unread="resource",
    servicePort=PORT_OR_NAME,
    service=_record("service", "name", port=_BACKEND_PORT),
)
_INGRESS = _record(
    "spec",
    "ingressClassName",
    defaultBackend=_BACKEND,
    backend=_BACKEND,
    tls=ListOf(_record("tls", "secretName", hosts=TEXTS)),
    rules=ListOf(
        _record(
            "rule",
            "host",
            http=_record("http", paths=ListOf(_record("path", "path pathType", backend=_BACKEND))),
        )
    ),
)
_CALLED = _record("service", "name namespace path", port=PORT, required="name namespace")
"""The Service that the API server itself calls."""


def _webhooks(unread: str = "") -> Record:
    """The server's webhooks; what they are asked about is not looked at."""
    return _record(
        "webhook",
        "name failurePolicy matchPolicy sideEffects",
        clientConfig=_record("clientConfig", "url caBundle", service=_CALLED),
        admissionReviewVersions=TEXTS,
        timeoutSeconds=INTEGER,
        namespaceSelector=_SELECTOR,
        objectSelector=_SELECTOR,
        unread=f"rules matchConditions {unread}",
    )


_API_SERVICE = _record(
    "spec",
    "group version caBundle",
    service=_record("service", "name namespace", port=PORT),
    insecureSkipTLSVerify=BOOLEAN,
    groupPriorityMinimum=INTEGER,
    versionPriority=INTEGER,
)
_PEERS = ListOf(
    _record(
        "peer",
        podSelector=_SELECTOR,
        namespaceSelector=_SELECTOR,
        ipBlock=Record("ipBlock", {"cidr": STRING, "except": TEXTS}, ("cidr",)),
    )
)
_POLICY_PORTS = ListOf(
    _record("port", port=PORT_OR_NAME, endPort=PORT, protocol=Choice(_PROTOCOLS))
)
_RULE_FROM = Record("rule", {"from": _PEERS, "ports": _POLICY_PORTS})
_NETWORK_POLICY = _record(
    "spec",
    podSelector=_SELECTOR,
    policyTypes=ListOf(Choice(("Ingress", "Egress"))),
    ingress=ListOf(_RULE_FROM),
    egress=ListOf(_record("rule", to=_PEERS, ports=_POLICY_PORTS)),
)
_PROXY = _record(
    "KubeProxyConfiguration",
    "apiVersion kind bindAddress clusterCIDR hostnameOverride healthzBindAddress "
    "metricsBindAddress mode detectLocalMode portRange udpIdleTimeout",
    unread="clientConnection configSyncPeriod featureGates ipvs nftables winkernel logging "
    "resourceContainer showHiddenMetricsForVersion windowsRunAsService",
    metadata=_META,
    detectLocal=_record("detectLocal", "bridgeInterface interfaceNamePrefix"),
    iptables=_record(
        "iptables",
        "minSyncPeriod syncPeriod",
        localhostNodePorts=BOOLEAN,
        masqueradeAll=BOOLEAN,
        snatNodeInternalIP=BOOLEAN,
        masqueradeBit=Scalar("a bit from 0 to 31", (int,), 0, 31),
    ),
    conntrack=_record(
        "conntrack",
        "tcpCloseWaitTimeout tcpEstablishedTimeout udpStreamTimeout udpTimeout",
        max=INTEGER,
        maxPerCore=INTEGER,
        min=INTEGER,
        tcpBeLiberal=BOOLEAN,
    ),
    nodePortAddresses=TEXTS,
    bindAddressHardFail=BOOLEAN,
    enableProfiling=BOOLEAN,
    configSyncPeriodSeconds=INTEGER,
    oomScoreAdj=INTEGER,
)
_KUBEADM = _record(
    "ClusterConfiguration",
    "apiVersion kind kubernetesVersion clusterName controlPlaneEndpoint certificatesDir "
    "imageRepository caCertificateValidityPeriod certificateValidityPeriod encryptionAlgorithm",
    unread="apiServer controllerManager scheduler etcd dns proxy featureGates apiServerCertSANs "
    "apiServerExtraArgs controllerManagerExtraArgs useHyperKubeImage",
    metadata=_META,
    networking=_record("networking", "dnsDomain podSubnet serviceSubnet"),
)


@record(eq=False)
class Kind:
    """A kind with the API versions that it was ever served in, the one of today first."""

    name: str
    versions: tuple[str, ...]
    fields: Record
    named: bool = True
    """It needs a metadata.name."""
    namespaced: bool = True


def _kind(
    name: str, versions: str, *, namespaced: bool = True, unread: str = "", **typed: Type
) -> Kind:
    fields = _record(
        name,
        "apiVersion kind",
        unread=f"status {unread}",
        metadata=_META,
        required="spec" if "spec" in typed and name != "Node" else "",
        **typed,
    )
    return Kind(name, tuple(versions.split()), fields, namespaced=namespaced)


_OLD_APPS = "apps/v1 apps/v1beta2 apps/v1beta1 extensions/v1beta1"

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind("Pod", "v1", spec=_POD_SPEC, status=_POD_STATUS),
        _kind("Deployment", _OLD_APPS, spec=_DEPLOYMENT),
        _kind("ReplicaSet", _OLD_APPS, spec=_REPLICA_SET),
        _kind("ReplicationController", "v1", spec=_CONTROLLER),
        _kind("StatefulSet", "apps/v1 apps/v1beta2 apps/v1beta1", spec=_STATEFUL_SET),
        _kind("DaemonSet", _OLD_APPS, spec=_DAEMON_SET),
        _kind("Job", "batch/v1 extensions/v1beta1", spec=_JOB),
        _kind("CronJob", "batch/v1 batch/v1beta1 batch/v2alpha1", spec=_CRON_JOB),
        _kind("Service", "v1", spec=_SERVICE, status=_LOAD_BALANCER),
        _kind("Endpoints", "v1", subsets=_SUBSETS),
        _kind(
            "EndpointSlice",
            "discovery.k8s.io/v1 discovery.k8s.io/v1beta1",
            addressType=Choice(("IPv4", "IPv6", "FQDN")),
            endpoints=ListOf(_SLICE_ENDPOINT),
            ports=ListOf(_ENDPOINT_PORT),
        ),
        _kind("Node", "v1", spec=_NODE_SPEC, status=_NODE_STATUS, namespaced=False),
        _kind("Namespace", "v1", unread="spec", namespaced=False),
        _kind("ConfigMap", "v1", data=MapOf(FREE), unread="binaryData", immutable=BOOLEAN),
        _kind("Secret", "v1", type=STRING, unread="data stringData", immutable=BOOLEAN),
        _kind(
            "LimitRange",
            "v1",
            spec=_record(
                "spec",
                limits=ListOf(
                    _record(
                        "limit",
                        "type",
                        max=MapOf(QUANTITY),
                        min=MapOf(QUANTITY),
                        default=MapOf(QUANTITY),
                        defaultRequest=MapOf(QUANTITY),
                        maxLimitRequestRatio=MapOf(QUANTITY),
                    )
                ),
            ),
        ),
        _kind(
            "ResourceQuota",
            "v1",
            spec=_record("spec", unread="scopeSelector", hard=MapOf(QUANTITY), scopes=TEXTS),
        ),
        _kind(
            "PriorityClass",
            "scheduling.k8s.io/v1 scheduling.k8s.io/v1beta1",
            value=INTEGER,
            globalDefault=BOOLEAN,
            description=STRING,
            preemptionPolicy=STRING,
            namespaced=False,
        ),
        _kind(
            "RuntimeClass",
            "node.k8s.io/v1 node.k8s.io/v1beta1",
            handler=STRING,
            overhead=_record("overhead", podFixed=MapOf(QUANTITY)),
            scheduling=_record("scheduling", unread="tolerations", nodeSelector=STRINGS),
            namespaced=False,
        ),
        _kind("PersistentVolumeClaim", "v1", unread="spec"),
        _kind("PersistentVolume", "v1", unread="spec", namespaced=False),
        _kind(
            "StorageClass",
            "storage.k8s.io/v1 storage.k8s.io/v1beta1",
            provisioner=STRING,
            unread="parameters reclaimPolicy volumeBindingMode allowVolumeExpansion mountOptions "
            "allowedTopologies",
            namespaced=False,
        ),
        _kind(
            "ServiceAccount",
            "v1",
            unread="secrets imagePullSecrets",
            automountServiceAccountToken=BOOLEAN,
        ),
        _kind(
            "Ingress",
            "networking.k8s.io/v1 networking.k8s.io/v1beta1 extensions/v1beta1",
            spec=_INGRESS,
        ),
        _kind("NetworkPolicy", "networking.k8s.io/v1 extensions/v1beta1", spec=_NETWORK_POLICY),
        *(
            _kind(
                name,
                "admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1beta1",
                webhooks=ListOf(_webhooks(unread)),
                namespaced=False,
            )
            for name, unread in (
                ("ValidatingWebhookConfiguration", ""),
                ("MutatingWebhookConfiguration", "reinvocationPolicy"),
            )
        ),
        _kind(
            "APIService",
            "apiregistration.k8s.io/v1 apiregistration.k8s.io/v1beta1",
            spec=_API_SERVICE,
            namespaced=False,
        ),
        # Of two projects; both are evidence of who listens, and nothing more.
        _kind(
            "Gateway",
            "gateway.networking.k8s.io/v1 gateway.networking.k8s.io/v1beta1 "
            "gateway.networking.k8s.io/v1alpha2 networking.istio.io/v1 "
            "networking.istio.io/v1beta1 networking.istio.io/v1alpha3",
            unread="spec",
        ),
        _kind(
            "HorizontalPodAutoscaler",
            "autoscaling/v2 autoscaling/v1 autoscaling/v2beta2 autoscaling/v2beta1",
            spec=_record(
                "spec",
                unread="minReplicas maxReplicas metrics behavior targetCPUUtilizationPercentage",
                scaleTargetRef=_record("scaleTargetRef", "apiVersion kind name"),
            ),
        ),
        _kind(
            "ServiceCIDR",
            "networking.k8s.io/v1 networking.k8s.io/v1beta1 networking.k8s.io/v1alpha1",
            spec=_record("spec", cidrs=TEXTS),
            namespaced=False,
        ),
        Kind(
            "KubeProxyConfiguration",
            ("kubeproxy.config.k8s.io/v1alpha1",),
            _PROXY,
            named=False,
            namespaced=False,
        ),
        Kind(
            "ClusterConfiguration",
            tuple(f"kubeadm.k8s.io/{v}" for v in ("v1beta4", "v1beta3", "v1beta2", "v1beta1")),
            _KUBEADM,
            named=False,
            namespaced=False,
        ),
    )
}
"""By kind. Status is looked at only where cluster reads it."""

WITHOUT_PART = frozenset(
    """
    VolumeAttachment CSIDriver CSINode
    CSIStorageCapacity Role RoleBinding ClusterRole ClusterRoleBinding
    PodDisruptionBudget IngressClass
    CustomResourceDefinition Event Lease PodTemplate ValidatingAdmissionPolicy
    ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
    ResourceClaim ResourceClaimTemplate ResourceSlice DeviceClass VolumeAttributesClass
    ClusterTrustBundle PodCertificateRequest LeaseCandidate StorageVersion StorageVersionMigration
    ControllerRevision PodSecurityPolicy Binding ComponentStatus FlowSchema IPAddress
    PriorityLevelConfiguration CertificateSigningRequest InitConfiguration JoinConfiguration
    KubeletConfiguration Eviction Scale TokenReview
    """.split()  # noqa: SIM905
)
"""Built-in kinds that have no part in how packets move: skipped, and never taken for typing
errors of a known kind."""


def _names(type_: Type) -> Iterator[str]:
    if isinstance(type_, Record):
        yield from type_.fields
        for below in type_.fields.values():
            yield from _names(below)
    elif isinstance(type_, ListOf):
        yield from _names(type_.item)


def field_names() -> frozenset[str]:
    """Every field name of every known kind: what may stand before a colon."""
    return frozenset(name for kind in KINDS.values() for name in _names(kind.fields))
