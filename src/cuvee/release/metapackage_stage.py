"""The metapackage stage: a small channel with the packages by which users stay on the release."""

import shutil
from collections.abc import Iterator

from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.codec import encode
from cuvee.files import replacing_folder, sha256_file
from cuvee.graph.certificate import CertifiedRecord
from cuvee.graph.metapackages import BASE_GROUP, Metapackage, metapackage_names, metapackages
from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade
from cuvee.release.record import ChannelResult, LockResult, MetapackageResult
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage, finished


def make_metapackages(session: Session, channel: ChannelResult, locked: LockResult) -> MetapackageResult:
    """Run the stage; what it makes is in ``metapackages/`` of the release folder.

    A set that has a package of the same name has none: a solver could not tell the two apart.
    """
    manifest = session.manifest
    core = [encode(item.name) for item in manifest.packages if BASE_GROUP in item.groups]
    stage = Stage.of(
        "metapackages",
        [manifest.release_name, manifest.title, core, locked.inputs, encode(locked.artefacts)],
        lambda: _make(session, channel, locked),
        MetapackageResult,
    )
    return finished(session.make(stage))


def _make(session: Session, channel: ChannelResult, locked: LockResult) -> Made[MetapackageResult]:
    workspace, lock = session.workspace, locked.lock
    graph = session.graph(lock, channel.absent)
    made = [item for part in graph.platforms for item in metapackages(session.manifest, part)]
    taken = {
        package.name
        for package in graph.packages()
        if package.name in metapackage_names(session.manifest.distribution)
    }
    if taken:
        shutil.rmtree(workspace.metapackages, ignore_errors=True)  # of an earlier set
        artefacts = tuple(_not_made(item, taken) for item in made)
        return Made(result=MetapackageResult(artefacts=artefacts), outputs=())
    with replacing_folder(workspace.metapackages) as folder:
        for item in made:
            write_package(_content(item), folder / item.subdir)
        index_channel(folder, lock.by_platform)
    result = MetapackageResult(
        records=tuple(_records(session, made)),
        artefacts=tuple(
            workspace.artefact(workspace.folder / _url(item), ArtefactKind.METAPACKAGE, platform=item.subdir)
            for item in made
        ),
    )
    return Made(result=result, outputs=(workspace.metapackages,))


def _content(item: Metapackage) -> PackageContent:
    return PackageContent(
        name=item.name,
        version=item.version,
        build=item.build,
        subdir=item.subdir,
        depends=item.depends,
        constrains=item.constrains,
        timestamp=item.timestamp,
        summary=item.summary,
        files=(),
    )


def _records(session: Session, made: list[Metapackage]) -> Iterator[CertifiedRecord]:
    for item in made:
        yield CertifiedRecord(
            name=item.name,
            version=item.version,
            build=item.build,
            build_number=0,
            subdir=item.subdir,
            sha256=sha256_file(session.workspace.folder / _url(item)),
            url=_url(item),
            depends=item.depends,
            constrains=item.constrains,
        )


def _url(item: Metapackage) -> str:
    return f"metapackages/{item.subdir}/{item.name}-{item.version}-{item.build}.conda"


def _not_made(item: Metapackage, taken: set[str]) -> Artefact:
    names = ", ".join(sorted(taken))
    return Artefact(
        path=_url(item),
        kind=ArtefactKind.METAPACKAGE,
        platform=item.subdir,
        not_made=NotMade(
            reason=f"the set has a package of that name: {names}",
            remedy="Give the distribution another name than its packages.",
            exit_code=1,
        ),
    )
