"""``cuvee build``."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import executor_option, release_options, run_pipeline
from cuvee.cli.output import say
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.build.build_plan import BuildPlan
    from cuvee.release.record import BuildResult
    from cuvee.release.session import Session


@click.command()
@release_options
@click.option("--plan", "plans", is_flag=True, help="Say what would be built and why, and build nothing.")
@click.option(
    "--check-reproducible", is_flag=True, help="Build everything twice, and say which files differ."
)
@executor_option("threads", "Where the packages of a wave are built")
def command(manifest: Path, *, plans: bool, check_reproducible: bool, as_json: bool, **options: Any) -> int:
    """Build the packages of the manifest's recipes, and put them into the release's channel.

    The versions of the release are the variant. What needs another recipe's package is built after it.
    Nothing is built again whose recipe, sources, environments and engine are unchanged. Builds have no
    network, and a package whose tests fail does not get into the channel.

    \b
    Examples:
      cuvee build manifests/starter/2026.11.0.yaml --plan
      cuvee build manifests/starter/2026.11.0.yaml
      cuvee build manifests/starter/2026.11.0.yaml --check-reproducible --json
      cuvee build manifests/starter/2026.11.0.yaml --platform osx-arm64 --json > build.json
      cuvee build manifests/starter/2026.11.0.yaml --built osx-arm64
      cuvee build manifests/starter/2026.11.0.yaml --executor dask://10.0.0.5:8786
    """
    from cuvee.codec import encode

    def plan(session: "Session") -> "BuildPlan":
        session.read_files()
        from cuvee.release.build_stage import plan_builds
        from cuvee.release.channel_stage import make_channel

        return plan_builds(session, make_channel(session))

    def build(session: "Session") -> "BuildResult | None":
        session.read_files()
        from cuvee.executors.executor_choice import ExecutorKind
        from cuvee.release.build_stage import make_builds
        from cuvee.release.channel_stage import make_channel

        channel, choice = make_channel(session), session.options.executor
        if choice.kind is ExecutorKind.THREADS:
            return make_builds(session, channel, check_reproducible=check_reproducible)
        from cuvee.executors.opened_executor import opened_executor
        from cuvee.release.build_work import BUILDS_AT_ONCE

        with opened_executor(choice, jobs=BUILDS_AT_ONCE, reporter=session.reporter) as executor:
            return make_builds(session, channel, check_reproducible=check_reproducible, executor=executor)

    if plans:
        planned = run_pipeline(plan, manifest=manifest, as_json=as_json, **options)
        if as_json:
            write_json(encode(planned))
        else:
            _say_plan(planned)
        return 0
    built = run_pipeline(build, manifest=manifest, as_json=as_json, **options)
    if as_json:
        write_json(encode(built))
    else:
        _say_result(built)
    return 1 if built is not None and built.irreproducible else 0


def _say_plan(plan: "BuildPlan") -> None:
    from cuvee.build.build_plan import BuildAction

    for wave in sorted({item.wave for item in plan.builds}):
        say(f"wave {wave}")
        for item in plan.builds:
            if item.wave == wave:
                tested = f"; not tested: {item.not_tested}" if item.not_tested else ""
                say(f"  {item.action.value:<6} {item.identifier}: {item.reason}{tested}")
    for left in plan.not_built:
        say(f"not built: {left.name} for {left.platform}, {left.reason}")
    for name in plan.unneeded:
        say(f"not needed: {name}, neither by the manifest nor by another recipe")
    counts = Counter(item.action for item in plan.builds)
    taken = f", {counts[BuildAction.TAKE]} from elsewhere" if counts[BuildAction.TAKE] else ""
    say(f"{counts[BuildAction.BUILD]} to build, {counts[BuildAction.REUSE]} from the cache{taken}")


def _say_result(built: "BuildResult | None") -> None:
    if built is None:
        say("The manifest has no recipes.")
        return
    for item in built.packages:
        made = "from the cache" if item.reused else f"built in {item.seconds:.1f} s"
        made = f"built elsewhere, on {item.built_on}" if item.built_on else made
        tested = f", not tested: {item.not_tested}" if item.not_tested else ""
        say(f"{item.stem}@{item.subdir}: {made}{tested}")
    for left in built.not_built:
        say(f"not built: {left.name} for {left.platform}, {left.reason}")
    for name in built.unneeded:
        say(f"not needed: {name}, neither by the manifest nor by another recipe")
    for found in built.irreproducible:
        say(f"two builds of {found.package} differ:")
        for path in found.files:
            say(f"  {path}")
