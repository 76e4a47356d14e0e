"""``cuvee certify``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import (
    environment_option,
    given_set,
    release_options,
    run_pipeline,
)
from cuvee.cli.output import say
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.graph.certificate import VerifiedCertificate


@click.command()
@click.option("--verify", is_flag=True, help="Check the certificate SET again, or that of a release folder.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write for a pixi.lock.",
)
@environment_option
@click.option(
    "--lock",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --verify: the pixi.lock to hold it against; the release folder's own if it has one.",
)
@partial(release_options, metavar="SET")
def command(
    manifest: Path,
    *,
    verify: bool,
    output: Path | None,
    environment: str | None,
    lock: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Prove that a release fits together, in a file that others can check.

    Without --verify, the release of the manifest SET is locked and checked as `cuvee check` does, and
    `checks/certificate.json` in its folder is the proof. SET may be the release folder, or a pixi.lock of
    another tool, whose proof is written to --output and is about its conda packages.

    With --verify, SET is a certificate or a release folder. Every step of the proof is worked out again
    from its records, without a solver and without a network, and held against the lock. The manifest and the
    repodata of channels that are folders are compared with the hashes of what it was made from. The exit code
    is 5 if it does not hold or was made from something else, 1 if there is a platform that it could not
    certify.

    \b
    Examples:
      cuvee certify manifests/starter/2026.11.0.yaml
      cuvee certify --verify dist/starter-2026.11.0/checks/certificate.json
      cuvee certify pixi.lock --output certificate.json
      cuvee certify --verify certificate.json --lock pixi.lock --json
    """
    from cuvee.errors import UsageError
    from cuvee.release.given_certificates import check_certificate, write_certificate_of
    from cuvee.release.manifest_of_folder import manifest_of
    from cuvee.release.pipeline import check_release
    from cuvee.release.workspace import Workspace

    if not verify:
        if lock is not None:
            raise UsageError("--lock goes with --verify", hint="Run `cuvee certify --help`.")
        given = given_set(
            manifest, platforms=options["platforms"], environment=environment, needs=("depends", "constrains")
        )
        if given is not None:
            lock, manifest = manifest, write_certificate_of(given, manifest, output)
        else:
            if manifest.is_dir():
                options["dist"], manifest = manifest.resolve().parent, manifest_of(manifest)
            result = run_pipeline(check_release, manifest=manifest, as_json=as_json, **options)
            manifest = result.folder
    if manifest.is_dir():
        manifest = Workspace(manifest, manifest).certificate_file
    verified = check_certificate(manifest, lock=lock, environment=environment)
    if as_json:
        from cuvee.codec import encode_object

        write_json({"certificate": str(manifest), **encode_object(verified)})
    else:
        for line in certificate_lines(verified):
            say(line)
        say(f"certificate: {manifest}")
    return int(bool(verified.not_certified))


def certificate_lines(verified: "VerifiedCertificate") -> list[str]:
    """Return what a valid certificate is about, as lines."""
    from cuvee.graph.certificate import input_lines

    against = "and is about the lock" if verified.with_lock else "but no lock was there to hold it against"
    lines = [f"{verified.release}: the certificate holds, {against}"]
    for platform, count in verified.packages.items():
        files = "; files not compared" if platform in verified.unexamined else ""
        named = verified.metapackages.get(platform, ())
        pinned = f"; {', '.join(named)} name them exactly" if named else ""
        lines.append(f"  {platform}: {count} packages fit together{files}{pinned}")
    for platform, reasons in verified.not_certified.items():
        lines.append(f"  {platform}: not certified")
        lines += [f"    {reason}" for reason in reasons]
    return [*lines, *input_lines(verified.inputs)]
