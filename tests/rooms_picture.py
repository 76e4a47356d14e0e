"""The picture of the rooms of the package: ``python tests/rooms_picture.py`` writes docs/images/rooms.svg."""

from pathlib import Path

import networkx as nx

from cuvee.graph.drawing.layered_svg import draw
from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode
from python_sources import ROOT, SOURCE, imports, python_files

PICTURE = ROOT / "docs" / "images" / "rooms.svg"
GROUND = "ground floor"
"""The box of the modules that are not in a folder, such as ``errors``."""


def room_of(module: str, package: Path = SOURCE) -> str:
    """Return the room of a dotted name such as ``cuvee.lock.solve``; empty for what is not in a room."""
    _, _, inside = module.partition("cuvee.")
    name = inside.split(".")[0]
    if not module.startswith("cuvee.") or name == "__main__":
        return ""
    return name if (package / name).is_dir() else GROUND


def room_imports(package: Path = SOURCE) -> set[tuple[str, str]]:
    """Return each pair of rooms of which the first imports the second."""
    pairs = set()
    for path in python_files(package):
        inside = path.relative_to(package).with_suffix("").as_posix().replace("/", ".")
        room = room_of(f"cuvee.{inside}", package)
        others = {room_of(module, package) for module in imports(path)}
        pairs |= {(room, other) for other in others - {room, ""} if room and inside != "__init__"}
    return pairs


def picture() -> str:
    """Return the SVG: an arrow for each import that does not follow from others."""
    graph: nx.DiGraph[str] = nx.DiGraph(sorted(room_imports()))
    graph.add_nodes_from(path.name for path in SOURCE.iterdir() if (path / "__init__.py").is_file())
    arrows = sorted(nx.transitive_reduction(graph).edges)
    nodes = [PictureNode(key=name, title=name, role="blessed") for name in sorted(graph)]
    links = [PictureArrow(source=source, target=target) for source, target in arrows]
    return draw(Picture(title="Which room imports which", nodes=tuple(nodes), links=tuple(links)))


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
