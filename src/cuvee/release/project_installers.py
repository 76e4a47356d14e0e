"""From a locked constructor project to our installers: an image, and an installer for each format."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic

from cuvee.channel.archive_download import LockedArchives
from cuvee.channel.connection import rattler_channel
from cuvee.conda.package_info import PackageInfo, is_link_script
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import TooLargeError, ToolMissingError, UsageError
from cuvee.files import sha256_file, write_text
from cuvee.folder_hashes import file_hashes
from cuvee.image.build import build_image
from cuvee.image.cached_infos import info_path, package_infos
from cuvee.image.model import Image, ReleaseLabel
from cuvee.image.settings import ExtraFile, InstallerSettings
from cuvee.installers.constructor.build_outputs import read_licenses, write_outputs
from cuvee.installers.constructor.model import Project
from cuvee.installers.constructor.project_lock import ProjectTools, project_name_and_spec
from cuvee.installers.formats import in_order, make
from cuvee.installers.naming import installer_name
from cuvee.lock.model import PlatformLock
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.converted_project import ConvertedProject, tell_link_scripts
from cuvee.release.image_stage import byte_compiler
from cuvee.release.project_outputs import ProjectOutputs, place_of
from cuvee.release.sums import SUMS, sums_text
from cuvee.release.workspace import Workspace
from cuvee.temporary_folders import temporary_folder


def make_project_installers(
    project: Project, lock: PlatformLock, *, output: Path, tools: ProjectTools
) -> ConvertedProject:
    """Make the installers of a locked project, and the files of its ``build_outputs``, in ``output``.

    If its tools are absent, or the project exceeds its limits, an installer is not made, with the reason.
    """
    place = place_of(project, lock, output, tools.cache)
    archives = LockedArchives(
        lock.packages,
        release=output,
        cache=tools.cache,
        connection=tools.connection,
        reporter=tools.reporter,
    )
    archives.ask_for(
        package.identifier for package in lock.packages if not info_path(package.sha256, tools.cache).exists()
    )
    infos = package_infos(lock, archives, cache=tools.cache, reporter=tools.reporter)
    scripted = tuple(with_link_scripts(infos.values()))
    tell_link_scripts(scripted, tools.reporter)
    lock = replace(lock, packages=tuple(_remapped(package, project) for package in lock.packages))
    output.mkdir(parents=True, exist_ok=True)
    with (
        temporary_folder("image", within=output) as name,
        ThreadPoolExecutor(1, thread_name_prefix="licenses") as thread,
    ):
        image = _image(project, lock, name, tools, archives=archives, infos=infos)
        # Writing and hashing an installer leaves a core free.
        licenses = thread.submit(
            read_licenses, project, lock, archives=archives, cache=tools.cache, reporter=tools.reporter
        )
        made: dict[str, Artefact] = {}
        for kind in in_order(project.formats):
            made[kind] = _make(project, image, kind, output, tools, exe=made.get("exe"))
        artefacts = tuple(made.values())
    installers = [output / item.path for item in artefacts if item.not_made is None]
    outputs = write_outputs(
        project,
        lock,
        installers={output / item.path: item.sha256 for item in artefacts if item.not_made is None},
        licenses=licenses.result(),
        folder=output,
    )
    if installers:
        write_text(output / SUMS, sums_text({item.path: item.sha256 for item in artefacts if item.sha256}))
        outputs = (*outputs, output / SUMS)
    if len(installers) == len(artefacts):
        made_files = {item.path: item.sha256 or "" for item in artefacts}
        hashes = file_hashes(outputs)
        made_files |= {path.relative_to(output).as_posix(): sha256 for path, sha256 in hashes}
        ProjectOutputs(artefacts=artefacts, files=made_files, with_link_scripts=scripted).save(place)
    return ConvertedProject(project=project, lock=lock, artefacts=artefacts, outputs=outputs)


def with_link_scripts(infos: Iterable[PackageInfo]) -> list[str]:
    """Return the packages with scripts that conda would run, see docs/adr/0060-link-scripts-never-run.md."""
    return sorted(
        info.index.name for info in infos if any(is_link_script(entry.path) for entry in info.paths)
    )


def _remapped(package: LockedPackage, project: Project) -> LockedPackage:
    """Return a package with the URL that ``channels_remap`` makes of its own."""
    for remap in project.packages.remaps:
        source = str(rattler_channel(remap.source).base_url).rstrip("/") + "/"
        if package.url.startswith(source):
            destination = str(rattler_channel(remap.destination).base_url).rstrip("/")
            url = f"{destination}/{package.url.removeprefix(source)}"
            return replace(package, url=url, channel=destination)
    return package


def _image(
    project: Project,
    lock: PlatformLock,
    folder: Path,
    tools: ProjectTools,
    *,
    archives: Mapping[str, Path],
    infos: Mapping[str, PackageInfo],
) -> Image:
    from cuvee.trust.sbom import make_sbom

    names = dict(project_name_and_spec(project, spec) for spec in project.packages.requested)
    requested = {name: names[name] for name in sorted(names) if name in lock.by_name}
    label = ReleaseLabel(distribution=project.distribution, version=project.version, title=project.name)
    return build_image(
        lock,
        release=label,
        archives=archives,
        requested=requested,
        cache=tools.cache,
        folder=folder / "image",
        compiler=byte_compiler(lock, project.settings, tools.cache, tools.reporter),
        reporter=tools.reporter,
        settings=_settings(project, folder),
        infos=infos,
        sbom=make_sbom(lock, release=label, requested=requested),
    )


def _settings(project: Project, folder: Path) -> InstallerSettings:
    if not project.frozen:
        return project.settings
    source = folder / "frozen"
    write_text(source, project.frozen)
    marker = ExtraFile(source=source, target="conda-meta/frozen", sha256=sha256_file(source))
    files = sorted((*project.settings.extra_files, marker), key=lambda file: file.target)
    return replace(project.settings, extra_files=tuple(files))


def _make(
    project: Project, image: Image, kind: str, output: Path, tools: ProjectTools, *, exe: Artefact | None
) -> Artefact:
    workspace = Workspace(output, tools.cache)
    name = project.file_name or installer_name(image, kind, name=project.name)
    start = monotonic()
    try:
        made = output / exe.path if exe is not None and exe.not_made is None else None
        target = make(kind, image, project.branding, output / name, tools.reporter, exe=made)
    except (ToolMissingError, TooLargeError, UsageError) as error:
        if not isinstance(error, ToolMissingError) and len(project.formats) == 1:
            raise
        return workspace.not_made(output / name, error, platform=project.platform, form=kind)
    seconds = round(monotonic() - start, 3)
    return workspace.artefact(
        target, ArtefactKind.INSTALLER, platform=project.platform, form=kind, seconds=seconds
    )
