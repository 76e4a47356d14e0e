"""``cuvee sign``."""

from pathlib import Path

import click

from cuvee.cli.options import json_option, sign_key_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json


@click.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@sign_key_option
@click.option("--force", metavar="REASON", default="", help="Sign a release that is not ready, and keep why.")
@json_option
def command(release: Path, *, sign_key: Path | None, force: str, as_json: bool) -> int:
    """Sign the sums of a release folder, here or on another machine.

    Every file is compared with SHA256SUMS and with the record before. Only a release that is ready is signed.
    Programs of packages ran where it was cut, in its tests; the key need not be there.

    \b
    Examples:
      cuvee sign dist/starter-2026.11.0 --sign-key publisher.pem
      cuvee sign dist/starter-2026.11.0 --sign-key publisher.pem --force "the known failure of X"

    Exit codes: 0 signed, 1 not ready, 2 usage, 4 no sums, 5 a file is not what was cut.
    """
    from cuvee.cache_folder import default_cache
    from cuvee.errors import UsageError
    from cuvee.release.record import Release
    from cuvee.release.signing import sign_release
    from cuvee.release.sums import SIGNATURE
    from cuvee.release.workspace import Workspace
    from cuvee.trust.keys import SigningKey

    if sign_key is None:
        raise UsageError("Name the key that signs", hint="Use --sign-key KEY, or CUVEE_SIGNING_KEY.")
    signer = SigningKey.read(sign_key)
    Release.open(release)  # before anything is written there
    with Workspace(release.resolve(), default_cache()).locked():
        digest = sign_release(release, signer, reason=force.strip())
    if as_json:
        write_json({"signature": str(release / SIGNATURE), "sums_sha256": digest, "key": signer.public.hex()})
    else:
        say(f"{digest}  {release / 'SHA256SUMS'}\nsigned: {release / SIGNATURE}")
    return 0
