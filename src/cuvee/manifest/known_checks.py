"""The identifiers of all checks, which manifests name: a test compares them with the checks themselves.

They are stated here because the loader says with a position which check does not exist, and knows no checks.
"""

CHECKS = (
    "duplicates",
    "metadata",
    "closure",
    "floor",
    "constrains",
    "cycles",
    "mutexes",
    "track-features",
    "constraints",
    "licenses",
    "unknown-licenses",
    "owners",
    "origin",
    "age",
    "changes",
    "corrections",
    "withdrawn",
    "parity",
    "absent-platform",
    "timestamps",
    "archives",
    "record",
    "wheel-format",
    "file-clashes",
    "python-distributions",
    "file-case",
    "file-names",
    "path-lengths",
    "links",
    "link-scripts",
    "libraries",
    "symbol-versions",
    "search-paths",
    "machines",
    "system-floor",
    "tested",
)
"""In the order in which findings are shown."""
