"""The dumps of real nodes that options name, or that lie beside the input: files are read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from k8stui.errors import K8sTuiError
from k8stui.kernel import ipset, save
from k8stui.kernel.nft.compatible import IP_VERSIONS, of_iptables, own
from k8stui.kernel.nft_ruleset import NftRuleset
from k8stui.kernel.rules import Ruleset
from k8stui.manifests import folders
from k8stui.nodes.errors import ObservedFileError
from k8stui.nodes.observed import ObservedNode, SeenNode
from k8stui.nodes.options import NodeOptions
from k8stui.nodes.state.collected import CollectedNode
from k8stui.nodes.state.nftables import parse_nft
from k8stui.nodes.state.parsing import (
    as_one,
    parse_failed,
    parse_fdb,
    parse_interfaces,
    parse_neighbours,
    parse_policy_rules,
    parse_routes,
    parse_rulesets,
    parse_tracked,
)
from k8stui.nodes.state.settings import parse_sysctls
from k8stui.settings import (
    CONNTRACK,
    FDB,
    IP_ADDR,
    IP_NEIGH,
    IP_ROUTE,
    IP_RULE,
    IPSET,
    IPTABLES,
    NFT,
    SYSCTL,
)

_T = TypeVar("_T")

_Said = Mapping[str, object]
"""Fields of an `ObservedNode`."""


def _rules(text: str, file: str) -> _Said:
    said = tuple(said for _, said in save.remarks(text))
    return {"rulesets": parse_rulesets(text, file), "remarks": said}


_READERS: Mapping[str, tuple[str, Callable[[str, str], _Said]]] = {
    IPTABLES.name: (IPTABLES.flag, _rules),
    IPSET.name: (IPSET.flag, lambda text, _: {"sets": ipset.parse(text)}),
    IP_ADDR.name: (IP_ADDR.flag, lambda *given: {"interfaces": parse_interfaces(*given)}),
    IP_ROUTE.name: (IP_ROUTE.flag, lambda *given: {"routes": parse_routes(*given)}),
    IP_RULE.name: (
        IP_RULE.flag,
        lambda text, file: {"policy_rules": as_one({4: parse_policy_rules(text, file, 4)})},
    ),
    IP_NEIGH.name: (
        IP_NEIGH.flag,
        lambda *given: {"neighbours": parse_neighbours(*given), "failed": parse_failed(*given)},
    ),
    FDB.name: (FDB.flag, lambda *given: {"fdb": parse_fdb(*given)}),
    SYSCTL.name: (SYSCTL.flag, lambda *given: {"sysctls": parse_sysctls(*given)}),
    CONNTRACK.name: (CONNTRACK.flag, lambda *given: {"tracked": parse_tracked(*given)}),
    NFT.name: (NFT.flag, lambda *given: {"nft": parse_nft(*given)}),
}
"""What the output of one command says, by the option that names its file."""


def read_observed(options: NodeOptions) -> Mapping[str, SeenNode]:
    """Read every dump that `options` names; a node's whole state when somebody asks for it.

    What the dump of a single command says comes before what the state does.

    Raises:
        ObservedFileError: one of them cannot be read.

    """
    said: dict[str, dict[str, Any]] = {}
    for name, (flag, parse) in _READERS.items():
        for node, file in getattr(options, name).items():
            said.setdefault(node, {}).update(_read(flag, file, parse))
    for node, fields in said.items():
        if NFT.name in fields:
            fields.update(_beside_iptables(fields[NFT.name], fields, node in options.state))
    found: dict[str, SeenNode] = {node: ObservedNode(**fields) for node, fields in said.items()}
    for node, file in options.state.items():
        found[node] = CollectedNode(file, said.get(node, {}))
    return found


def _beside_iptables(listed: NftRuleset, said: _Said, has_state: bool) -> _Said:
    """Tables of iptables-nft in a listing: iptables-save's word counts, where there is one."""
    made = of_iptables(listed)
    if not made or has_state or "rulesets" in said:
        return {"nft": own(listed)}
    return {"rulesets": {IP_VERSIONS[table.family]: Ruleset() for table in made}}


def _read(option: str, file: str, parse: Callable[[str, str], _T]) -> _T:
    try:
        return parse(folders.read(file).decode("utf-8"), file)
    except OSError as error:
        raise ObservedFileError(option, file, None, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ObservedFileError(option, file, line, "it is not text (UTF-8)") from error
    except save.SaveError as error:
        message = f"{error.message}: {error.line}"
        raise ObservedFileError(option, file, error.line_number, message) from error
    except ipset.IpsetError as error:
        raise ObservedFileError(option, file, error.line, error.args[0]) from error
    except K8sTuiError as error:
        raise ObservedFileError(option, file, getattr(error, "line", None), str(error)) from error
    except ValueError as error:
        raise ObservedFileError(option, file, None, str(error)) from error
