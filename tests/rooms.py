"""The rooms of the package, as CONTRIBUTING lists them, what each imports, and a picture of that.

``python tests/rooms.py`` writes docs/images/rooms.svg.
"""

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import networkx as nx

from cuvee.graph.drawing.layered_svg import draw
from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode
from docs_text import table, unmarked
from python_sources import ROOT, SOURCE, imports, python_files

PICTURE = ROOT / "docs" / "images" / "rooms.svg"
ROOMS = tuple(unmarked(row[0]) for row in table(ROOT / "CONTRIBUTING.md", "Room"))
"""The rooms in their order: each imports only those before it."""
_GROUND = "ground floor"


def room_of(path: str) -> str | None:
    """Return the room that a path in the package belongs to: the longest name that it begins with."""
    found = [room for room in ROOMS if path == room or path.startswith(f"{room}/")]
    return max(found, key=len, default=None)


def room_imports() -> Iterator[tuple[Path, str, str]]:
    """Yield each file in a room with its room, and a room that it imports."""
    for path in python_files():
        room = room_of(path.relative_to(SOURCE).with_suffix("").as_posix())
        for module in imports(path) if room is not None else ():
            known = room_of(module.removeprefix("cuvee.").replace(".", "/")) if "cuvee." in module else None
            if room is not None and known is not None and known != room:
                yield path, room, known


def picture() -> str:
    """Return an SVG with an arrow for each import that does not follow from others.

    The modules before the first folder are one box.
    """
    ground = set(takewhile(lambda room: (SOURCE / f"{room}.py").is_file(), ROOMS))
    shown = {room: _GROUND if room in ground else room for room in ROOMS}
    pairs = {(shown[room], shown[known]) for _, room, known in room_imports()}
    graph: nx.DiGraph[str] = nx.DiGraph(sorted(pair for pair in pairs if pair[0] != pair[1]))
    edges = sorted(nx.transitive_reduction(graph).edges)
    nodes = [PictureNode(key=name, title=name, role="requested") for name in dict.fromkeys(shown.values())]
    arrows = [PictureArrow(source=source, target=target) for source, target in edges]
    return draw(Picture(title="Which room imports which", nodes=tuple(nodes), arrows=tuple(arrows)))


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
