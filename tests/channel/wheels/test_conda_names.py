import pytest

from cuvee.channel.wheels import WheelRequest
from cuvee.channel.wheels.conda_names import conda_names
from cuvee.errors import ManifestError


def asked(name: str, conda_name: str = "", *, line: int = 1) -> WheelRequest:
    return WheelRequest(
        name=name, conda_name=conda_name, platforms=("linux-64",), position=f"m.yaml:{line}:3"
    )


@pytest.mark.parametrize("name", ["typing_extensions", "typing-extensions", "typing.extensions"])
def test_a_project_is_called_as_its_channel_calls_it(name: str) -> None:
    names = conda_names({name, "openssl"}, [asked("pydantic", "pydantic")])
    assert names["typing-extensions"] == name


def test_of_several_names_that_of_the_manifest_is_taken_else_the_normalised_one() -> None:
    carried = {"importlib_metadata", "importlib-metadata"}
    assert conda_names(carried, [])["importlib-metadata"] == "importlib-metadata"
    wanted = [asked("importlib-metadata", "importlib_metadata")]
    assert conda_names(carried, wanted)["importlib-metadata"] == "importlib_metadata"


@pytest.mark.parametrize("name", ["zope.interface", "ruamel.yaml", "typing_extensions", "flask_sqlalchemy"])
def test_what_is_imported_is_called_as_in_the_manifest(name: str) -> None:
    project = name.replace(".", "-").replace("_", "-")
    assert conda_names((), [asked(project, name)]) == {project: name}


def test_two_names_for_one_imported_project_are_refused() -> None:
    twice = [asked("ruamel-yaml", "ruamel.yaml"), asked("ruamel-yaml", "ruamel_yaml", line=2)]
    with pytest.raises(ManifestError, match=r"^m\.yaml:2:3: ruamel_yaml is the same .* ruamel\.yaml at m\.y"):
        conda_names((), twice)
    assert conda_names({"ruamel.yaml", "ruamel_yaml"}, twice)["ruamel-yaml"] in {"ruamel.yaml", "ruamel_yaml"}
