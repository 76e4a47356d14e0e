"""The Python distributions of a package, by the metadata that it installs into `site-packages`.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import re
from email.parser import BytesHeaderParser

from packaging.utils import canonicalize_name

from cuvee.channel.inspection.model import PythonDistribution
from cuvee.conda.printable_text import printable
from cuvee.conda.project_links import links_of_metadata

_METADATA = re.compile(
    r"(?:[^/]+/){0,3}site-packages/[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info)"
)


def distribution_of(path: str, head: bytes) -> PythonDistribution | None:
    """Return the distribution that a file is the metadata of; `None` for any other file.

    ``head`` is the file's beginning, which has the name and the version.
    """
    if _METADATA.fullmatch(path) is None:
        return None
    message = BytesHeaderParser().parsebytes(head)
    name, version = (printable(str(message.get(key, "")).strip()) for key in ("Name", "Version"))
    if not name:
        return None
    links = links_of_metadata(message)
    return PythonDistribution(name=canonicalize_name(name), version=version, path=path, links=links)
