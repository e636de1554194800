"""core/v1: a pod with its containers, probes, volumes and affinities."""

from __future__ import annotations

from k8stui.manifests.schema.objects import CONDITIONS, EXPRESSION, META, SELECTOR, kind
from k8stui.manifests.schema.types import (
    ANY,
    BOOLEAN,
    FREE,
    INTEGER,
    NUMBER_OR_TEXT,
    PORT,
    PROTOCOL,
    QUANTITY,
    STRINGS,
    TEXTS,
    WORDS,
    ListOf,
    MapOf,
    OneOf,
    Scalar,
    Struct,
    Type,
    struct,
)

_CONTAINER_PORT = struct(
    "port",
    "name hostIP",
    containerPort=PORT,
    hostPort=Scalar("a port number from 0 to 65535", (int,), 0, 65535),
    protocol=PROTOCOL,
    required="containerPort",
)


def _handler(name: str, **typed: Type) -> Struct:
    """What is done to a container: one of four things, and when."""
    return struct(
        name,
        "",
        required="",
        unread="",
        exec=struct("exec", command=WORDS),
        httpGet=struct(
            "httpGet",
            "path host scheme",
            port=NUMBER_OR_TEXT,
            httpHeaders=ListOf(struct("httpHeader", "name", value=FREE)),
        ),
        tcpSocket=struct("tcpSocket", "host", port=NUMBER_OR_TEXT),
        **typed,
    )


_PROBE = _handler(
    "probe",
    grpc=struct("grpc", "service", port=INTEGER),
    initialDelaySeconds=INTEGER,
    timeoutSeconds=INTEGER,
    periodSeconds=INTEGER,
    successThreshold=INTEGER,
    failureThreshold=INTEGER,
    terminationGracePeriodSeconds=INTEGER,
)
_HOOK = _handler("lifecycle handler", sleep=struct("sleep", seconds=INTEGER))
RESOURCES = struct("resources", unread="claims", limits=MapOf(QUANTITY), requests=MapOf(QUANTITY))
_KEY_REF = struct("key reference", "name key", optional=BOOLEAN)
_NAME_REF = struct("reference", "name", optional=BOOLEAN)
_SE_LINUX = struct("seLinuxOptions", "level role type user")
_PROFILE = struct("profile", "type localhostProfile")
_WINDOWS = struct(
    "windowsOptions",
    "gmsaCredentialSpec gmsaCredentialSpecName runAsUserName",
    hostProcess=BOOLEAN,
)
_SECURITY = struct(
    "securityContext",
    "procMount",
    seLinuxOptions=_SE_LINUX,
    windowsOptions=_WINDOWS,
    seccompProfile=_PROFILE,
    appArmorProfile=_PROFILE,
    capabilities=struct("capabilities", add=TEXTS, drop=TEXTS),
    privileged=BOOLEAN,
    runAsUser=INTEGER,
    runAsGroup=INTEGER,
    runAsNonRoot=BOOLEAN,
    readOnlyRootFilesystem=BOOLEAN,
    allowPrivilegeEscalation=BOOLEAN,
)
_CONTAINER = struct(
    "container",
    "name image imagePullPolicy workingDir terminationMessagePath terminationMessagePolicy "
    "restartPolicy",
    unread="volumeDevices resizePolicy restartPolicyRules",
    command=WORDS,
    args=WORDS,
    ports=ListOf(_CONTAINER_PORT),
    env=ListOf(
        struct(
            "env entry",
            "name",
            value=FREE,
            valueFrom=struct(
                "valueFrom",
                unread="fileKeyRef",
                fieldRef=struct("fieldRef", "apiVersion fieldPath"),
                resourceFieldRef=struct(
                    "resourceFieldRef", "containerName resource", divisor=QUANTITY
                ),
                configMapKeyRef=_KEY_REF,
                secretKeyRef=_KEY_REF,
            ),
            required="name",
        )
    ),
    envFrom=ListOf(struct("envFrom entry", "prefix", configMapRef=_NAME_REF, secretRef=_NAME_REF)),
    volumeMounts=ListOf(
        struct(
            "volumeMount",
            "name mountPath subPath subPathExpr mountPropagation recursiveReadOnly",
            readOnly=BOOLEAN,
        )
    ),
    resources=RESOURCES,
    lifecycle=struct("lifecycle", "stopSignal", postStart=_HOOK, preStop=_HOOK),
    livenessProbe=_PROBE,
    readinessProbe=_PROBE,
    startupProbe=_PROBE,
    securityContext=_SECURITY,
    stdin=BOOLEAN,
    stdinOnce=BOOLEAN,
    tty=BOOLEAN,
    required="name",
)
_NODE_REQUIREMENT = struct(
    "nodeSelectorTerm", matchExpressions=ListOf(EXPRESSION), matchFields=ListOf(EXPRESSION)
)
_AFFINITY_TERM = struct(
    "podAffinityTerm",
    "topologyKey",
    labelSelector=SELECTOR,
    namespaceSelector=SELECTOR,
    namespaces=TEXTS,
    matchLabelKeys=TEXTS,
    mismatchLabelKeys=TEXTS,
    required="topologyKey",
)
_POD_AFFINITY = struct(
    "podAffinity",
    preferredDuringSchedulingIgnoredDuringExecution=ListOf(
        struct("preferred podAffinityTerm", weight=INTEGER, podAffinityTerm=_AFFINITY_TERM)
    ),
    requiredDuringSchedulingIgnoredDuringExecution=ListOf(_AFFINITY_TERM),
)
_AFFINITY = struct(
    "affinity",
    nodeAffinity=struct(
        "nodeAffinity",
        preferredDuringSchedulingIgnoredDuringExecution=ListOf(
            struct("preferred nodeAffinity term", weight=INTEGER, preference=_NODE_REQUIREMENT)
        ),
        requiredDuringSchedulingIgnoredDuringExecution=struct(
            "nodeSelector", nodeSelectorTerms=ListOf(_NODE_REQUIREMENT)
        ),
    ),
    podAffinity=_POD_AFFINITY,
    podAntiAffinity=_POD_AFFINITY,
)
_CLAIM = struct(
    "spec",
    "storageClassName volumeMode volumeName volumeAttributesClassName",
    unread="dataSource dataSourceRef",
    accessModes=TEXTS,
    resources=RESOURCES,
    selector=SELECTOR,
)
CLAIM_TEMPLATE = struct(
    "claim template", "apiVersion kind", unread="status", metadata=META, spec=_CLAIM
)
_KEY_FILES = ListOf(struct("item", "key path", mode=INTEGER))
_POD_FILES = ListOf(struct("item", "path", mode=INTEGER, unread="fieldRef resourceFieldRef"))
_VOLUME = struct(
    "volume",
    "name",
    unread="awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker "
    "gcePersistentDisk gitRepo glusterfs image iscsi photonPersistentDisk portworxVolume quobyte "
    "rbd scaleIO storageos vsphereVolume",
    configMap=struct("configMap", "name", items=_KEY_FILES, defaultMode=INTEGER, optional=BOOLEAN),
    secret=struct("secret", "secretName", items=_KEY_FILES, defaultMode=INTEGER, optional=BOOLEAN),
    downwardAPI=struct("downwardAPI", items=_POD_FILES, defaultMode=INTEGER),
    emptyDir=struct("emptyDir", "medium", sizeLimit=QUANTITY),
    ephemeral=struct("ephemeral", volumeClaimTemplate=CLAIM_TEMPLATE),
    projected=struct(
        "projected",
        defaultMode=INTEGER,
        sources=ListOf(
            struct(
                "source",
                unread="clusterTrustBundle podCertificate",
                configMap=struct("configMap", "name", items=_KEY_FILES, optional=BOOLEAN),
                secret=struct("secret", "name", items=_KEY_FILES, optional=BOOLEAN),
                downwardAPI=struct("downwardAPI", items=_POD_FILES),
                serviceAccountToken=struct(
                    "serviceAccountToken", "audience path", expirationSeconds=INTEGER
                ),
            )
        ),
    ),
    hostPath=struct("hostPath", "path type"),
    nfs=struct("nfs", "server path", readOnly=BOOLEAN),
    persistentVolumeClaim=struct("persistentVolumeClaim", "claimName", readOnly=BOOLEAN),
)
_POD_SPEC = struct(
    "pod spec",
    "nodeName schedulerName serviceAccountName serviceAccount hostname hostnameOverride subdomain "
    "priorityClassName preemptionPolicy runtimeClassName",
    unread="resourceClaims workloadRef schedulingGroup",
    imagePullSecrets=ListOf(struct("imagePullSecret", "name")),
    volumes=ListOf(_VOLUME),
    securityContext=struct(
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
        sysctls=ListOf(struct("sysctl", "name value")),
    ),
    dnsConfig=struct(
        "dnsConfig",
        nameservers=TEXTS,
        searches=TEXTS,
        options=ListOf(struct("option", "name value")),
    ),
    readinessGates=ListOf(struct("readinessGate", "conditionType")),
    schedulingGates=ListOf(struct("schedulingGate", "name")),
    os=struct("os", "name"),
    overhead=MapOf(QUANTITY),
    resources=RESOURCES,
    containers=ListOf(_CONTAINER),
    initContainers=ListOf(_CONTAINER),
    ephemeralContainers=ANY,
    restartPolicy=OneOf(("Always", "OnFailure", "Never"), fills=True),
    dnsPolicy=OneOf(("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"), fills=True),
    nodeSelector=STRINGS,
    affinity=_AFFINITY,
    tolerations=ListOf(
        struct("toleration", "key operator value effect", tolerationSeconds=INTEGER)
    ),
    topologySpreadConstraints=ListOf(
        struct(
            "topologySpreadConstraint",
            "topologyKey whenUnsatisfiable nodeAffinityPolicy nodeTaintsPolicy",
            maxSkew=INTEGER,
            minDomains=INTEGER,
            labelSelector=SELECTOR,
            matchLabelKeys=TEXTS,
        )
    ),
    hostAliases=ListOf(struct("hostAlias", "ip", hostnames=TEXTS)),
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
TEMPLATE = struct("pod template", metadata=META, spec=_POD_SPEC, required="spec")
_POD_STATUS = struct(
    "pod status",
    "phase podIP hostIP reason message nominatedNodeName qosClass resize startTime",
    unread="initContainerStatuses ephemeralContainerStatuses resourceClaimStatuses resources "
    "extendedResourceClaimStatus allocatedResources nodeAllocatableResourceClaimStatuses",
    observedGeneration=INTEGER,
    conditions=CONDITIONS,
    containerStatuses=ANY,
    podIPs=ListOf(struct("podIP", "ip")),
    hostIPs=ListOf(struct("hostIP", "ip")),
)


KINDS = (kind("Pod", "v1", spec=_POD_SPEC, status=_POD_STATUS),)
