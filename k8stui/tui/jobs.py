"""Slow work, off the event loop: loading the manifests, walking, walking every branch.

Run in threads; nothing here touches a widget. What the work needs is imported inside it, after
the first frame is on the screen.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from threading import Lock
from time import thread_time
from typing import TYPE_CHECKING, BinaryIO, cast

from textual.message import Message

from k8stui.errors import K8sTuiError
from k8stui.tui.changes import Watched, option_files
from k8stui.tui.messages import (
    Branched,
    Checked,
    CheckFailed,
    LinesFound,
    LinesMissing,
    LoadFailed,
    MomentMade,
    NeighboursFound,
    OtherFailed,
    OtherRead,
    ReachMade,
    Reloaded,
    ReloadFailed,
    TableMade,
    Walked,
    WalkFailed,
    WorldLoaded,
)

if TYPE_CHECKING:
    from k8stui.check import Finding
    from k8stui.cluster.options import ClusterOptions
    from k8stui.export.reach_map import Probe
    from k8stui.nodes.options import NodeOptions
    from k8stui.origin import Place
    from k8stui.tui.desk import Desk
    from k8stui.tui.lookout import Lookout, Patience
    from k8stui.tui.timeline import Timeline
    from k8stui.walk.comparisons import Kind
    from k8stui.walk.trace import Request, Trace
    from k8stui.walk.world import World

MOST_BRANCHES = 1_000
"""As many endpoints as a Service is ever seen with (an EndpointSlice has 100), walked in a second
or two; a walk of 3 random rules of 100 endpoints has a million."""

LOOK_SECONDS = 1.0
"""How often watched files are looked at, at most."""
LOOK_SHARE = 0.01
"""Of one processor, what looking at them may cost while nothing changes."""
Post = Callable[[Message], object]
"""Gives a message to the screen; safe from any thread."""


class NothingReadError(K8sTuiError):
    """An input without a single object that can be used."""

    def __init__(self, paths: Sequence[str], world: World) -> None:
        self._name, self._world = _called(paths), world
        super().__init__(f"nothing of Kubernetes in {self._name}")

    def render(self) -> str:
        """Say what is wrong in it; where nothing is, what was left out."""
        wrong = [each.render() for each in self._world.problems[:2]]
        left_out = [each.render() for each in self._world.notes[:3]]
        return "\n".join(wrong or [str(self), *left_out])


class Jobs:
    """What the command line asked to be loaded, and the work that can be done with it."""

    def __init__(
        self,
        paths: Sequence[str],
        cluster_options: ClusterOptions | None = None,
        node_options: NodeOptions | None = None,
        namespace: str = "default",
        context: str | None = None,
        *,
        watches: bool = False,
        against: Sequence[str] = (),
    ) -> None:
        self.paths = paths
        self.against = against
        """Another input, to compare with."""
        self.other: World | None = None
        """What is made of it, once it was asked for."""
        self.context = context
        self.cluster_options = cluster_options
        self.node_options = node_options
        self.namespace = namespace
        self._lookout: Lookout | None = None
        self.watches = watches
        """Whether the input is read again when its files change."""
        files = (*paths, *option_files(cluster_options, node_options)) if watches else ()
        self._watched = Watched(files) if watches else None
        self._watched_other = Watched(against) if watches else None
        self._looks = Lock()
        self.pause_seconds = LOOK_SECONDS
        """How long after a look at the files they are looked at again."""
        self.last_words = ""
        """Why there is nothing to show: printed as it is once the terminal is restored."""

    def load(self, post: Post) -> None:
        """Read the input and build the cluster; on the way tell how far it is."""
        from k8stui.tui.lookout import CalledOff, Lookout  # noqa: PLC0415 - after the first frame

        self._lookout = lookout = Lookout(post)
        try:
            desk = self._desk(lookout)
        except CalledOff:
            return
        except Exception as error:  # noqa: BLE001 - a mistake in the input, or a bug: judged by the screen
            post(LoadFailed(error))
            return
        post(WorldLoaded(desk))

    def look_again(self, post: Post) -> None:
        """Read what has changed again: the input, and the other one that is compared with.

        Not while it is still being done: to read a big input may take longer than the pause.
        """
        if not self._looks.acquire(blocking=False):
            return
        try:
            self._look_again(post)
        finally:
            self._looks.release()

    def _look_again(self, post: Post) -> None:
        begin = thread_time()
        is_other_changed = self._watched_other is not None and self._watched_other.is_changed()
        is_changed = self._watched is not None and self._watched.is_changed()
        self.pause_seconds = max(LOOK_SECONDS, (thread_time() - begin) / LOOK_SHARE)
        if is_other_changed:
            self._read_other_again(post)
        if not is_changed:
            return
        from k8stui.tui.desk import Desk  # noqa: PLC0415 - loaded long ago
        from k8stui.tui.lookout import Lookout  # noqa: PLC0415

        try:
            post(Reloaded(Desk(self.build(Lookout(lambda _: None)))))
        except Exception as error:  # noqa: BLE001 - as above
            post(ReloadFailed(error))

    def call_off(self) -> None:
        """End a load that nobody waits for any more."""
        if self._lookout is not None:
            self._lookout.is_called_off = True
        if (live := sys.modules.get("k8stui.manifests.kubectl")) is not None:
            live.end_all()

    def _desk(self, lookout: Lookout) -> Desk:
        from k8stui.tui.desk import Desk  # noqa: PLC0415 - after the first frame

        return Desk(self.build(lookout))

    def build(self, lookout: Lookout) -> World:
        """Read what the command line named."""
        from k8stui.tui.pipe import Pipe  # noqa: PLC0415
        from k8stui.walk.world import build_world  # noqa: PLC0415

        stdin = Pipe(sys.stdin.fileno(), lookout.came) if "-" in self.paths else None
        return build_world(
            self.paths,
            self.cluster_options,
            self.node_options,
            context=self.context,
            stdin=cast("BinaryIO | None", stdin),
            watch=lookout,
            when_read=lookout.read,
        )

    @property
    def input_key(self) -> str:
        """By which this input is known again."""
        from k8stui.tui.session import input_key  # noqa: PLC0415 - after the first frame

        return input_key(list(self.paths), self.context, self.namespace)

    @property
    def what(self) -> str:
        """What is read, in a word or two."""
        names = ["standard input" if path == "-" else path for path in self.paths]
        if self.context is not None:
            names.insert(0, f"cluster {self.context}")
        return _called(names) or "the manifests"

    @property
    def other_name(self) -> str:
        """What the other input is called, in a word or two."""
        return _called(self.against)

    def walk(self, world: World, request: Request | None, generation: int, post: Post) -> None:
        """Walk one request (None: the one to begin with)."""
        from k8stui.walk.error import RequestError  # noqa: PLC0415 - after the first frame
        from k8stui.walk.landmarks import telling  # noqa: PLC0415
        from k8stui.walk.walk import walk  # noqa: PLC0415

        try:
            if request is not None:
                post(Walked(walk(world, request), generation))
                return
            trace = self.opening(world)
            if trace is None:
                raise RequestError("no Service: press r to ask for something")  # noqa: TRY301
            post(Walked(trace, generation, telling(trace)))
        except Exception as error:  # noqa: BLE001 - as above
            post(WalkFailed(error, generation))

    def opening(self, world: World) -> Trace | None:
        """The walk to begin with; None when the input has nothing to ask for."""
        from k8stui.check.opening import opening  # noqa: PLC0415 - after the first frame

        return opening(world, self.paths)

    def walk_reloaded(
        self, world: World, request: Request, left: tuple[Trace, int], generation: int, post: Post
    ) -> None:
        """Walk a request in the world as it was read again, to where it differs.

        `left`: the walk as it was, and the 0-based step at which one stays where nothing differs.
        """
        before, index = left
        from k8stui.walk.walk import walk  # noqa: PLC0415
        from k8stui.walk.whatif import first_difference  # noqa: PLC0415 - only when it changed

        try:
            trace = walk(world, request)
            differs_at = first_difference(before, trace)
            post(Walked(trace, generation, index if differs_at is None else differs_at))
        except Exception as error:  # noqa: BLE001 - as above
            post(WalkFailed(error, generation))

    def table(self, world: World, trace: Trace, kind: Kind, post: Post) -> None:
        """Make a table of cases for the request of `trace`."""
        from k8stui.walk.comparisons import Kind, table  # noqa: PLC0415 - only when asked for

        try:
            other = self._other_world() if kind is Kind.VERSIONS else None
            post(TableMade(kind, table(world, trace, kind, other, self.other_name)))
        except Exception as error:  # noqa: BLE001 - as above
            post(TableMade(kind, error))

    def _other_world(self) -> World | None:
        """Read the input that is compared with; it is read once."""
        if self.other is None and self.against:
            self.other = self._built(self.against)
        return self.other

    def read_other(self, paths: Sequence[str], post: Post) -> None:
        """Read another input to compare with; where that fails the one before stays."""
        watched = Watched(paths) if self.watches else None  # first: it may change meanwhile
        try:
            world = self._built(paths)
        except Exception as error:  # noqa: BLE001 - as above
            post(OtherFailed(error))
            return
        self.take_other(world, paths)
        self._watched_other = watched
        post(OtherRead(world))

    def take_other(self, world: World, paths: Sequence[str]) -> None:
        """Compare with another input, that is read already."""
        self.against, self.other = paths, world

    def _read_other_again(self, post: Post) -> None:
        from k8stui.tui.changes import said_changes  # noqa: PLC0415 - only when it changed

        before, paths = self.other, self.against
        try:
            world = self._built(paths)
        except Exception as error:  # noqa: BLE001 - as above
            post(ReloadFailed(error))
            return
        if self.against is not paths:  # somebody named another one meanwhile
            return
        self.other = world
        said = said_changes(before, world) if before is not None else ""
        post(OtherRead(world, said))

    def _built(self, paths: Sequence[str]) -> World:
        """Read another input than the one that is shown, as that is read.

        Raises:
            OSError: it cannot be read.
            NothingReadError: nothing of Kubernetes is in it, or nothing that is right.

        """
        from k8stui.walk.world import build_world  # noqa: PLC0415 - only when asked for

        world = build_world(paths, self.cluster_options, self.node_options)
        if not world.manifests.objects:
            raise NothingReadError(paths, world)
        return world

    def reach(self, world: World, patience: Patience, post: Post) -> None:
        """Find who reaches whom: all pairs of a world."""
        from k8stui.export.reach_map import ReachMap  # noqa: PLC0415 - only when asked for
        from k8stui.reach.ends import asked, askers  # noqa: PLC0415
        from k8stui.reach.reach import reach  # noqa: PLC0415
        from k8stui.tui.lookout import CalledOff  # noqa: PLC0415

        try:
            rows, columns = tuple(askers(world)), tuple(asked(world))
            found = reach(world, rows, columns, partial(patience.told, len(columns), post))
            post(ReachMade(ReachMap(world.cluster, found)))
        except CalledOff:
            return
        except Exception as error:  # noqa: BLE001 - as above
            post(ReachMade(error))

    def pair(self, world: World, pair: Probe, generation: int, post: Post) -> None:
        """Walk a pair of the map: a branch that ends as the map says, at the step that decides."""
        from k8stui.walk.landmarks import telling  # noqa: PLC0415
        from k8stui.walk.request import parse_request  # noqa: PLC0415
        from k8stui.walk.walk import walks  # noqa: PLC0415

        try:
            request = parse_request(world, pair.asker.name, pair.asked.name)
            traces = islice(walks(world, request), MOST_BRANCHES)
            first = next(traces)
            wanted = pair.known.felt.result
            trace = next((t for t in (first, *traces) if t.outcome.result is wanted), first)
            post(Walked(trace, generation, telling(trace)))
        except Exception as error:  # noqa: BLE001 - as above
            post(WalkFailed(error, generation))

    def moment(self, timeline: Timeline, generation: int, post: Post) -> None:
        """Compute a deployment up to the moment that is looked at, or all of it."""
        try:
            timeline.look_ahead()
            post(MomentMade(timeline))
        except Exception as error:  # noqa: BLE001 - as above
            post(WalkFailed(error, generation))

    def check(self, world: World, post: Post) -> None:
        """Look for mistakes in a whole world."""
        from k8stui.check import check, nothing_found  # noqa: PLC0415 - after the first walk
        from k8stui.tui.findings import checkup  # noqa: PLC0415

        try:
            findings = check(world, self.paths)
            calm = "" if findings else nothing_found(world)
            post(Checked(world, checkup(world.cluster, findings, calm)))
        except Exception as error:  # noqa: BLE001 - a bug there must not take the walk away
            post(CheckFailed(error))

    def lines(self, place: Place, what: str, post: Post, *, values: bool = False) -> None:
        """Find the manifest lines around a place; `values`: with those of variables."""
        from k8stui.tui.source_lines import UnreadableError, lines_around  # noqa: PLC0415

        try:
            post(LinesFound(place, what, lines_around(place, values=values), values))
        except UnreadableError as error:
            post(LinesMissing(str(error)))

    def neighbours(self, world: World, key: str, post: Post) -> None:
        """Find who uses an object of the tree, and whom it uses: a second for 20,000 pods."""
        from k8stui.export.neighbours import around  # noqa: PLC0415 - only when asked for

        post(NeighboursFound(key, around(world, key)))

    def show_finding(self, world: World, finding: Finding, generation: int, post: Post) -> None:
        """Walk what a finding claims, to the step that decides."""
        from k8stui.kernel.exchange import Result  # noqa: PLC0415
        from k8stui.walk.request import parse_request  # noqa: PLC0415
        from k8stui.walk.walk import walks  # noqa: PLC0415

        assert finding.claim is not None
        try:
            request = parse_request(world, finding.claim.source, finding.claim.destination)
            traces = islice(walks(world, request), MOST_BRANCHES if finding.claim.some else 1)
            first = next(traces)
            failed = (t for t in (first, *traces) if t.outcome.result is not Result.CONNECTED)
            trace = next(failed, first)
            post(Walked(trace, generation, (trace.outcome.step or 1) - 1))
        except Exception as error:  # noqa: BLE001 - as above
            post(WalkFailed(error, generation))

    def branches(self, world: World, request: Request, generation: int, post: Post) -> None:
        """Walk every branch of a request, up to `MOST_BRANCHES`."""
        from k8stui.walk.walk import walks  # noqa: PLC0415

        try:
            found = tuple(islice(walks(world, request), MOST_BRANCHES + 1))
            capped = len(found) > MOST_BRANCHES
            post(Branched(found[:MOST_BRANCHES], capped, generation))
        except Exception as error:  # noqa: BLE001 - as above
            post(WalkFailed(error, generation))


def _called(names: Sequence[str]) -> str:
    """An input by the last part of its path; several by their number; none: nothing."""
    from k8stui.neutralise import neutralise  # noqa: PLC0415 - after the first frame

    if len(names) != 1:
        return f"{len(names)} inputs" if names else ""
    return neutralise(names[0].rstrip("/").rpartition("/")[2] or names[0])
