"""Explicit lists: the archives of one platform, as ``conda create --file`` takes them.

Format: https://github.com/conda/ceps/blob/main/cep-0023.md
"""

from collections.abc import Iterable, Sequence

from cuvee.conda.package_record import LockedPackage


def explicit_list(
    packages: Iterable[LockedPackage], platform: str, *, comments: Sequence[str], release: str
) -> str:
    """Return the list of the archives' URLs.

    Parameters
    ----------
    comments
        The first lines, without ``#``.
    release
        The URL or path of the release folder, to which those of the release's own channel are relative.
    """
    lines = [*(f"# {comment}" for comment in comments), f"# platform: {platform}", "@EXPLICIT"]
    for package in packages:
        url = f"{release}/{package.url}" if package.is_local else package.url
        # conda checks the MD5 behind the hash sign.
        lines.append(f"{url}#{package.md5}" if package.md5 else url)
    return "\n".join(lines) + "\n"
