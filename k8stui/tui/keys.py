"""Every key, once: bindings with id, description and tooltip; help and footer are made of them.

Never bound: ctrl+b (tmux), ctrl+a (screen), ctrl+i, ctrl+m, ctrl+h, ctrl+j (tab, enter, backspace
and line feed in a terminal without the kitty protocol).
"""

from __future__ import annotations

from textual.binding import Binding


def _key(
    keys: str,
    action: str,
    description: str,
    tooltip: str,
    *,
    show: bool = False,
    display: str | None = None,
    priority: bool = False,
) -> Binding:
    return Binding(
        keys,
        action,
        description,
        show=show,
        key_display=display,
        priority=priority,
        tooltip=tooltip,
        id=action.removeprefix("app.")
        .replace("'", "")
        .replace("(", "-")
        .replace(")", "")
        .replace("_", "-"),
    )


_PLACES = {
    "F": ("fork", "To the rule where chance chose"),
    "X": ("failure", "To the step where the request failed"),
    "Y": ("reply", "To where the answer begins"),
    "D": ("destination", "To where the destination is rewritten (DNAT)"),
    "S": ("source", "To where the source is rewritten (SNAT): who is seen, and why"),
}
LANDMARKS = {key: name for key, (name, _) in _PLACES.items()}
"""Key → name of a place of the walk (walk/landmarks.py Landmark, in small letters)."""

STEPPING = (
    _key(
        "right,l,f8,pagedown",
        "step(1)",
        "step",
        "To the next step of the packet, from any pane",
        show=True,
        display="← →",
    ),
    _key("left,h,f7,pageup", "step(-1)", "step back", "To the previous step of the packet"),
    _key(
        "full_stop",
        "decision(1)",
        "decision",
        "To the next decision: chance, policy, mark, NAT, un-NAT, wrap, deliver, drop",
        show=True,
        display=", .",
    ),
    _key("comma", "decision(-1)", "decision back", "To the previous decision"),
    _key(
        "home,g",
        "first",
        "first step",
        "To the first step of the walk; in Nodes and Chain to the first row",
    ),
    _key(
        "end,G",
        "last",
        "last step",
        "To the last step: what the client feels; in Nodes and Chain to the last row",
    ),
    _key(
        "o",
        "go_to",
        "go to",
        "The places of this walk by name: chance, NAT, tunnel, failure, answer; and why",
        show=True,
    ),
    *(_key(key, f"landmark('{name}')", name, tooltip) for key, (name, tooltip) in _PLACES.items()),
    _key(
        "b",
        "branches",
        "branch",
        "Where chance decides: all ways it can go, with their probability",
        show=True,
    ),
    _key("r", "request", "request", "Ask something else: any source, any destination", show=True),
    _key("left_square_bracket,alt+left", "history(-1)", "back", "Back to the walk before"),
    _key("right_square_bracket,alt+right", "history(1)", "forward", "Forward again in the walks"),
)

PANES = (
    _key("tab", "next_pane(1)", "next pane", "To the next pane"),
    _key("shift+tab", "next_pane(-1)", "previous pane", "To the previous pane"),
    _key("1", "pane('nodes')", "Nodes", "To the Nodes pane: nodes, pods, containers, Services"),
    _key("2", "pane('layout')", "Layout", "To the Layout pane: the network, drawn"),
    _key("3", "pane('chain')", "Chain", "To the Chain pane: the rules that decide now"),
    _key("4", "pane('walk')", "Walk", "To the Walk pane: the steps, there and back"),
    _key("down,j", "cursor(1)", "down", "Down, inside the pane"),
    _key("up,k", "cursor(-1)", "up", "Up, inside the pane"),
    _key("ctrl+d", "page(1)", "half a page down", "Down half a page, inside the pane"),
    _key("ctrl+u", "page(-1)", "half a page up", "Up half a page, inside the pane"),
    _key("enter", "into", "in", "Open a row, unfold a chain, follow a jump, walk a request"),
    _key("escape", "out", "out", "Back out one level: search, zoom, an opened chain or row"),
    _key("z,backslash", "zoom", "zoom", "The pane alone on the screen, and back", show=True),
)

MOMENT = (
    _key(
        "s",
        "commands",
        "commands",
        "The commands that show this step on a real node; y copies one",
        show=True,
    ),
    _key("e", "in_full", "in full", "All that is said of this step, and of what comes of the walk"),
    _key("c", "conntrack", "conntrack", "The conntrack tables at this step, as conntrack -L shows"),
    _key(
        "R",
        "tables",
        "routes",
        "Routes, neighbours and FDB where the packet is, as Linux prints them; lit: what decided",
    ),
)

TOOLS = (
    _key(
        "slash",
        "find",
        "find",
        "Find as you type: text, ^pattern$, !not, -l app=web in Nodes; n and N go on",
        display="/",
        # Done before the next key is looked at: letters that were typed ahead belong to the find.
        priority=True,
    ),
    _key("n", "find_next(1)", "find next", "To the next place found"),
    _key("N", "find_next(-1)", "find previous", "To the previous place found"),
    _key("m", "manifest", "manifest", "The manifest lines behind what is selected"),
    _key("x", "neighbours", "who uses whom", "Who uses the selected object, and whom it uses"),
    _key("y", "copy", "copy", "Copy the selected row, as Linux prints it, to the clipboard"),
    _key(
        "w",
        "compare",
        "compare",
        "The ways of access in a table, what ifs, branches, nodes, modes; two side by side",
        show=True,
    ),
    _key(
        "v",
        "reach",
        "reach",
        "Who reaches whom: all pairs as a map to move in; Enter walks a cell, Esc leads back to it",
        show=True,
    ),
    _key("W", "write", "write", "Write the walk as text to a file in this folder"),
    _key(
        "i",
        "what_if",
        "what if",
        "What if a setting were another one: the same request under each, in a table",
        show=True,
    ),
    _key("u", "undo", "undo what-if", "Back to the world, and the step, before the last what-if"),
    _key("f", "findings", "findings", "What the check found; Enter walks what shows it"),
    _key(
        "exclamation_mark",
        "problems",
        "problems",
        "What is wrong with the input, what was left out",
    ),
)

STORY = (
    _key(
        "p",
        "present",
        "story",
        "Story mode, for a stage: the decisions, one drawing, one sentence; and back",
    ),
    _key("space", "play", "play", "In story mode play or pause; else to the next step"),
    _key("plus,equals_sign", "pace(1)", "faster", "Play faster"),
    _key("minus", "pace(-1)", "slower", "Play slower"),
    _key(
        "t",
        "replay",
        "replay",
        "The deployment replayed, object by object, the request asked at each; and back",
        show=True,
    ),
    _key("greater_than_sign", "moment(1)", "next object", "Replay: the next object is applied"),
    _key("less_than_sign", "moment(-1)", "object before", "Replay: back to the object before"),
    _key("a", "gains", "what it adds", "Replay: all that this object adds, to each node"),
    _key("d", "change", "delete, scale", "Replay: delete or scale an object, as the next step"),
    _key(
        "O",
        "order",
        "order",
        "Replay: objects as the files have them, or so that each finds what it needs",
    ),
)

LEAVING = (
    _key(
        "colon",
        "palette",
        "command",
        "Every command by name (also ctrl+p); svc, pod, node, chain NAME, walk A -> B",
        display=":",
    ),
    _key("question_mark,f1", "help", "help", "All keys", show=True, display="?"),
    _key(
        "q,ctrl+q,ctrl+c",
        "app.leave",
        "quit",
        "Leave; nothing was changed: k8stui only reads",
        show=True,
    ),
    _key("ctrl+z", "suspend", "suspend", "Back to the shell; fg returns"),
)

TOUR = (
    _key(
        "space,right,pagedown",
        "position(1)",
        "on",
        "To the tour's next position; a clicker's key too",
    ),
    _key("left,pageup", "position(-1)", "back", "To the tour's previous position"),
    _key("0", "position(0)", "to the tour", "Back to the tour, from wherever one looked around"),
)
"""Of ``k8stui present``, before those of the same key; l and h still step."""

COMPARED = {
    "ways": "the ways of access of the Service, from every side",
    "settings": "settings, one turned at a time",
    "branches": "the branches of chance",
    "entry nodes": "entry nodes under both policies",
    "proxy modes": "kube-proxy's modes",
    "plug-ins": "network plug-ins",
    "versions": "two inputs, before and after a change",
}
"""What can be compared (walk/comparisons.py Kind), and what it is."""

_IN_FRONT = (
    _key("question_mark,f1", "help", "help", "All keys"),
    _key("ctrl+q,ctrl+c", "app.leave", "quit", "Leave k8stui"),
)
"""Of every screen that takes the workbench's place."""

COMPARE = (
    _key(
        "right,l,space,f8",
        "step(1)",
        "step both",
        "Two walks: both to their next step; in the table: the next column",
        show=True,
        display="← →",
    ),
    _key("left,h,f7", "step(-1)", "step both back", "Both a step back; in the table: a column"),
    _key("down,j", "move(1)", "case", "In the table: the next row; behind the last the first"),
    _key("up,k", "move(-1)", "case before", "In the table: the row before"),
    _key(
        "full_stop",
        "difference(1)",
        "next ≠",
        "To the next difference: of two walks, or case of the table",
    ),
    _key("comma", "difference(-1)", "≠ before", "To the difference before"),
    _key("home,g", "end(-1)", "first", "To the first row, or the first step"),
    _key("end,G", "end(1)", "last", "To the last row, or the last step: what the clients feel"),
    _key("d", "draw", "drawings", "Two walks: with both drawings, or the steps alone"),
    _key("enter", "into", "two walks", "From the table to two walks; from there to the workbench"),
    _key("o", "open", "open", "Take the case under the cursor to the workbench"),
    _key(
        "slash",
        "filter",
        "filter",
        "In the table: rows that hold text, ^pattern$, !not, -l app=web of who answers",
    ),
    _key("a", "against", "other input", "Name another input to compare with: a path"),
    _key("exclamation_mark", "problems", "problems", "What is wrong with the inputs"),
    _key("tab", "kind(1)", "next table", "The next kind of table"),
    _key("shift+tab", "kind(-1)", "table before", "The kind of table before"),
    *(
        _key(str(n), f"table({n})", name, f"Compare {said}")
        for n, (name, said) in enumerate(COMPARED.items(), start=1)
    ),
    _key("escape,q", "out", "back", "From two walks to the table, from there to the workbench"),
    *_IN_FRONT,
)
"""Of the compare screen."""

REACH = (
    _key("down,j", "move(1, 0)", "down", "To the next who asks", show=True),
    _key("up,k", "move(-1, 0)", "up", "To the one before"),
    _key("right,l", "move(0, 1)", "right", "To the next who is asked"),
    _key("left,h", "move(0, -1)", "left", "To the one before"),
    _key("pagedown,ctrl+d", "page(1)", "page down", "Down a page"),
    _key("pageup,ctrl+u", "page(-1)", "page up", "Up a page"),
    _key("home", "move(0, -1000000000)", "first", "To the first who is asked"),
    _key("end", "move(0, 1000000000)", "last", "To the last who is asked"),
    _key("g", "move(-1000000000, 0)", "top", "To the first who asks"),
    _key("G", "move(1000000000, 0)", "bottom", "To the last who asks"),
    _key("full_stop", "failure(1)", "next that fails", "To the next cell that is not connected"),
    _key("comma", "failure(-1)", "that fails before", "To the one before"),
    _key("enter,o", "open", "walk", "Walk this pair on the workbench; Esc there leads back here"),
    _key(
        "space,r", "toggle_row", "unfold row", "Unfold those who ask in this row; fold them again"
    ),
    _key("c", "toggle_column", "unfold column", "Unfold those who are asked here; fold them again"),
    _key("f", "fold", "fold", "Fold by workload, whatever is alike, or nothing"),
    _key(
        "slash",
        "filter",
        "filter",
        "Who asks -> who is asked: text, ^pattern$, !not, -l app=web on either side",
    ),
    _key("escape,q,v", "out", "back", "All again; back to the workbench; end the work"),
    *_IN_FRONT,
)
"""Of the map of who reaches whom."""

Group = tuple[str, tuple[Binding, ...]]
"""Heading and keys."""

GROUPS: tuple[Group, ...] = (
    ("Through the walk", STEPPING),
    ("At this step", MOMENT),
    ("Story and replay", STORY),
    ("Panes", PANES),
    ("Tools", TOOLS),
    ("Comparing (after w)", COMPARE),
    ("Who reaches whom (after v)", REACH),
    ("Leaving", LEAVING),
)

ALL: tuple[Binding, ...] = tuple(
    binding for _, group in GROUPS if group not in (COMPARE, REACH) for binding in group
)

FOOTER: tuple[Binding, ...] = tuple(binding for binding in ALL if binding.show)

FIRST_TO_GO = ("reach", "commands", "zoom", "branches", "decision-1", "replay", "what-if")
"""Ids of what the footer leaves out where it is narrow, the first one first.

The last ones go only where findings have to be told of in 80 columns.
"""

_NAMES = {
    "right": "→",
    "left": "←",
    "up": "↑",
    "down": "↓",
    "full_stop": ".",
    "comma": ",",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "alt+left": "Alt+←",
    "alt+right": "Alt+→",
    "backslash": "\\",
    "colon": ":",
    "question_mark": "?",
    "exclamation_mark": "!",
    "escape": "Esc",
    "pagedown": "PageDown",
    "pageup": "PageUp",
    "enter": "Enter",
    "space": "Space",
    "plus": "+",
    "equals_sign": "=",
    "minus": "-",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
}


def key_names(binding: Binding) -> str:
    """All keys of a binding, as they stand on a keyboard."""
    return "  ".join(_name(key) for key in binding.key.split(","))


def _name(key: str) -> str:
    return _NAMES.get(key, key.upper() if key[:1] == "f" and key[1:].isdigit() else key)


def first_name(binding: Binding) -> str:
    """The first key of a binding, as it stands on a keyboard."""
    return _name(binding.key.split(",")[0])


def footer_name(binding: Binding) -> str:
    """How the footer writes a key."""
    return binding.key_display or first_name(binding)
