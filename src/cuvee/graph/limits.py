"""What no well-meant match spec exceeds; beyond it rattler's parser overflows its stack: the process ends."""

LONGEST = 10_000
DEEPEST = 100


def is_endless(text: str) -> bool:
    """Whether a match spec is longer, or may be nested deeper, than anybody could mean."""
    return len(text) > LONGEST or text.count("(") > DEEPEST
