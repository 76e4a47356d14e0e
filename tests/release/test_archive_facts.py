"""What a release records of its archives: files, bytes, and the links of the package's own project."""

from dataclasses import replace

from archive_contents import A, archive, file, graph_of
from checked_sets import package
from cuvee.channel.inspection.model import PythonDistribution, UnreadableArchive
from cuvee.conda.project_links import LinkKind, ProjectLink
from cuvee.release.archive_facts import archive_facts


def link(name: str, kind: LinkKind = LinkKind.RELEASE_NOTES) -> ProjectLink:
    return ProjectLink(kind=kind, url=f"https://{name}.example")


def distribution(name: str) -> PythonDistribution:
    return PythonDistribution(name=name, version="1", path=f"{name}/METADATA", links=(link(name),))


def test_files_and_bytes_are_counted_without_folders() -> None:
    contents = archive(
        A, file("one", size=7), file("two", size=5), replace(file("folder", file_type="directory"), size=None)
    )
    (facts,) = archive_facts(graph_of({A: contents}))
    assert (facts.sha256, facts.files, facts.unpacked, facts.links) == (A.sha256, 2, 12, ())


def test_links_are_those_of_the_package_s_own_project_then_of_its_recipe() -> None:
    named, a, b = (
        replace(package(name), sha256=digit * 64)
        for name, digit in (("my-package", "1"), ("a", "2"), ("b", "3"))
    )
    recipe = (link("recipe"), link("home", LinkKind.HOME))
    own = archive(named, distributions=(distribution("other"), distribution("my-package")), links=recipe)
    one = archive(a, distributions=(distribution("known-by-another-name"),))
    two = archive(b, distributions=(distribution("x"), distribution("y")))
    facts = {item.sha256: item for item in archive_facts(graph_of({named: own, a: one, b: two}))}
    assert [item.url for item in facts[named.sha256].links] == [
        "https://my-package.example",
        "https://home.example",
    ]
    assert [item.url for item in facts[a.sha256].links] == ["https://known-by-another-name.example"]
    assert facts[b.sha256].links == ()


def test_nothing_is_said_of_archives_that_were_not_read() -> None:
    assert archive_facts(graph_of({A: UnreadableArchive(reason="it is damaged")})) == ()
