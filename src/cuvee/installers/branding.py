"""What a distribution's installers look like: ``branding.yaml``, and the files beside it."""

from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import DocumentError
from cuvee.installers.picture_check import picture_problem
from cuvee.manifest.documents.named_files import named_text
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import DocumentSchema, Property, RecordType, ScalarType
from cuvee.manifest.documents.validated_tree import ValidatedValue, record_fields, scalar_at
from cuvee.manifest.documents.validation import read_document
from cuvee.manifest.scalar_types import WEB_ADDRESS, file_type, prose_type

BRANDING_FILE = "branding.yaml"
_LICENSE_FILE = "LICENSE.txt"

BRANDING = DocumentSchema(
    name="branding",
    noun="the branding",
    summary="Texts that the installers of a distribution show.",
    page="docs/reference/installer-settings.md",
    content=RecordType(
        noun="a mapping of texts", example="{publisher: The Starter developers}",
        keys=(
            Property(name="license", example="LICENSE.txt", default_text="`LICENSE.txt`, if it exists",
                type=file_type("a file", "LICENSE.txt"),
                summary="A file beside this one, whose text is shown for agreement."),
            Property(name="publisher", example="The Starter developers", type=prose_type("a text",
                "The Starter developers"),
                summary="Who answers for the release."),
            Property(name="url", example="https://example.org", type=WEB_ADDRESS,
                summary="Where users find help."),
            Property(name="identifier", example="org.example.starter",
                summary="What macOS knows the distribution by, in reverse domain order; by default "
                        "`local.<distribution>`.",
                type=ScalarType(noun="an identifier", example="org.example.starter",
                    pattern=r"^[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)*$",
                    rule="letters, digits, `-` and `.` only",
                        number=None)),
            Property(name="welcome", example="Python with packages for data.", type=prose_type("a text",
                "Python with packages."),
                summary="What the first page says."),
        ),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Branding:
    """Texts and pictures of an installer; each may be missing. See `BRANDING` for the texts.

    Attributes
    ----------
    license_text
        Shown for agreement; without it the installer asks nothing.
    welcome_picture
        ``welcome.bmp``, 164 by 314 pixels, beside the first and the last page.
    header_picture
        ``header.bmp``, 150 by 57 pixels, above the other pages, at their right. An `.exe` that is given no
        icon or picture shows plain ones.
    """

    license_text: str = ""
    publisher: str = ""
    url: str = ""
    identifier: str = ""
    welcome: str = ""
    icon: Path | None = None
    welcome_picture: Path | None = None
    header_picture: Path | None = None


def read_branding(folder: Path | None) -> Branding:
    """Return what ``branding.yaml`` and the files beside it say; without any, the default branding.

    Raises
    ------
    DocumentError
        With every problem of the file, and of the licence that it names; or if a picture cannot be shown.
    """
    if folder is None:
        return Branding()
    with Problems(folder / BRANDING_FILE, BRANDING) as problems:
        tree = read_document(folder / BRANDING_FILE, problems)
        return Branding(
            license_text=_license(tree, folder, problems),
            **{key: text for key, text in record_fields(tree).items() if key != "license"},
            icon=_picture(folder / "icon.ico"),
            welcome_picture=_picture(folder / "welcome.bmp"),
            header_picture=_picture(folder / "header.bmp"),
        )


def _license(tree: ValidatedValue | None, folder: Path, problems: Problems) -> str:
    stated = scalar_at(tree, "license") if tree else None
    if stated is not None:
        text = named_text(folder, stated, problems)
    elif not (folder / _LICENSE_FILE).is_file():
        return ""
    else:
        try:
            text = (folder / _LICENSE_FILE).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise DocumentError(f"{folder / _LICENSE_FILE} is not UTF-8 text") from error
        if "\0" in text:
            raise DocumentError(f"{folder / _LICENSE_FILE} is not text: it has null characters")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _picture(path: Path) -> Path | None:
    if not path.is_file():
        return None
    if problem := picture_problem(path):
        raise DocumentError(f"{path} cannot be shown: {problem}", hint="Save it again, or leave it out.")
    return path
