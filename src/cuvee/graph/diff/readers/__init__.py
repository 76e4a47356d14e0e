"""Readers of everything that can be compared: manifests, locks, release folders, lists, environments."""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.graph.diff.readers.any_input import read_requirements, read_snapshot
    from cuvee.graph.diff.readers.input_kinds import InputKind, kind_of

__all__ = ["InputKind", "kind_of", "read_requirements", "read_snapshot"]
__getattr__ = lazy_names(
    __name__,
    {"any_input": ("read_requirements", "read_snapshot"), "input_kinds": ("InputKind", "kind_of")},
)
