"""Which records are the newest of their name."""

from cuvee.conda.match_spec import read_version
from cuvee.graph.solving.pool import Pool


def newest(pool: Pool) -> frozenset[int]:
    """Return the records of each name's highest version, of these the ones with the highest build number.

    There are several if there is a build for each of several Pythons. Virtual packages are left out.
    """
    found: set[int] = set()
    for numbers in pool.by_name.values():
        real = [number for number in numbers if not pool[number].is_virtual]
        if not real:
            continue
        highest = max(filter(None, {read_version(pool[number].version) for number in real}))
        of_highest = [number for number in real if read_version(pool[number].version) == highest]
        build = max(pool[number].build_number for number in of_highest)
        found.update(number for number in of_highest if pool[number].build_number == build)
    return frozenset(found)
