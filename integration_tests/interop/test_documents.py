"""Documents that one library writes and another one reads."""

import datetime as dt

import pytest

CONFIG = """
title: Quarterly <report> & more
author: &author {name: Ångström, mail: a@example.org}
reviewer: *author
sections:
  - {heading: Income, rows: {North: 12.5, South: 7}}
  - {heading: Costs, rows: {Rent: 3}}
version: "3.10"
"""

TEMPLATE = """<!DOCTYPE html>
<html lang="en"><head><title>{{ title }}</title></head><body>
<h1>{{ title }}</h1>
<p class="by">{{ author.name }}</p>
{% for section in sections %}<section><h2>{{ section.heading }}</h2>
<table>{% for name, value in section.rows|dictsort %}
<tr><th>{{ name }}</th><td>{{ "%.2f"|format(value) }}</td></tr>
{% endfor %}</table></section>{% endfor %}
</body></html>"""


@pytest.mark.packages("pyyaml", "jinja2", "beautifulsoup4", "lxml")
@pytest.mark.parametrize("parser", ["lxml", "html.parser"])
def test_a_configuration_drives_a_report(parser):
    import yaml
    from bs4 import BeautifulSoup
    from jinja2 import Environment, StrictUndefined

    config = yaml.safe_load(CONFIG)
    assert config["reviewer"] == config["author"]
    assert config["version"] == "3.10"
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    page = BeautifulSoup(environment.from_string(TEMPLATE).render(config), parser)
    assert page.h1.get_text() == config["title"]
    assert page.find("report") is None
    tables = {
        section.h2.get_text(): {row.th.get_text(): float(row.td.get_text()) for row in section.find_all("tr")}
        for section in page.find_all("section")
    }
    assert tables == {section["heading"]: section["rows"] for section in config["sections"]}


@pytest.mark.packages("lxml", "pandas", "beautifulsoup4")
def test_tables_are_read_from_html_and_xml():
    import io

    import pandas as pd
    from lxml import etree

    table = pd.DataFrame({"name": ["a & b", "<c>"], "value": [1.5, 2.5]})
    for flavour in ("lxml", "bs4") if has("html5lib") else ("lxml",):
        (read,) = pd.read_html(io.StringIO(table.to_html(index=False)), flavor=flavour)
        pd.testing.assert_frame_equal(read, table)
    xml = table.to_xml(index=False, parser="lxml")
    root = etree.fromstring(xml.encode())
    assert root.xpath("sum(//value)") == 4
    pd.testing.assert_frame_equal(
        pd.read_xml(io.StringIO(xml), xpath="//row[value > 2]").reset_index(drop=True),
        table[1:].reset_index(drop=True),
    )


@pytest.mark.packages("jinja2", "babel")
def test_a_page_speaks_several_languages():
    from babel.dates import format_date
    from babel.numbers import format_currency, format_decimal
    from jinja2 import Environment

    environment = Environment(autoescape=True)
    environment.filters["number"] = lambda value, locale: format_decimal(value, locale=locale)
    environment.filters["day"] = lambda value, locale: format_date(value, "long", locale=locale)
    template = environment.from_string("{{ when|day(locale) }}: {{ amount|number(locale) }}")
    values = {"when": dt.date(2026, 3, 1), "amount": 1234567.891}
    assert template.render(values, locale="en_US") == "March 1, 2026: 1,234,567.891"
    assert template.render(values, locale="de_DE") == "1. März 2026: 1.234.567,891"
    assert "¥" in format_currency(1000, "JPY", locale="ja_JP") or "￥" in format_currency(
        1000, "JPY", locale="ja_JP"
    )


@pytest.mark.packages("click", "rich", "tqdm")
def test_a_command_draws_a_table_and_a_bar():
    import io

    import click
    from click.testing import CliRunner
    from rich.console import Console
    from rich.table import Table
    from tqdm import tqdm

    @click.command()
    @click.option("--count", type=click.IntRange(1, 5), required=True)
    def command(count) -> None:
        bar = io.StringIO()
        table = Table("number", "square")
        for number in tqdm(range(1, count + 1), file=bar, ascii=True):
            table.add_row(str(number), str(number**2))
        stream = io.StringIO()
        Console(file=stream, width=40).print(table)
        click.echo(stream.getvalue())
        click.echo(bar.getvalue().replace("\r", "\n"))

    result = CliRunner().invoke(command, ["--count", "4"])
    assert result.exit_code == 0, result.output
    assert "16" in result.output
    assert "4/4" in result.output
    assert CliRunner().invoke(command, ["--count", "9"]).exit_code == 2


def has(module):
    import importlib.util

    return importlib.util.find_spec(module) is not None
