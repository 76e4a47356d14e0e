import pytest

from cuvee.channel.wheels.import_names import import_names


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["six.py"], ("six",)),
        (["yaml/__init__.py", "yaml/x.py", "_yaml/__init__.py"], ("yaml",)),
        (["google/protobuf/__init__.py", "google/protobuf/x.py"], ("google.protobuf",)),
        (["a/b/c/__init__.py", "a/b/d/__init__.py"], ("a.b.c", "a.b.d")),
        (["a/b/c/d/__init__.py"], ()),
        (["mpl/__init__.py", "mpl/tests/__init__.py", "tests/__init__.py", "pylab.py"], ("mpl", "pylab")),
        (["fast.cpython-311-x86_64-linux-gnu.so", "slow.pyd", "any.abi3.so", "win.cp311-win_amd64.pyd"],
         ("any", "fast", "slow", "win")),
        (["foo-stubs/__init__.pyi", "foo-stubs/__init__.py"], ()),
        (["pkg/__init__.cpython-311-x86_64-linux-gnu.so"], ("pkg",)),
        (["libx.so.1", "demo.libs/libx-1.so", "a.pth", "data/x.txt", "ns/loose.py"], ()),
        (["_bindings/__init__.py", "_x.abi3.so"], ("_bindings", "_x")),
        (["conftest.py", "setup.py", "docs/__init__.py", "__init__.py"], ()),
    ],
)  # fmt: skip
def test_what_must_import(paths: list[str], expected: tuple[str, ...]) -> None:
    assert import_names(paths) == expected


def test_programs_are_no_modules() -> None:
    assert import_names(["run.py", "mod.py"], is_script=lambda path: path == "run.py") == ("mod",)
