"""The deployment replayed: a world for every moment, what it gained, and who can ask whom then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from fractions import Fraction
from itertools import islice

from k8stui.apiserver.inventory import WORKLOADS
from k8stui.cluster.build import build
from k8stui.cluster.memory import Memory
from k8stui.cluster.model import Cluster
from k8stui.errors import value_of
from k8stui.kernel.exchange import Result
from k8stui.manifests import Manifest, Manifests
from k8stui.nodes.network import build_network
from k8stui.record import record
from k8stui.replay.change import Change, Key, Verb, key_of, parse_change
from k8stui.replay.gains import Gains, gains
from k8stui.replay.order import is_written, ordered
from k8stui.walk.compare import MOST_BRANCHES
from k8stui.walk.error import RequestError
from k8stui.walk.request import outside_addresses, parse_request
from k8stui.walk.source import parse_source
from k8stui.walk.trace import Trace
from k8stui.walk.walk import walks
from k8stui.walk.world import World

_THERE_BEFORE = frozenset(
    {
        "Node",
        "ServiceCIDR",
        "KubeProxyConfiguration",
        "ClusterConfiguration",
        "KubeletConfiguration",
        "Cluster",
    }
)
_THEIR_NAMESPACES = ("kube-system", "kube-flannel")
"""Where ConfigMaps hold the configuration of the cluster itself (kubeadm, flannel)."""


@record()
class Question:
    """A request that is asked at every moment: both as they can be typed."""

    source: str
    destination: str

    def __str__(self) -> str:
        return f"{self.source} -> {self.destination}"


def parse_question(text: str) -> Question:
    """Understand ``SOURCE -> DESTINATION``.

    Raises:
        RequestError: there is no arrow in it, or nothing on a side of it.

    """
    source, _, destination = text.replace("→", "->").partition("->")
    if not (source.strip() and destination.strip()):
        raise RequestError(
            f"{text!r} does not say who asks whom", hint='write "SOURCE -> DESTINATION"'
        )
    return Question(source.strip(), destination.strip())


@record(kw_only=True)
class Answered:
    """How a question was answered at one moment."""

    question: Question
    result: Result
    """Connected only where every branch is."""
    reason: str
    trace: Trace | None
    """The branch that tells; None where the request means nothing yet."""
    connected: Fraction
    """How likely the client is connected."""


@record(kw_only=True)
class Moment:
    """The cluster after one change."""

    number: int
    """1-based; 0: before the first."""
    change: Change | None
    """None for number 0."""
    world: World
    gains: Gains
    asked: tuple[Answered, ...] = field(default=())


def replay(
    world: World,
    order: str = "files",
    questions: Sequence[Question] = (),
    *,
    then: Iterable[str] = (),
    namespace: str = "default",
) -> Iterator[Moment]:
    """Deploy the objects of `world` one by one, in one of `ORDERS`; then do what `then` says.

    The first moment (number 0) is the cluster without them: its nodes, its configuration, and
    what a dump holds. What a pod or Service was given once stays with it.

    Raises:
        RequestError: a question means nothing, even when everything is there.
        ChangeError: what `then` says means nothing.

    """
    player = Player(world, questions, namespace)
    yield player.begin()
    for one in applied(world, order):
        yield player.apply(one)
    for text in then:
        with value_of("--then"):
            changes = parse_change(text, player.objects, namespace)
        for change in changes:
            yield player.do(change)


def applied(world: World, order: str = "files") -> list[Manifest]:
    """The objects whose applying is a step, in one of `ORDERS`."""
    return ordered([one for one in world.manifests.objects if _is_step(one)], order)


def _is_step(one: Manifest) -> bool:
    """Whether applying it is a step: it does not make the cluster itself, which stands before."""
    configures = one.kind == "ConfigMap" and one.namespace in _THEIR_NAMESPACES
    return is_written(one) and one.kind not in _THERE_BEFORE and not configures


class Player:
    """The cluster as it grows."""

    def __init__(
        self, world: World, questions: Sequence[Question], namespace: str = "default"
    ) -> None:
        """Stand before the first object.

        Raises:
            RequestError: a question means nothing, even when everything is there.

        """
        for question in questions:
            with value_of("--ask"):
                parse_request(world, question.source, question.destination, namespace)
        self.objects = [one for one in world.manifests.objects if not _is_step(one)]
        self._named = _by_key(self.objects)
        self.world = world
        """When everything is there."""
        self._questions = questions
        self._namespace = namespace
        self._number = 0
        self._before = replace(
            world.cluster, pods={}, services={}, endpoint_slices={}, workloads=(), remarks=()
        )
        self._last: World | None = None
        self._memory = Memory()

    def begin(self) -> Moment:
        """The cluster before the first object."""
        return self._moment(None)

    def apply(self, one: Manifest) -> Moment:
        """Apply an object: it is new, or another one under a name that is there."""
        known = self.find(one) is not None
        return self._moment(Change(Verb.CHANGED if known else Verb.ADDED, one))

    def do(self, change: Change) -> Moment:
        """Delete, scale or apply."""
        return self._moment(change)

    def stand_at(self, moment: Moment) -> None:
        """Go on from a moment that was there already."""
        self.objects = list(moment.world.manifests.objects)
        self._named = _by_key(self.objects)
        self._number, self._before = moment.number, moment.world.cluster
        self._last = moment.world

    def _moment(self, change: Change | None) -> Moment:
        before = self._before
        if change is not None:
            self._number += 1
            before = self._apply(change)
        options = replace(self.world.cluster_options, before=before)
        manifests = Manifests(objects=tuple(self.objects), skipped=self.world.manifests.skipped)
        earlier = self._last.network if self._last is not None else None
        cluster = build(manifests, options, self._memory)
        network = build_network(cluster, self.world.options, earlier)
        world = replace(
            self.world,
            manifests=manifests,
            cluster=network.cluster,
            network=network,
            cluster_options=options,
        )
        found = gains(self._last or world, world)
        self._before, self._last = network.cluster, world
        asked = tuple(self._ask(world, question) for question in self._questions)
        return Moment(number=self._number, change=change, world=world, gains=found, asked=asked)

    def find(self, manifest: Manifest) -> Manifest | None:
        """The object as it is there now, under its name."""
        return self._named.get(key_of(manifest))

    def _apply(self, change: Change) -> Cluster:
        """Do it; what was there before, as far as it stays."""
        key = key_of(change.manifest)
        old = self.find(change.manifest)
        if change.verb is Verb.ADDED or old is None:
            self.objects.append(change.manifest)
            self._named.setdefault(key, change.manifest)
            return self._before
        if change.verb is Verb.DELETED:
            self.objects.remove(old)
            self._named = _by_key(self.objects)
            return self._before
        self.objects[self.objects.index(old)] = change.manifest
        self._named[key] = change.manifest
        if _template(old) == _template(change.manifest):
            return self._before
        # A new template: its pods are made anew, one after the other.
        gone = _pods_of(self._before, key)
        pods = {name: pod for name, pod in self._before.pods.items() if name not in gone}
        return replace(self._before, pods=pods)

    def _ask(self, world: World, question: Question) -> Answered:
        try:
            request = parse_request(world, question.source, question.destination, self._namespace)
        except RequestError as error:
            return Answered(
                question=question,
                result=self._unasked(world, question),
                reason=f"{error.message} yet",
                trace=None,
                connected=Fraction(0),
            )
        found = list(islice(walks(world, request), MOST_BRANCHES))
        telling = next((t for t in found if t.outcome.result is not Result.CONNECTED), found[0])
        return Answered(
            question=question,
            result=telling.outcome.result,
            reason=telling.outcome.reason,
            trace=telling,
            connected=sum(
                (t.probability for t in found if t.outcome.result is Result.CONNECTED), Fraction(0)
            ),
        )

    def _unasked(self, world: World, question: Question) -> Result:
        """What a client feels whose Service is not there yet; without a client: nothing."""
        try:
            parse_source(world.cluster, question.source, self._namespace, outside_addresses(world))
        except RequestError:
            return Result.UNKNOWN
        is_name = question.destination.startswith(("svc/", "service/"))
        return Result.NO_SUCH_NAME if is_name else Result.UNKNOWN


def _by_key(objects: Iterable[Manifest]) -> dict[Key, Manifest]:
    """The first under each name."""
    found: dict[Key, Manifest] = {}
    for one in objects:
        found.setdefault(key_of(one), one)
    return found


def _template(one: Manifest) -> object:
    spec = one.data.get("spec")
    if one.kind in WORKLOADS and isinstance(spec, dict):
        return spec.get("template")
    return spec if one.kind == "Pod" else None


def _pods_of(cluster: Cluster, key: Key) -> frozenset[str]:
    return frozenset(
        pod
        for workload in cluster.workloads
        if (workload.kind, workload.namespace, workload.name) == key
        for pod in workload.pods
    )
