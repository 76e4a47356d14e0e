"""CI systems as data: their machines, by platform, and the actions that are used, by commit."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSystem:
    """One CI system.

    Attributes
    ----------
    name
        As the command line and the template call it.
    title
        For people.
    path
        Where the file belongs, below the root of the repository; ``{distribution}`` is replaced.
    machines
        The label or tag of the hosted machine for each platform.
    no_machine
        Why there is none for a platform.
    """

    name: str
    title: str
    path: str
    machines: Mapping[str, str]
    no_machine: Mapping[str, str] = field(default_factory=dict)


GITHUB = CiSystem(
    name="github",
    title="GitHub Actions",
    path=".github/workflows/cuvee-{distribution}.yml",
    # https://docs.github.com/en/actions/reference/runners/github-hosted-runners
    machines={
        "linux-64": "ubuntu-24.04",
        "linux-aarch64": "ubuntu-24.04-arm",
        "osx-64": "macos-15-intel",
        "osx-arm64": "macos-15",
        "win-64": "windows-2025",
    },
)

GITLAB = CiSystem(
    name="gitlab",
    title="GitLab CI/CD",
    path=".gitlab-ci.yml",
    # https://docs.gitlab.com/ci/runners/hosted_runners/
    machines={
        "linux-64": "saas-linux-small-amd64",
        "linux-aarch64": "saas-linux-small-arm64",
        "osx-arm64": "saas-macos-medium-m1",
        "win-64": "saas-windows-medium-amd64",
    },
    no_machine={"osx-64": "GitLab has no hosted Macs with Intel processors"},
)

SYSTEMS = {system.name: system for system in (GITHUB, GITLAB)}

ACTIONS = {
    "checkout": ("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "setup-python": ("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "upload-artifact": ("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "download-artifact": ("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
}
"""The commit and the tag of each action of the organisation ``actions``; a tag can be moved."""

CUTS_ON = "linux-64"
"""The platform of the machine that cuts."""

PROGRAMS = {"exe": ("nsis",), "msi": ("msitools", "wixl")}
"""The packages of Debian and Ubuntu with which Linux makes a format."""
