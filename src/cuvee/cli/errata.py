"""``cuvee errata``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import dist_option, json_option, sign_key_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.errata.errata_folder import ErrataFolder
    from cuvee.errata.model import CheckedErratum


@click.command("errata")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("errata"))
@dist_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the page, the feed, CSAF, OpenVEX and errata.json to this folder, if all is true.",
)
@sign_key_option
@json_option
def command(folder: Path, *, dist: Path, output: Path | None, sign_key: Path | None, as_json: bool) -> int:
    """Check errata against the locks of releases, and publish them.

    FOLDER has a YAML file for each erratum, and publisher.yaml; by default it is errata. Releases are looked
    for in dist, and in the folders reports and manifests of the repository that FOLDER is in. What is stated
    of a release without a lock cannot be checked, and does not count as true.

    With --sign-key, errata.json is signed, so that installed releases can believe it.

    \b
    Examples:
      cuvee errata
      cuvee errata errata --dist archive --json
      cuvee errata --output site/errata --sign-key publisher.pem

    Exit codes: 0 all is true, 1 something is not, or could not be checked, 2 a file has problems.
    """
    from cuvee.errata.errata_checks import check_errata
    from cuvee.errata.errata_folder import read_errata
    from cuvee.errata.errata_writer import write_errata
    from cuvee.errata.known_releases import known_releases
    from cuvee.report.human_units import plural
    from cuvee.trust.keys import SigningKey

    signer = SigningKey.read(sign_key) if sign_key is not None and output is not None else None
    read = read_errata(folder)
    known = known_releases(folder, dist, {item.distribution for item in read.errata})
    checked = check_errata(read.errata, known)
    good = not any(item.findings for item in checked)
    stated = {(i.erratum.distribution, v) for i in checked for v in i.erratum.stated_releases}
    unknown = [
        item for item in known if item.lock is None and (item.distribution, item.version) not in stated
    ]
    written = write_errata(checked, read.publisher, output, signer) if output is not None and good else ()
    if as_json:
        document = _document(read, checked, written)
        write_json(document | {"not_checked": {item.name: item.problem for item in unknown}})
        return 0 if good else 1
    for item in unknown:
        say(f"note: whether {item.name} is affected is not known: {item.problem}", err=True)
    findings = tuple(finding for item in checked for finding in item.findings)
    if findings:
        say(read.shown(findings))
        say()
        unchecked = sum(item.unchecked for item in findings)
        wrong = plural(len(findings) - unchecked, "finding")
        say(f"{wrong}, and {plural(unchecked, 'statement')} that could not be checked")
        if output is not None:
            say(f"Nothing was written to {output}", err=True)
        return 1
    noun = "erratum" if len(checked) == 1 else "errata"
    say(f"{len(checked)} {noun} checked against {plural(len(stated), 'release')}: all is true")
    for path in written:
        say(f"written: {path}")
    return 0


def _document(
    read: "ErrataFolder", checked: "tuple[CheckedErratum, ...]", written: tuple[Path, ...]
) -> dict[str, object]:
    return {
        "errata": [
            {
                "number": item.erratum.number,
                "severity": item.erratum.severity.value,
                "findings": [
                    {
                        "position": read.position(finding),
                        "message": finding.message,
                        "advice": finding.advice,
                        "unchecked": finding.unchecked,
                    }
                    for finding in item.findings
                ],
                "releases": [
                    {
                        "release": item.erratum.release_name(status.version),
                        "platform": status.platform,
                        "status": status.status.value,
                    }
                    for status in item.statuses
                ],
            }
            for item in checked
        ],
        "written": [str(path) for path in written],
    }
