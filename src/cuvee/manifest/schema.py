"""The schema of manifests, declared once: every key, what it means, its form, default and an example."""

from cuvee.errors import ManifestError
from cuvee.manifest import value_parsers as parsers
from cuvee.manifest.approval_schema import APPROVALS
from cuvee.manifest.approval_schema import EXAMPLE as APPROVAL_EXAMPLE
from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    MapType,
    Property,
    RecordType,
    ScalarType,
)
from cuvee.manifest.inclusion_schema import DEPRECATED, INCLUSION_POLICY, OWNER_KEYS
from cuvee.manifest.model import Track
from cuvee.manifest.patched_schema import PATCHED
from cuvee.manifest.scalar_types import (
    BUILD_STRING,
    DATE,
    DAYS,
    PACKAGE_NAME,
    PLATFORM,
    PLATFORM_LIST,
    PLATFORM_SYNONYMS,
    SPDX_LICENSE,
    SYSTEM_VERSION,
    VERSION_RANGE,
    WEB_ADDRESS,
    choice_type,
    label_type,
    prose_type,
)
from cuvee.platforms import DEFAULT_FLOOR, FLOOR_KEYS, PLATFORMS, SYSTEM_SYNONYMS, SYSTEMS, System

PATCH_CHANGES = ("upgrade", "rebuild", "add", "remove", "downgrade", "major")
"""Kinds of change between a release and its base."""

SEVERITIES = ("info", "warning", "needs-approval", "blocked")
"""The worst verdicts that a manifest may set for the findings of a check."""

FORMATS: dict[System, tuple[str, ...]] = {"linux": ("sh",), "osx": ("pkg", "sh"), "win": ("exe", "msi")}
"""Installer formats that exist for each system."""

ENGINES = ("cuvee", "constructor")
"""What can make installers."""

DELTAS = ("none", "base")
"""The releases from which deltas are made."""

DEFAULT_FORMATS: dict[System, tuple[str, ...]] = {"linux": ("sh",), "osx": (), "win": ()}


def _version_floor(name: str, system: System, summary: str) -> Property:
    default = f'"{DEFAULT_FLOOR[system][name]}"'
    return Property(
        name=name, type=SYSTEM_VERSION, example=default, summary=summary, default_text=f"`{default}`"
    )  # fmt: skip


_FLOORS = {
    "glibc": _version_floor("glibc", "linux", "The oldest GNU C library."),
    "linux": _version_floor("linux", "linux", "The oldest Linux kernel."),
    "osx": _version_floor("osx", "osx", "The oldest macOS."),
    "win": _version_floor("win", "win", "The oldest Windows."),
    "cuda": Property(
        name="cuda", type=SYSTEM_VERSION, example='"12.4"',
        summary="The oldest CUDA driver; without it, packages that need CUDA cannot be chosen.",
    ),
    "archspec": Property(
        name="archspec", type=label_type("a processor family", "x86_64_v3"), example="x86_64_v3",
        summary="The oldest processor family, as archspec names it.",
    ),
}  # fmt: skip


PLATFORM_FLOORS: dict[System, RecordType] = {
    system: RecordType(
        noun="a floor",
        example="{archspec: x86_64_v3}",
        keys=tuple(_FLOORS[floor] for floor in FLOOR_KEYS[system]),
    )
    for system in SYSTEMS
}
"""The floors that a platform of each system may state."""


def _platform_key(name: str, system: System) -> Property:
    keys = (
        Property(
            name="floor", type=PLATFORM_FLOORS[system], default_text="of its system",
            example="{archspec: x86_64_v3}",
            summary="The oldest system that the release supports; other keys have cuvee's defaults.",
        ),
        Property(
            name="absent", type=prose_type("a reason", "no channel carries an interpreter for it"),
            example='"no channel carries an interpreter for it"',
            summary="Why the release leaves this platform out. With it, nothing is made for the platform.",
        ),
    )  # fmt: skip
    return Property(
        name=name, type=RecordType(noun="a platform's settings", example="{}", keys=keys), example="{}",
        summary=f"{PLATFORMS[name].title}.", default_text="not part of the release",
    )  # fmt: skip


_PLATFORMS = RecordType(
    noun="a mapping of platforms", example="{linux-64: {}}", key_noun="platform", same_values=True,
    synonyms=PLATFORM_SYNONYMS,
    keys=tuple(_platform_key(name, platform.system) for name, platform in PLATFORMS.items()),
)  # fmt: skip

_VERSION_KEYS = (
    Property(
        name="version", type=VERSION_RANGE, default="*", example='">=2.4,<2.5"',
        summary="The versions that may be chosen.",
    ),
    Property(name="build", type=BUILD_STRING, example='"py311h*_0"',
        summary="The builds that may be chosen."),
)  # fmt: skip

_PACKAGE_ENTRY = RecordType(
    noun="a package", example='{version: ">=2.4,<2.5", owner: numerics}',
    shorthand="version",
    keys=(
        *_VERSION_KEYS,
        Property(
            name="owner", type=label_type("an owner", "numerics"), example="numerics",
            summary="Who acts on findings about it: a key of `owners`.",
        ),
        Property(
            name="groups", default=[], example="[core]", summary="Free labels that select parts of the set.",
            type=ListType(noun="a list of labels", example="[core]", item=label_type("a label", "core")),
        ),
        Property(
            name="platforms", example="[win-64]", default_text="all platforms of the release",
            summary="The platforms that it belongs to.",
            type=PLATFORM_LIST,
        ),
        DEPRECATED,
    ),
)  # fmt: skip

_CONSTRAINT = RecordType(noun="a constraint", example='">=3.0.15"', shorthand="version", keys=_VERSION_KEYS)


def _formats(system: System) -> Property:
    choices = FORMATS[system]
    kind = ListType(
        noun="a list of formats", example=f"[{choices[0]}]", item=choice_type("an installer format", choices)
    )
    return Property(
        name=system, type=kind, default=list(DEFAULT_FORMATS[system]), example=f"[{', '.join(choices)}]",
        summary={"linux": "For Linux.", "osx": "For macOS.", "win": "For Windows."}[system],
    )  # fmt: skip


_WAIVER = RecordType(
    noun="a waiver", example="{check: licenses, reason: …, author: …, expires: 2027-01-31}",
    keys=(
        Property(name="check", required=True, example="licenses",
            summary="The identifier of the check, or `suite/test` for a test, which may be a glob pattern.",
            type=ScalarType(noun="a check or a test", example="licenses", parse=parsers.check_or_test,
                      pattern=parsers.CHECK_OR_TEST, number=None)),
        Property(name="package", type=PACKAGE_NAME, example="qt",
            summary="The package that it is limited to."),
        Property(name="platform", type=PLATFORM, example="win-64",
            summary="The platform that it is limited to."),
        Property(name="reason", type=prose_type("a reason", "agreed with legal"), required=True,
            example="agreed with legal", summary="Why the finding is accepted."),
        Property(name="author", type=prose_type("a person", "Ada"), required=True, example="Ada",
            summary="Who decided."),
        Property(name="expires", type=DATE, required=True, example="2027-01-31",
            summary="The last day on which it is in force."),
        Property(name="link", example="https://example.org/issues/7", summary="Where it was discussed.",
            type=WEB_ADDRESS),
    ),
)  # fmt: skip

_LICENSES = ListType(noun="a list of licences", example="[MIT]", item=SPDX_LICENSE)
_POLICY = RecordType(
    noun="a policy", example="{patch: {allow: [upgrade]}}",
    keys=(
        Property(name="licenses", example="{deny: [AGPL-3.0-only]}", default={},
            summary="Which licences packages may be under.",
            type=RecordType(
                noun="a licence policy", example="{deny: [AGPL-3.0-only]}",
                keys=(
                    Property(name="allow", default=[], example="[BSD-3-Clause, MIT]", type=_LICENSES,
                        summary="Only these; an empty list allows all."),
                    Property(name="deny", default=[], example="[AGPL-3.0-only]", type=_LICENSES,
                        summary="None of these."),
                ),
            )),
        Property(name="patch", example="{allow: [upgrade, rebuild]}", default={},
            summary="What a patch release may do to the packages of its base.",
            type=RecordType(
                noun="a patch policy", example="{allow: [upgrade]}",
                keys=(
                    Property(name="allow", default=["upgrade", "rebuild"], example="[upgrade, rebuild]",
                        summary="The kinds of change that need no waiver.",
                        type=ListType(noun="a list of changes", example="[upgrade]",
                                    item=choice_type("a kind of change", PATCH_CHANGES))),
                ),
            )),
        Property(name="age", default={}, example="{at-least: 7}",
            summary="How old packages from channels are on the day of `exclude-newer`, or of the run.",
            type=RecordType(
                noun="an age policy", example="{at-least: 7}",
                keys=(
                    Property(name="at-least", type=DAYS, example="7",
                        summary="The least age in days, so that others have time to find what is wrong."),
                    Property(name="at-most", type=DAYS, example="1500",
                        summary="The greatest age in days; an older package counts as unmaintained."),
                ),
            )),
        INCLUSION_POLICY,
        Property(name="platforms", example="{linux-64: [smoke, interop], win-64: [smoke]}",
            summary="The suites that must be run, by platform: see the check `tested`. Without it, any suite "
                    "on each platform that has an installer; on the track `edge` none.",
            type=MapType(
                noun="a mapping of platforms", example="{win-64: [smoke]}", key=PLATFORM,
                value=ListType(noun="a list of suites", example="[smoke]", at_least_one=True,
                               item=label_type("a suite", "smoke")),
            )),
        Property(name="approvals", type=APPROVALS, example=APPROVAL_EXAMPLE,
            summary="Who must approve the release before it goes out, by signing it. Without it, the verdict "
                    "is enough."),
        Property(name="checks", default={}, example="{parity: blocked}",
            summary="The worst verdict of findings, by the check's identifier; by default the support track "
                    "decides.",
            type=MapType(
                noun="a mapping of checks", example="{parity: blocked}", key=ScalarType(
                    noun="a check", example="parity", parse=parsers.check_name, pattern=parsers.CHECK),
                value=RecordType(
                    noun="a check's settings", example="{severity: blocked}", shorthand="severity",
                    keys=(Property(name="severity", type=choice_type("a severity", SEVERITIES), required=True,
                              example="blocked", summary="The worst verdict that its findings get."),),
                ),
            )),
    ),
)  # fmt: skip


def _release_type(example: str) -> ScalarType:
    return ScalarType(noun="a release number", example=example, parse=parsers.release_version,
        pattern=r"^[0-9]{4}\.(1[0-2]|[1-9])\.(0|[1-9][0-9]{0,3})$", number=None)  # fmt: skip


_CONTENT = RecordType(
    noun="a manifest", example="{manifest: 1, …}",
    keys=(
        Property(name="manifest", required=True, own=True, example="1", summary="The format of this file.",
            type=ScalarType(noun="a manifest format that this cuvee reads", example="1", choices=("1",))),
        Property(name="distribution", required=True, own=True, example="starter",
            summary="The distribution's name; also the name of the folder that the manifest is in.",
            type=ScalarType(noun="a distribution's name", example="starter", parse=parsers.distribution_name,
                      pattern=parsers.DISTRIBUTION_NAME, number="integer")),
        Property(name="version", required=True, own=True, example='"2026.11.0"',
            summary="The release's number, YEAR.MONTH.PATCH; the file is called `<version>.yaml`.",
            type=_release_type("2026.11.0")),
        Property(name="title", required=True, type=prose_type("a title", "Starter PyData"),
            example="Starter PyData",
            summary="The distribution's name for people."),
        Property(name="based-on", own=True, example='"2026.10.2"',
            summary="The release that this one changes; its manifest is in the same folder.",
            type=_release_type("2026.10.2")),
        Property(name="support", example="{track: stable, until: 2027-11-30}",
            summary="How long, and on which track, the release is supported.",
            type=RecordType(
                noun="a support statement", example="{track: stable, until: 2027-11-30}",
                keys=(
                    Property(name="track", required=True, example="stable",
                        summary="How much the release promises not to change.",
                        type=choice_type("a support track", tuple(track.value for track in Track),
                            parse=Track)),
                    Property(name="until", type=DATE, example="2027-11-30",
                        summary="The last day of support."),
                ),
            )),
        Property(name="platforms", type=_PLATFORMS, required=True,
            example='{linux-64: {floor: {glibc: "2.28"}}}',
            summary="The platforms of the release, and those that it leaves out on purpose."),
        Property(name="channels", default=[], example="[conda-forge]",
            summary="Where packages come from, the first wins: names, URLs, or folders. A path that begins "
                    "with `.`, and the name of a folder beside the manifest, count from the manifest.",
            type=ListType(noun="a list of channels", example="[conda-forge]",
                        item=ScalarType(noun="a channel", example="conda-forge", parse=parsers.channel,
                                  pattern=parsers.CHANNEL))),
        Property(name="channel-url", example="https://example.org/{release}/channel",
            summary="Where the release's own channel will be published. The lock, the explicit lists and the "
                    "records of prefixes name its packages there. `{release}` is the release's name.",
            type=ScalarType(noun="the URL of a channel", example="https://example.org/{release}/channel",
                      parse=parsers.channel_url, pattern=parsers.CHANNEL_URL, number=None)),
        Property(name="packages", required=True, example='{numpy: ">=2.4,<2.5"}',
            summary="The blessed set: names, each with a version range or a mapping.",
            type=MapType(noun="a mapping of packages", example='{numpy: ">=2.4,<2.5"}', key=PACKAGE_NAME,
                       value=_PACKAGE_ENTRY)),
        Property(name="constraints", default={}, example='{openssl: ">=3.0.15"}',
            summary="Not part of the set, but nothing in the release may contradict them.",
            type=MapType(noun="a mapping of packages", example='{openssl: ">=3.0.15"}', key=PACKAGE_NAME,
                       value=_CONSTRAINT)),
        Property(name="wheels", default=[], example='[pandas, "dask[array]"]',
            summary="Projects that are imported from the Python index when no channel carries them, "
                    "with their extras.",
            type=ListType(noun="a list of projects", example="[pandas]",
                        item=ScalarType(noun="a project of the Python index", example="dask[array]",
                                  parse=parsers.wheel_name, pattern=parsers.WHEEL_NAME))),
        Property(name="interpreter", type=choice_type("a source of the interpreter", ("host",)),
            example="host",
            summary="Where `python` itself comes from when no channel carries it: from this machine."),
        Property(name="recipes", default=[], example="[starter-tools]",
            summary="Packages that are built from source: folders below `recipes/`, looked up from the "
                    "manifest's folder upwards.",
            type=ListType(noun="a list of recipes", example="[starter-tools]",
                        item=label_type("a recipe", "starter-tools"))),
        Property(name="patched", default={}, type=PATCHED, example=PATCHED.example,
            summary="Packages that the release carries with patches of its own, instead of what a channel "
                    "or the index has."),
        Property(name="exclude-newer", example="2026-11-01T00:00:00Z",
            summary="Solve as of this instant; a date means the end of that day, UTC.",
            type=ScalarType(noun="an instant or a date", example="2026-11-01T00:00:00Z",
                parse=parsers.instant,
                      pattern=parsers.INSTANT, number=None)),
        Property(name="policy", type=_POLICY, default={}, example="{licenses: {deny: [AGPL-3.0-only]}}",
            summary="What packages and changes the release accepts."),
        Property(name="suites", default=[], example="[smoke, interop]",
            summary="The tests that run inside the installed release.",
            type=ListType(noun="a list of suites", example="[smoke]", item=label_type("a suite", "smoke"))),
        Property(name="installers", default={},
            example="{formats: {linux: [sh]}, branding: installers/starter}",
            summary="The files that desktops run.",
            type=RecordType(
                noun="the installers", example="{formats: {linux: [sh]}}",
                keys=(
                    Property(name="formats", default_text="`{linux: [sh]}`",
                        example="{linux: [sh], win: [exe]}",
                        summary="The formats to make for each system; an empty mapping makes no installer.",
                        type=RecordType(noun="a mapping of systems", example="{linux: [sh]}",
                            key_noun="system",
                                    synonyms=SYSTEM_SYNONYMS,
                                    keys=tuple(_formats(system) for system in FORMATS))),
                    Property(name="branding", example="installers/starter",
                        summary="The folder with icons and licence text, looked up from the manifest's "
                                "folder upwards.",
                        type=ScalarType(noun="a folder", example="installers/starter", pattern=parsers.FOLDER,
                                  parse=parsers.relative_path)),
                    Property(name="engine", type=choice_type("an engine", ENGINES), default="cuvee",
                        example="constructor",
                        summary="What makes them: cuvee itself, or the program constructor on PATH."),
                    Property(name="deltas", type=choice_type("a choice", DELTAS), default="none",
                        example="base",
                        summary="What small upgrades to make, too: `base` for those from the release that "
                                "`based-on` names."),
                ),
            )),
        Property(name="owners", default={}, example="{numerics: {contact: numerics@example.org}}",
            summary="Who acts on findings about the packages they own.",
            type=MapType(noun="a mapping of owners", example="{numerics: {contact: …}}",
                       key=label_type("an owner", "numerics"),
                       value=RecordType(
                           noun="an owner", example="{contact: numerics@example.org}",
                           keys=OWNER_KEYS,
                       ))),
        Property(name="waivers", default=[], example="[]",
            summary="Recorded, scoped, expiring decisions to accept a finding.",
            type=ListType(noun="a list of waivers", example="[{check: licenses, reason: …}]", item=_WAIVER,
                        unique=False)),
    ),
)  # fmt: skip

OWN_KEYS = frozenset(key.name for key in _CONTENT.keys if key.own)
"""What a manifest states itself, and does not inherit."""

MANIFEST = DocumentSchema(
    name="manifest",
    noun="the manifest",
    summary="The intent of one release of a distribution.",
    content=_CONTENT,
    page="docs/reference/manifest.md",
    start="manifest: 1",
    inherits=True,
    error=ManifestError,
)
