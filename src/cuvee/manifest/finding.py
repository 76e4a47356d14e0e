"""Looking into a stated tree: what is bad or absent is passed over, so that checks do not cascade."""

from collections.abc import Iterator

from cuvee.manifest.stating import Entry, Items, Leaf, Stated, Table


def entry_at(tree: Stated, *path: str) -> Entry | None:
    """Give the entry at a path of keys."""
    entry: Entry | None = None
    for name in path:
        if not isinstance(tree, Table) or name not in tree.entries:
            return None
        entry = tree.entries[name]
        tree = entry.value
    return entry


def leaf_at(tree: Stated, *path: str) -> Leaf | None:
    """Give the single value at a path of keys; an explicit ``null`` counts as absent."""
    entry = entry_at(tree, *path)
    return entry.value if entry and isinstance(entry.value, Leaf) and entry.value.value is not None else None


def text_at(tree: Stated, *path: str) -> str | None:
    """Give the text at a path of keys."""
    leaf = leaf_at(tree, *path)
    return None if leaf is None else str(leaf.value)


def entries_at(tree: Stated, *path: str) -> Iterator[tuple[str, Entry]]:
    """Go through the entries of the mapping at a path of keys."""
    entry = entry_at(tree, *path) if path else None
    table = entry.value if entry else tree
    if isinstance(table, Table) and (entry or not path):
        yield from table.entries.items()


def items_at(tree: Stated, *path: str) -> Iterator[Stated]:
    """Go through the list at a path of keys."""
    entry = entry_at(tree, *path)
    if entry and isinstance(entry.value, Items):
        yield from entry.value.items


def leaves_at(tree: Stated, *path: str) -> Iterator[Leaf]:
    """Go through the good single values of the list at a path of keys."""
    for item in items_at(tree, *path):
        if isinstance(item, Leaf):
            yield item
