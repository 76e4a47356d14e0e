"""The check of what the manifest's recipes give the release."""

from collections.abc import Iterable, Iterator

from cuvee.build.model import RecipeFacts
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.checks.check_interface import STRICTER_WITH_SUPPORT, Check, NotApplicable
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph

_SHOWN = 20


class RecipesCheck(Check):
    """Every recipe is needed, built for all platforms that request it, and taken; two builds are the same."""

    identifier = "recipes"
    family = "builds"
    severity = STRICTER_WITH_SUPPORT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return what building the recipes has found; bytes are compared only if that was asked for."""
        if not release.manifest.recipes:
            return
        if release.recipes is None:
            raise NotApplicable("nothing was built from recipes", action="Run `cuvee build`.")
        yield from self._unneeded(release, release.recipes)
        yield from self._irreproducible(release.recipes)
        yield from self._not_built(release.recipes)
        yield from self._not_taken(release, release.recipes)

    def _unneeded(self, release: ReleaseGraph, facts: RecipeFacts) -> Iterator[Finding]:
        for name in facts.unneeded:
            yield Finding(
                check=self.identifier,
                verdict=Verdict.WARNING,
                kind="unneeded",
                cause=f"Nothing needs the recipe {name}: neither the manifest nor another recipe",
                packages=(name,),
                platforms=tuple(graph.platform for graph in release.platforms),
                evidence=(f"`recipes` in {release.manifest.path.name} names it",),
                action="Request its package in `packages`, or remove it from `recipes`.",
            )

    def _irreproducible(self, facts: RecipeFacts) -> Iterator[Finding]:
        for item in facts.irreproducible:
            shown = item.files[:_SHOWN]
            more = (f"and {len(item.files) - _SHOWN} more",) if len(item.files) > _SHOWN else ()
            yield Finding(
                check=self.identifier,
                verdict=Verdict.NEEDS_APPROVAL,
                kind="irreproducible",
                cause=f"Two builds of {item.package} differ in {len(item.files)} "
                f"{'file' if len(item.files) == 1 else 'files'}",
                packages=(item.package.rsplit("-", 2)[0],),
                victims=(item.package,),
                evidence=(*shown, *more),
                action="Find what they take from the time, the machine or the order of files, and fix it in "
                "the recipe.",
            )

    def _not_built(self, facts: RecipeFacts) -> Iterator[Finding]:
        for item in facts.not_built:
            yield Finding(
                check=self.identifier,
                verdict=Verdict.INFO,
                kind="not-built",
                cause=f"{item.name} was not built for {item.platform}: {item.reason}",
                packages=(item.name,),
                platforms=(item.platform,),
                evidence=(f"recipes/{item.recipe}",),
                action="Build on a machine of that platform, or leave it out of the package's `platforms`.",
            )

    def _not_taken(self, release: ReleaseGraph, facts: RecipeFacts) -> Iterator[Finding]:
        """Yield packages of the release that recipes make, and that are not what they have made."""
        stems = {identifier.rpartition("@")[0] for identifier in facts.built}
        names = {stem.rsplit("-", 2)[0] for stem in stems} | {item.name for item in facts.not_built}
        for package in release.packages():
            if package.name not in names or (package.is_local and package.stem in stems):
                continue
            requested = {item.name for item in release.requested(package.platform)}
            yield Finding(
                check=self.identifier,
                verdict=Verdict.WARNING if package.name in requested else Verdict.INFO,
                kind="not-taken",
                cause=f"{package.name} on {package.platform} is not what its recipe makes",
                packages=(package.name,),
                victims=(package.identifier,),
                platforms=(package.platform,),
                evidence=(f"{package.stem} is from {without_secrets(package.channel)}",),
                action="Build it for this platform, or request it only for platforms that it is built for.",
            )
