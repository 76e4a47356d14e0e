"""Pictures, looked at as pixels or as the documents they are."""

import json

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy")


def share(picture, colour):
    """Return the share of a picture's pixels that have just this colour."""
    return float((picture == np.array(colour)).all(axis=2).mean())


@pytest.mark.packages("matplotlib", "pillow")
def test_a_plot_has_the_colours_and_places_of_its_data(plt, pixels):
    figure, axes = plt.subplots(figsize=(4, 3))
    axes.set_position((0, 0, 1, 1))
    axes.axis("off")
    axes.set(xlim=(0, 4), ylim=(0, 1))
    axes.bar([0.5, 2.5], [1, 0.5], width=1, color=["#ff0000", "#0000ff"], antialiased=False)
    picture = pixels(figure)
    assert picture.shape == (300, 400, 3)
    assert share(picture, (255, 0, 0)) == pytest.approx(1 / 4, abs=0.01)
    assert share(picture, (0, 0, 255)) == pytest.approx(1 / 8, abs=0.01)
    assert tuple(picture[250, 50]) == (255, 0, 0)
    assert tuple(picture[50, 250]) == (255, 255, 255)
    assert tuple(picture[250, 250]) == (0, 0, 255)


@pytest.mark.packages("matplotlib", "pillow")
def test_an_array_becomes_an_image_and_back(plt, tmp_path):
    from PIL import Image, ImageFilter

    board = (np.indices((64, 64)).sum(axis=0) // 8 % 2 * 255).astype("uint8")
    plt.imsave(tmp_path / "board.png", board, cmap="gray", vmin=0, vmax=255)
    with Image.open(tmp_path / "board.png") as image:
        np.testing.assert_array_equal(np.asarray(image.convert("L")), board)
        image.convert("RGB").save(tmp_path / "board.webp", lossless=True)
        soft = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(4)))
    np.testing.assert_array_equal(plt.imread(tmp_path / "board.webp")[..., 0], board)
    assert soft.std() < board.std() / 2


@pytest.mark.packages("seaborn", "matplotlib", "pandas", "pillow")
@pytest.mark.usefixtures("plt")
def test_a_statistical_plot_shows_its_groups(pixels):
    import pandas as pd
    import seaborn as sns

    rng = np.random.default_rng(1)
    table = pd.DataFrame({"group": ["low"] * 50 + ["high"] * 50, "value": rng.normal(size=100)})
    table.loc[table["group"] == "high", "value"] += 5
    axes = sns.boxplot(
        data=table,
        x="group",
        y="value",
        hue="group",
        palette={"low": "#00ff00", "high": "#ff00ff"},
        saturation=1,
    )
    assert [label.get_text() for label in axes.get_xticklabels()] == ["low", "high"]
    picture = pixels(axes.figure)
    green = np.argwhere((picture == (0, 255, 0)).all(axis=2))
    magenta = np.argwhere((picture == (255, 0, 255)).all(axis=2))
    assert len(green) > 100
    assert len(magenta) > 100
    # Rows count downwards, columns to the right: the high group is above and right of the low one.
    assert magenta[:, 0].mean() < green[:, 0].mean()
    assert magenta[:, 1].mean() > green[:, 1].mean()


@pytest.mark.packages("networkx", "matplotlib", "pillow", "scipy")
def test_a_graph_is_laid_out_and_drawn(plt, pixels):
    import networkx as nx

    graph = nx.barbell_graph(5, 1)
    places = nx.spring_layout(graph, seed=3)
    gap = np.linalg.norm(
        np.mean([places[n] for n in range(5)], axis=0) - np.mean([places[n] for n in range(6, 11)], axis=0)
    )
    spread = max(np.std([places[n] for n in range(5)], axis=0))
    assert gap > 2 * spread
    figure, axes = plt.subplots(figsize=(4, 4))
    axes.axis("off")
    nx.draw_networkx_edges(graph, places, ax=axes, edge_color="#0000ff", width=3)
    nx.draw_networkx_nodes(graph, places, ax=axes, node_color="#ff0000", node_size=200)
    picture = pixels(figure)
    assert share(picture, (255, 0, 0)) > 0.01
    for place in places.values():
        column, row = axes.transData.transform(place).astype(int)
        assert tuple(picture[picture.shape[0] - 1 - row, column]) == (255, 0, 0)


@pytest.mark.packages("altair", "pandas", "jsonschema")
def test_a_declared_chart_is_valid_and_carries_its_data():
    import altair as alt
    import pandas as pd

    table = pd.DataFrame({"x": [1, 2, 3], "y": [2.5, 1.5, 0.5], "kind": ["a", "b", "a"]})
    chart = alt.Chart(table).mark_point().encode(x="x:Q", y="y:Q", color="kind:N")
    spec = json.loads(chart.to_json())
    (rows,) = spec["datasets"].values()
    assert rows == table.to_dict("records")
    assert spec["encoding"]["color"]["field"] == "kind"
    assert alt.Chart.from_json(chart.to_json()).to_dict() == spec
    with pytest.raises(alt.utils.schemapi.SchemaValidationError):
        alt.Chart(table).mark_point().encode(x=alt.X("x", type="impossible")).to_dict()


@pytest.mark.packages("bokeh", "pandas", "beautifulsoup4")
def test_an_interactive_page_holds_its_data():
    import pandas as pd
    from bokeh.embed import file_html
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure
    from bokeh.resources import INLINE
    from bs4 import BeautifulSoup

    table = pd.DataFrame({"x": [1, 2, 3], "y": [4, 6, 5]})
    plot = figure(title="A page of its own", width=300, height=200)
    plot.line("x", "y", source=ColumnDataSource(table))
    page = BeautifulSoup(file_html(plot, INLINE, "Page"), "html.parser")
    assert page.title.get_text(strip=True) == "Page"
    document = json.loads(page.find("script", type="application/json").get_text())
    (root,) = next(iter(document.values()))["roots"]
    assert "A page of its own" in json.dumps(root)
    assert not page.find_all("script", src=True)  # nothing is fetched from elsewhere
