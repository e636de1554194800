"""One collected node: its root namespace, the others there, and the cables between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from types import MappingProxyType

from k8stui.kernel.ipset import IpSet
from k8stui.kernel.namespace import LinkKind
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.rules import Ruleset
from k8stui.manifests import folders
from k8stui.nodes.errors import ObservedFileError
from k8stui.nodes.observed import ROOT, End, Unread
from k8stui.nodes.state import bundle, kubeskoop
from k8stui.nodes.state.space import CollectedSpace, Link
from k8stui.nodes.state.stream import Section, beginning, is_stream, sections
from k8stui.settings import STATE

_BEGINNING = 1 << 19
"""Bytes: a node of 250 pods has 200 kB of devices, routes and neighbours."""


class CollectedNode(CollectedSpace):
    """What a stream says of a node: a `SeenNode`, read when something of it is asked for."""

    def __init__(self, file: str, said: Mapping[str, object] = MappingProxyType({})) -> None:
        """`said`: fields that dumps of single commands say, which count first."""
        super().__init__(ROOT)
        self._file = file
        self._said = said
        self.__dict__.update(said)  # a cached property looks here first
        if "interfaces" in said:
            self.__dict__["devices"] = said["interfaces"]

    @cached_property
    def _all_sections(self) -> Mapping[str, Mapping[str, Section]]:
        with self._reading():
            if self._is_folder:
                return bundle.sections(self._file)
            text = folders.read(self._file).decode(errors="surrogateescape")
        if kubeskoop.is_kubeskoop(text):
            try:
                return kubeskoop.sections(text, self._file)
            except ValueError as error:
                raise ObservedFileError(STATE.flag, self._file, None, str(error)) from error
        if not is_stream(text):
            message = (
                "not what k8stui collect writes (sections of `@ NAMESPACE COMMAND`); "
                "run on the node: k8stui collect --print-script | sudo sh"
            )
            raise ObservedFileError(STATE.flag, self._file, 1, message)
        return sections(text, self._file)

    @cached_property
    def _first_sections(self) -> Mapping[str, Mapping[str, Section]]:
        """Those at the beginning, where the root namespace's devices and routes stand.

        What lies between the nodes rests on these, so they are read of every node; all else only
        when a walk gets there.
        """
        with self._reading():
            if self._is_folder:
                return {}
            # The last section is cut off, so what is cut off within a character is left out.
            text = folders.beginning(self._file, _BEGINNING).decode(errors="surrogateescape")
            return sections(beginning(text), self._file)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What is wrong with the file becomes one error."""
        file = self._file
        try:
            yield
        except OSError as error:
            raise ObservedFileError(STATE.flag, file, None, error.strerror or str(error)) from error

    @property
    def sections(self) -> Mapping[str, Section]:
        return self._all_sections.get(ROOT, {})

    def _section(self, command: str) -> Section | None:
        if "_all_sections" not in self.__dict__:
            found = self._first_sections.get(ROOT, {}).get(command)
            if found is not None:
                return found
        return self.sections.get(command)

    @cached_property
    def _is_folder(self) -> bool:
        return folders.is_folder(self._file)

    @cached_property
    def is_whole(self) -> bool:
        layout = bundle.layout_of(self._file) if self._is_folder else None
        return layout is None or layout.is_whole

    def with_rules(
        self, rules: Mapping[int, Ruleset], sets: Mapping[str, IpSet], nft: NftRuleset | None
    ) -> CollectedNode:
        """The same node with other rules of iptables, by IP version, more sets, other tables."""
        said = {
            "rulesets": {**self.rulesets, **rules},
            "sets": {**sets, **self.sets},
            "nft": nft or self.nft,
        }
        found = CollectedNode(self._file, {**self._said, **said})
        found._all_sections = self._all_sections  # read once
        return found

    @cached_property
    def pods(self) -> Mapping[str, CollectedSpace]:
        """The other namespaces by name, those that could be entered."""
        return {
            name: CollectedSpace(name, found)
            for name, found in self._all_sections.items()
            if name != ROOT and name not in self.shut
        }

    @cached_property
    def shut(self) -> tuple[str, ...]:
        return tuple(
            name
            for name, found in self._all_sections.items()
            if name != ROOT and all(one.failure or not one.text for one in found.values())
        )

    @property
    def unread(self) -> tuple[Unread, ...]:
        spaces: Iterable[CollectedSpace] = self.__dict__.get("pods", {}).values()
        return (*super().unread, *(one for space in spaces for one in space.unread))

    @cached_property
    def cables(self) -> Mapping[End, End]:
        """Both ends of each cable of which both were seen."""
        spaces = [self, *self.pods.values()]
        by_index = {space.name: {link.index: link for link in space.links} for space in spaces}
        found: dict[End, End] = {}
        for space in spaces:
            cards = {one.name for one in space.interfaces or () if one.kind is LinkKind.VETH}
            for link in space.links:
                if link.name in cards:
                    for far, name in _far_ends(space, link, by_index):
                        found[space.name, link.name] = (far, name)
        # A cable has two ends that name each other.
        return {one: other for one, other in found.items() if found.get(other) == one}


def _far_ends(
    space: CollectedSpace, link: Link, by_index: Mapping[str, Mapping[int, Link]]
) -> Iterator[tuple[str, str]]:
    """The device that a link names as its other end: (namespace, device); none where it is unseen.

    By name within a namespace; else by its index in the namespace that this one's number for it
    names. Where the number has no name, by the one device that names this one's index in turn.
    """
    if link.far_name is not None:
        yield space.name, link.far_name
        return
    if link.far is None:
        return
    named = space.names.get(link.far_namespace) if link.far_namespace is not None else None
    if named is not None:
        if link.far in by_index.get(named, {}):
            yield named, by_index[named][link.far].name
        return
    candidates = [
        (name, links[link.far].name)
        for name, links in by_index.items()
        if name != space.name and link.far in links and links[link.far].far == link.index
    ]
    # A pod's cable leads to the node; the numbers of two pods' devices are often the same.
    roots = [one for one in candidates if one[0] == ROOT]
    if len(roots or candidates) == 1:
        yield (roots or candidates)[0]
