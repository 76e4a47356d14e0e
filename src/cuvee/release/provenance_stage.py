"""The provenance stage: for each platform, what its files were made of."""

from collections.abc import Callable, Iterator

from cuvee.approvals.approval_files import MANIFEST
from cuvee.build.model import BuiltFrom
from cuvee.channel.patches.patch_files import PATCHES
from cuvee.channel.wheels.index_comparison import ImportedWheel
from cuvee.codec import Json, encode_object
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import clean_url
from cuvee.files import canonical_json, parse_json, sha256_bytes, write_bytes
from cuvee.image.model import MANIFEST as MANIFEST_FILE
from cuvee.image.model import PAYLOAD, STAGE0
from cuvee.lock.model import PlatformLock
from cuvee.release.record import Release
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage
from cuvee.release.sums import PROVENANCE, STATEMENT
from cuvee.trust.package_urls import conda_purl, wheel_purl
from cuvee.trust.provenance_statement import ProvenanceStatement, Resource


def make_provenance(session: Session, release: Release) -> None:
    """Run the stage; the statements are in ``trust/provenance/`` of the release folder."""
    folder = session.workspace.folder / PROVENANCE
    made = {item.platform for item in release.handed_out if item.not_made is None}
    statements = {
        folder / f"{lock.platform}{STATEMENT}": provenance_of(
            release, lock, session.imported_wheel
        ).to_bytes()
        for lock in release.lock.platforms
        if lock.platform in made
    }

    def run() -> Made[None]:
        for path, data in statements.items():
            write_bytes(path, data)
        return Made(result=None, outputs=tuple(statements))

    inputs: Json = {path.name: sha256_bytes(data) for path, data in statements.items()}
    session.make(Stage(name="provenance", inputs=inputs, run=run, load=lambda _: None))


WheelOf = Callable[[LockedPackage], ImportedWheel | None]


def provenance_of(release: Release, lock: PlatformLock, wheel_of: WheelOf) -> ProvenanceStatement:
    """Return what the files of one platform were made of.

    ``wheel_of`` says of which wheel a package of the release's own channel was made.

    Raises
    ------
    IntegrityError
        If an archive of the release's own channel cannot be read.
    """
    own = [package for package in lock.packages if package.is_local]
    manifest = release.manifest
    return ProvenanceStatement(
        subjects={
            item.path: item.sha256
            for item in release.artefacts
            if item.not_made is None and item.platform in {None, lock.platform}
        },
        parameters={
            "distribution": manifest.distribution,
            "version": str(manifest.version),
            "platform": lock.platform,
            "manifest": {
                "uri": MANIFEST,
                "digest": {"sha256": sha256_bytes(canonical_json(encode_object(manifest)))},
            },
            "base": release.base,
            "channels": [clean_url(channel) for channel in manifest.channels],
        },
        materials=tuple(_materials(release, lock, own, wheel_of)),
        byproducts=tuple(_byproducts(release, lock, own)),
        tools=release.tools,
    )


def _materials(
    release: Release, lock: PlatformLock, own: list[LockedPackage], wheel_of: WheelOf
) -> Iterator[Resource]:
    for package in lock.packages:
        if not package.is_local:
            yield Resource(
                name=package.file_name,
                uri=conda_purl(package),
                location=clean_url(package.url),
                digests={"sha256": package.sha256},
            )
    for package in own:
        yield from _sources(release, package, wheel_of)
        if package.name in {item.name for item in release.manifest.patched}:
            yield from _patches(release, package)


def _sources(release: Release, package: LockedPackage, wheel_of: WheelOf) -> Iterator[Resource]:
    """Yield what a package of the release's own channel was made of."""
    note = {"package": package.file_name}
    recipe = _recipe_of(release, package)
    if recipe is not None:
        digests, elsewhere = {"cuveeRecipe": recipe.recipe_sha256}, _built_elsewhere(release, package)
        yield Resource(name=f"recipes/{recipe.recipe}", digests=digests, notes={**note, **elsewhere})
        for source in recipe.sources:
            url = source.urls[0] if source.urls else ""
            place = {"uri" if url.startswith("pkg:") else "location": url}
            yield Resource(name=source.file_name, **place, digests={"sha256": source.sha256}, notes=note)
        return
    wheel = wheel_of(package)
    origins = {item.platform: item for item in release.channel.interpreters}
    if wheel is not None:
        uri = wheel_purl(wheel.name.name, str(wheel.name.version), wheel.name.file_name)
        digests = {"sha256": wheel.sha256}
        yield Resource(name=wheel.name.file_name, uri=uri, digests=digests, notes=note)
    elif package.name == "python" and package.platform in origins:
        origin = origins[package.platform]
        uri = f"pkg:generic/cpython@{origin.version}"
        yield Resource(name="cpython", uri=uri, notes={**note, "origin": origin.origin})
    else:
        yield Resource(name=package.stem, uri=conda_purl(package), notes={**note, "origin": "not recorded"})


def _recipe_of(release: Release, package: LockedPackage) -> BuiltFrom | None:
    built = release.built.made_from if release.built is not None else ()
    return next((item for item in built if item.sha256 == package.sha256), None)


def _built_elsewhere(release: Release, package: LockedPackage) -> dict[str, str]:
    """Return what to say of a package that the builder of the statement has not built."""
    made = release.built.packages if release.built is not None else ()
    on = next((item.built_on for item in made if item.sha256 == package.sha256), "")
    return {"builtElsewhere": f"on another machine, {on}, as that says"} if on else {}


def _patches(release: Release, package: LockedPackage) -> Iterator[Resource]:
    """Yield the patches that a package says that it has."""
    data = read_info_files(release.folder / package.url, (PATCHES,)).get(PATCHES)
    for item in parse_json(data)["patches"] if data is not None else ():
        note = {"package": package.file_name}
        yield Resource(name=item["file"], digests={"sha256": item["sha256"]}, notes=note)


def _byproducts(release: Release, lock: PlatformLock, own: list[LockedPackage]) -> Iterator[Resource]:
    for package in own:
        yield Resource(name=package.url, uri=conda_purl(package), digests={"sha256": package.sha256})
    for image in release.images:
        if image.platform == lock.platform:
            hashes = (image.stage0_sha256, image.manifest_sha256, image.payload_sha256)
            for name, sha256 in zip((STAGE0, MANIFEST_FILE, PAYLOAD), hashes, strict=True):
                yield Resource(name=f"images/{image.platform}/{name}", digests={"sha256": sha256})
