"""What the stages after the channel's import, imported while a run waits for the Python index.

All of it is needed later in the run, by its main thread, which would import it while nothing else is to do.
"""

import importlib

MODULES = (
    "cuvee.release.build_work",
    "cuvee.release.check_stage",
    "cuvee.release.platform_stages",
    "cuvee.release.pictures",
    "cuvee.image.build",
    "cuvee.installers.sh",
    "cuvee.trust.sbom",
    "cuvee.trust.spdx_document",
    "cuvee.report.summary",
    "cuvee.report.writer",
    "lief",
    "networkx",
)


def import_ahead() -> None:
    """Import them, and compile the templates of the report."""
    for name in MODULES:
        importlib.import_module(name)
    from cuvee.report.html import compile_templates

    compile_templates()
