"""What of this code's own stays in the prefix, for its uninstaller and its command."""

from __future__ import annotations

KEPT = "conda-meta/cuvee"
"""Where this code and the runtime are."""

STATE = f"{KEPT}/windows.json"
"""What must be known later: scope, registry keys, PATH entries, folders for shortcuts, stage 0's files."""

INSTALLER = f"{KEPT}/installer.exe"
"""The installer itself, where it is kept for repairs."""
