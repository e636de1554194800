"""What the cluster's own programs are told: webhooks, API services, kube-proxy, kubeadm."""

from __future__ import annotations

from k8stui.manifests.schema.objects import META, SELECTOR, Kind, kind
from k8stui.manifests.schema.types import (
    BOOLEAN,
    INTEGER,
    PORT,
    TEXTS,
    ListOf,
    Scalar,
    Struct,
    struct,
)

_CALLED = struct("service", "name namespace path", port=PORT, required="name namespace")
"""The Service that the API server itself calls."""


def _webhooks(unread: str = "") -> Struct:
    """The server's webhooks; what they are asked about is not looked at."""
    return struct(
        "webhook",
        "name failurePolicy matchPolicy sideEffects",
        clientConfig=struct("clientConfig", "url caBundle", service=_CALLED),
        admissionReviewVersions=TEXTS,
        timeoutSeconds=INTEGER,
        namespaceSelector=SELECTOR,
        objectSelector=SELECTOR,
        unread=f"rules matchConditions {unread}",
    )


_API_SERVICE = struct(
    "spec",
    "group version caBundle",
    service=struct("service", "name namespace", port=PORT),
    insecureSkipTLSVerify=BOOLEAN,
    groupPriorityMinimum=INTEGER,
    versionPriority=INTEGER,
)
_BIT = Scalar("a bit from 0 to 31", (int,), 0, 31)
_PROXY = struct(
    "KubeProxyConfiguration",
    "apiVersion kind bindAddress clusterCIDR hostnameOverride healthzBindAddress "
    "metricsBindAddress mode detectLocalMode portRange udpIdleTimeout",
    unread="clientConnection configSyncPeriod featureGates ipvs winkernel logging "
    "resourceContainer showHiddenMetricsForVersion windowsRunAsService",
    metadata=META,
    detectLocal=struct("detectLocal", "bridgeInterface interfaceNamePrefix"),
    iptables=struct(
        "iptables",
        "minSyncPeriod syncPeriod",
        localhostNodePorts=BOOLEAN,
        masqueradeAll=BOOLEAN,
        snatNodeInternalIP=BOOLEAN,
        masqueradeBit=_BIT,
    ),
    nftables=struct(
        "nftables", "minSyncPeriod syncPeriod", masqueradeAll=BOOLEAN, masqueradeBit=_BIT
    ),
    conntrack=struct(
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
_KUBEADM = struct(
    "ClusterConfiguration",
    "apiVersion kind kubernetesVersion clusterName controlPlaneEndpoint certificatesDir "
    "imageRepository caCertificateValidityPeriod certificateValidityPeriod encryptionAlgorithm",
    unread="apiServer controllerManager scheduler etcd dns proxy featureGates apiServerCertSANs "
    "apiServerExtraArgs controllerManagerExtraArgs useHyperKubeImage",
    metadata=META,
    networking=struct("networking", "dnsDomain podSubnet serviceSubnet"),
)

_KUBELET = struct(
    "KubeletConfiguration",
    "apiVersion kind clusterDomain",
    unread="enableServer staticPodPath podLogsDir syncFrequency fileCheckFrequency "
    "httpCheckFrequency staticPodURL staticPodURLHeader address port readOnlyPort tlsCertFile "
    "tlsPrivateKeyFile tlsCipherSuites tlsCurvePreferences tlsMinVersion rotateCertificates "
    "serverTLSBootstrap authentication authorization registryPullQPS registryBurst "
    "imagePullCredentialsVerificationPolicy preloadedImagesVerificationAllowlist "
    "eventRecordQPS eventBurst enableDebuggingHandlers enableContentionProfiling healthzPort "
    "healthzBindAddress oomScoreAdj streamingConnectionIdleTimeout nodeStatusUpdateFrequency "
    "nodeStatusReportFrequency nodeLeaseDurationSeconds imageMinimumGCAge imageMaximumGCAge "
    "imageGCHighThresholdPercent imageGCLowThresholdPercent volumeStatsAggPeriod "
    "kubeletCgroups systemCgroups cgroupRoot cgroupsPerQOS cgroupDriver cpuManagerPolicy "
    "singleProcessOOMKill cpuManagerPolicyOptions cpuManagerReconcilePeriod "
    "memoryManagerPolicy topologyManagerPolicy topologyManagerScope "
    "topologyManagerPolicyOptions qosReserved runtimeRequestTimeout hairpinMode maxPods "
    "podCIDR podPidsLimit resolvConf runOnce cpuCFSQuota cpuCFSQuotaPeriod "
    "nodeStatusMaxImages maxOpenFiles contentType kubeAPIQPS kubeAPIBurst serializeImagePulls "
    "maxParallelImagePulls evictionHard evictionSoft evictionSoftGracePeriod "
    "evictionPressureTransitionPeriod evictionMaxPodGracePeriod evictionMinimumReclaim "
    "mergeDefaultEvictionSettings podsPerCore enableControllerAttachDetach "
    "protectKernelDefaults makeIPTablesUtilChains iptablesMasqueradeBit iptablesDropBit "
    "featureGates failSwapOn memorySwap containerLogMaxSize containerLogMaxFiles "
    "containerLogMaxWorkers containerLogMonitorInterval "
    "configMapAndSecretChangeDetectionStrategy systemReserved kubeReserved reservedSystemCPUs "
    "showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup "
    "enforceNodeAllocatable allowedUnsafeSysctls defaultPodSysctls volumePluginDir providerID "
    "kernelMemcgNotification logging enableSystemLogHandler enableSystemLogQuery "
    "shutdownGracePeriod shutdownGracePeriodCriticalPods shutdownGracePeriodByPodPriority "
    "crashLoopBackOff reservedMemory enableProfilingHandler enableDebugFlagsHandler "
    "seccompDefault memoryThrottlingFactor memoryReservationPolicy registerWithTaints "
    "registerNode tracing localStorageCapacityIsolation containerRuntimeEndpoint "
    "imageServiceEndpoint failCgroupV1 userNamespaces "
    "",
    metadata=META,
    clusterDNS=TEXTS,
)
"""Fields by k8s.io/kubelet/config/v1beta1/types.go."""

_KIND = struct(
    "Cluster",
    "apiVersion kind name",
    unread="featureGates runtimeConfig kubeadmConfigPatches kubeadmConfigPatchesJSON6902 "
    "containerdConfigPatches containerdConfigPatchesJSON6902",
    metadata=META,
    networking=struct(
        "networking",
        "podSubnet serviceSubnet",
        unread="ipFamily apiServerPort apiServerAddress disableDefaultCNI kubeProxyMode dnsSearch",
    ),
    nodes=ListOf(
        struct(
            "node",
            "role",
            unread="image extraMounts labels kubeadmConfigPatches kubeadmConfigPatchesJSON6902",
            extraPortMappings=ListOf(
                struct(
                    "mapping",
                    "listenAddress protocol",
                    containerPort=INTEGER,
                    hostPort=INTEGER,
                )
            ),
        )
    ),
)
"""kind's own file: pkg/apis/config/v1alpha4 types.go."""

KINDS = (
    *(
        kind(
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
    kind(
        "APIService",
        "apiregistration.k8s.io/v1 apiregistration.k8s.io/v1beta1",
        spec=_API_SERVICE,
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
        "KubeletConfiguration",
        ("kubelet.config.k8s.io/v1beta1", "kubelet.config.k8s.io/v1"),
        _KUBELET,
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
    Kind("Cluster", ("kind.x-k8s.io/v1alpha4",), _KIND, named=False, namespaced=False),
)
