"""Models, schemas, templates and the text that they make."""

import json

import pytest

pytestmark = pytest.mark.packages("pydantic", "jsonschema")


@pytest.mark.packages("typing-extensions", "annotated-types", "pydantic-core")
def test_models_and_their_schemas_accept_the_same():
    from typing import Annotated, Literal, NotRequired

    import jsonschema
    from annotated_types import Interval, MultipleOf
    from pydantic import BaseModel, TypeAdapter, ValidationError
    from typing_extensions import TypedDict

    class Place(TypedDict):
        row: Annotated[int, Interval(ge=0, lt=8)]
        note: NotRequired[str]

    class Move(BaseModel):
        kind: Literal["jump", "slide"]
        to: list[Place]
        cost: Annotated[int, MultipleOf(5)] = 0

    validator = jsonschema.Draft202012Validator(Move.model_json_schema())
    jsonschema.Draft202012Validator.check_schema(Move.model_json_schema())
    good = {"kind": "jump", "to": [{"row": 0}, {"row": 7, "note": "é"}], "cost": 10}
    bad = [
        good | {"kind": "fly"},
        good | {"to": [{"row": 8}]},
        good | {"to": [{"row": 1, "note": 2}]},
        good | {"to": [{"note": "a"}]},
        good | {"cost": 7},
        {"kind": "jump"},
    ]
    assert validator.is_valid(good)
    assert Move.model_validate(good).model_dump(mode="json") == good
    for document in bad:
        assert not validator.is_valid(document), document
        with pytest.raises(ValidationError):
            Move.model_validate(document)
    assert TypeAdapter(Place).json_schema()["required"] == ["row"]


@pytest.mark.packages("referencing", "rpds-py", "pyyaml", "attrs")
def test_schemas_refer_to_each_other():
    import jsonschema
    import yaml
    from referencing import Registry, Resource

    address = yaml.safe_load(
        """
        $schema: https://json-schema.org/draft/2020-12/schema
        $id: https://example.org/address
        type: object
        properties: {town: {type: string, pattern: "^[A-ZÅ]"}}
        required: [town]
        """
    )
    registry = Registry().with_resource(address["$id"], Resource.from_contents(address))
    person = {"properties": {"home": {"$ref": "https://example.org/address"}}}
    validator = jsonschema.Draft202012Validator(person, registry=registry)
    assert validator.is_valid({"home": {"town": "Århus".replace("Å", "Å")}})
    (error,) = validator.iter_errors({"home": {"town": "oslo"}})
    assert list(error.absolute_path) == ["home", "town"]


@pytest.mark.packages("hypothesis", "attrs", "typing-extensions")
def test_values_are_made_from_types():
    import attrs
    from hypothesis import given, settings
    from hypothesis import strategies as st
    from pydantic import TypeAdapter

    @attrs.frozen
    class Point:
        x: int = attrs.field(validator=attrs.validators.instance_of(int))
        name: str = attrs.field(converter=str.strip)

    @settings(max_examples=50, deadline=None, database=None, derandomize=True)
    @given(st.builds(Point, x=st.integers(), name=st.text()), st.from_type(dict[str, list[int]]))
    def check(point, mapping) -> None:
        assert point.name == point.name.strip()
        assert attrs.evolve(point, x=1).x == 1
        assert hash(Point(**attrs.asdict(point))) == hash(point)
        adapter = TypeAdapter(dict[str, list[int]])
        assert adapter.validate_json(adapter.dump_json(mapping)) == mapping

    check()


@pytest.mark.packages("sqlalchemy", "typing-extensions")
def test_rows_become_models():
    import sqlalchemy as sa
    from pydantic import BaseModel, ConfigDict
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        books: Mapped[list["Book"]] = relationship(order_by="Book.title")

    class Book(Base):
        __tablename__ = "book"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str | None]
        author_id: Mapped[int] = mapped_column(sa.ForeignKey("author.id"))

    class BookModel(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        title: str | None

    class AuthorModel(BookModel):
        title: None = None
        name: str
        books: list[BookModel]

    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Author(name="Ursula", books=[Book(title="B"), Book(title="A")]))
        session.commit()
        author = session.scalars(sa.select(Author)).one()
        model = AuthorModel.model_validate(author)
    engine.dispose()
    assert json.loads(model.model_dump_json(exclude={"title"})) == {
        "name": "Ursula",
        "books": [{"title": "A"}, {"title": "B"}],
    }


@pytest.mark.packages("jinja2", "markupsafe", "pandas", "beautifulsoup4")
def test_markup_is_escaped_once():
    import pandas as pd
    from bs4 import BeautifulSoup
    from jinja2 import Environment
    from markupsafe import Markup, escape

    table = pd.DataFrame({"a": ["<b>", "x & y"]})
    styled = table.style.format(escape="html").set_caption("R&amp;D").to_html()
    page = (
        Environment(autoescape=True)
        .from_string("<div>{{ raw }}</div>{{ safe }}{{ 'a' ~ mark }}")
        .render(raw="<i>", safe=Markup(styled), mark=escape("&"))  # noqa: S704  pandas escaped it
    )
    soup = BeautifulSoup(page, "html.parser")
    assert soup.div.get_text() == "<i>"
    assert [cell.get_text() for cell in soup.select("td")] == ["<b>", "x & y"]
    assert soup.caption.get_text() == "R&D"
    assert page.endswith("a&amp;")


@pytest.mark.packages("rich", "pygments", "markdown-it-py", "mistune")
def test_text_is_highlighted_and_marked_up_alike():
    import io

    import mistune
    from markdown_it import MarkdownIt
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from rich.console import Console
    from rich.markdown import Markdown
    from rich.syntax import Syntax

    text = "# Title\n\n* one\n* *two* & `x < 1`\n"
    first, second = MarkdownIt().render(text), mistune.html(text)
    assert first.split() == second.split()
    code = "def f(x):\n    return x ** 2  # é\n"
    assert '<span class="nf">f</span>' in highlight(code, get_lexer_by_name("python"), HtmlFormatter())
    stream = io.StringIO()
    console = Console(
        file=stream, width=50, force_terminal=True, color_system="truecolor", legacy_windows=False
    )
    console.print(Markdown(text), Syntax(code, "python", theme="monokai"))
    shown = stream.getvalue()
    assert "\x1b[38;2;" in shown
    assert "é" in shown


@pytest.mark.packages("nbformat", "nbconvert", "fastjsonschema", "bleach", "beautifulsoup4")
def test_old_notebooks_are_upgraded_checked_and_cleaned():
    import fastjsonschema
    import jsonschema
    import nbformat
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter

    old = {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [
            {
                "cells": [
                    {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Old"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": ["print(1)"],
                        "language": "python",
                        "metadata": {},
                        "outputs": [{"output_type": "stream", "stream": "stdout", "text": ["1\n"]}],
                    },
                    {"cell_type": "markdown", "metadata": {}, "source": ["<script>alert(1)</script> text"]},
                ],
                "metadata": {},
            }
        ],
    }
    new = nbformat.reads(json.dumps(old), as_version=4)
    nbformat.validate(new)
    schema = json.loads(json.dumps(nbformat.validator.get_validator(version=4)._schema))  # noqa: SLF001
    jsonschema.validate(json.loads(nbformat.writes(new)), schema)
    fastjsonschema.compile(schema)(json.loads(nbformat.writes(new)))
    html, _ = HTMLExporter(sanitize_html=True).from_notebook_node(new)
    page = BeautifulSoup(html, "html.parser")
    assert "Old" in page.get_text()
    assert "text" in page.select(".jp-MarkdownOutput")[-1].get_text()
    assert not any("alert(1)" in script.get_text() for script in page.find_all("script"))


@pytest.mark.packages("dask", "distributed", "pyyaml", "click")
def test_configuration_files_are_found_and_merged(tmp_path, monkeypatch):
    import dask
    import distributed  # noqa: F401  brings its part of the configuration
    import yaml
    from click.testing import CliRunner
    from dask.cli import cli

    (tmp_path / "dask.yaml").write_text(
        yaml.safe_dump({"distributed": {"worker": {"memory": {"target": 0.5}}}})
    )
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path))
    assert dask.config.get("distributed.scheduler.work-stealing") is True
    with dask.config.set(dask.config.collect(paths=[str(tmp_path)], env={"DASK_ARRAY__CHUNK_SIZE": "1MiB"})):
        assert dask.config.get("distributed.worker.memory.target") == 0.5
        assert dask.config.get("array.chunk-size") == "1MiB"
    result = CliRunner().invoke(cli, ["config", "get", "distributed.version"])
    assert result.exit_code == 0, result.output
    assert result.output.strip() == "2"
