"""Charts that need more than one library to be drawn."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy", "matplotlib", "pillow")


def own_font():
    """Return the file of the font that matplotlib brings, not of one of the system with the same name."""
    import matplotlib as mpl

    return str(Path(mpl.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@pytest.mark.packages("fonttools")
def test_three_libraries_read_one_font():
    from fontTools.ttLib import TTFont
    from matplotlib.ft2font import FT2Font
    from PIL import ImageFont

    path = own_font()
    with TTFont(path) as font:
        cmap, metrics, units = font.getBestCmap(), font["hmtx"], font["head"].unitsPerEm
        widths = {letter: metrics[cmap[ord(letter)]][0] / units for letter in "WiÅя"}
    drawn, face = ImageFont.truetype(path, 200), FT2Font(path)
    face.set_size(200, 72)
    for letter, width in widths.items():
        assert drawn.getlength(letter) == pytest.approx(200 * width, abs=1.5)
        assert face.load_char(ord(letter)).linearHoriAdvance / 65536 == pytest.approx(200 * width, abs=1.5)


@pytest.mark.packages("fonttools")
def test_documents_embed_the_letters_that_they_use(plt):
    import matplotlib as mpl
    from fontTools.ttLib import TTFont

    with mpl.rc_context({"pdf.fonttype": 42, "pdf.compression": 0, "svg.fonttype": "path"}):
        figure = plt.figure()
        figure.text(0.5, 0.5, "Ångström я $\\alpha$")
        pdf, svg = io.BytesIO(), io.StringIO()
        figure.savefig(pdf, format="pdf", metadata={"CreationDate": None})
        figure.savefig(svg, format="svg")
    assert pdf.getvalue().startswith(b"%PDF-")
    assert b"/FontFile2" in pdf.getvalue()
    assert re.search(rb"/BaseFont /(?:[A-Z]{6}\+)?DejaVuSans", pdf.getvalue())
    with TTFont(own_font()) as font:
        outline = font.getGlyphID(font.getBestCmap()[ord("Å")])
    assert f'id="DejaVuSans-{outline:x}"' in svg.getvalue()


@pytest.mark.packages("kiwisolver")
def test_a_layout_keeps_labels_apart(plt):
    figure, axes = plt.subplots(2, 2, layout="constrained", figsize=(4, 3))
    for ax in axes.flat:
        ax.set(xlabel="a long label", ylabel="values\nin two lines", title="A title")
    figure.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in axes.flat]
    for number, box in enumerate(boxes):
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.width + 1
        assert not any(box.overlaps(other) for other in boxes[number + 1 :])


@pytest.mark.packages("contourpy", "scipy")
def test_lines_of_equal_height_enclose_their_area(plt):
    from contourpy import contour_generator
    from scipy.spatial import ConvexHull

    y, x = np.mgrid[-2:2:200j, -2:2:200j]
    (circle,) = contour_generator(x, y, x**2 + y**2).lines(1.0)
    assert ConvexHull(circle).volume == pytest.approx(np.pi, rel=1e-3)
    drawn = plt.contour(x, y, x**2 + y**2, levels=[1.0]).get_paths()[0]
    assert ConvexHull(drawn.vertices).volume == pytest.approx(np.pi, rel=1e-3)


@pytest.mark.packages("sympy", "pyparsing")
def test_formulas_are_typeset(plt, pixels):
    import sympy as sp
    from matplotlib.mathtext import MathTextParser

    x = sp.symbols("x")
    latex = sp.latex(sp.sqrt(x) / (1 + x**2) + sp.Sum(sp.pi**x, (x, 0, sp.oo)))
    width, height, *_ = MathTextParser("path").parse(f"${latex}$")
    assert width > height > 0
    figure = plt.figure(figsize=(3, 1))
    figure.text(0.1, 0.4, f"${latex}$", fontsize=20)
    assert (pixels(figure) < 100).all(axis=2).sum() > 300
    with pytest.raises(ValueError, match=r"ParseException|Unknown symbol"):
        MathTextParser("path").parse(r"$\nothing{x}$")


@pytest.mark.packages("sympy")
@pytest.mark.usefixtures("plt")
def test_symbols_are_plotted():
    import sympy as sp
    from sympy.plotting import plot

    x = sp.symbols("x")
    made = plot(sp.sin(x) / x, (x, 1, 10), show=False, adaptive=False, n=101, backend="matplotlib")
    made.process_series()
    points, values = np.asarray(made.ax.lines[0].get_data(), dtype=float)
    assert len(points) == 101
    np.testing.assert_allclose(values, np.sinc(points / np.pi), atol=1e-9)


def test_frames_become_an_animation(plt, tmp_path):
    from matplotlib.animation import FuncAnimation, PillowWriter
    from PIL import Image, ImageSequence

    figure, axes = plt.subplots(figsize=(1, 1))
    axes.set_position((0, 0, 1, 1))
    axes.axis("off")
    axes.set(xlim=(0, 4), ylim=(0, 1))
    (bar,) = axes.bar([0], [1], width=1, align="edge", color="#ff0000")
    animation = FuncAnimation(figure, bar.set_x, frames=4)
    animation.save(tmp_path / "a.gif", writer=PillowWriter(fps=5))
    with Image.open(tmp_path / "a.gif") as image:
        frames = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(image)]
    assert len(frames) == 4
    centres = [np.argwhere(frame[..., 0] - frame[..., 1] > 150)[:, 1].mean() for frame in frames]
    np.testing.assert_allclose(centres, [12, 37, 62, 87], atol=2)


@pytest.mark.packages("seaborn", "pandas", "statsmodels", "scipy")
def test_fits_are_drawn_where_they_are_computed(plt):
    import pandas as pd
    import seaborn as sns
    from scipy import stats
    from statsmodels.nonparametric.smoothers_lowess import lowess

    rng = np.random.default_rng(6)
    table = pd.DataFrame({"x": np.linspace(0, 5, 60)})
    table["y"] = table["x"] ** 2 + rng.normal(scale=0.3, size=60)
    (curve,) = sns.regplot(table, x="x", y="y", lowess=True, scatter=False).lines
    np.testing.assert_allclose(curve.get_xydata(), lowess(table["y"], table["x"]))
    _, axes = plt.subplots()
    (density,) = sns.kdeplot(table, x="y", ax=axes).lines
    at, height = density.get_xydata()[100]
    assert stats.gaussian_kde(table["y"])(at)[0] == pytest.approx(height, rel=1e-6)


@pytest.mark.packages("pandas")
def test_a_table_draws_its_own_chart(plt):
    import pandas as pd

    table = pd.DataFrame(
        {"high": [3.0, 1.0, 2.0], "low": [1.0, 0.5, np.nan]}, index=pd.Index(["a", "b", "c"], name="place")
    )
    axes = table.plot.bar(color={"high": "#123456", "low": "#fedcba"}, rot=0)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["high", "low"]
    heights = [[bar.get_height() for bar in bars] for bars in axes.containers]
    assert heights[0] == [3, 1, 2]
    assert axes.get_xlabel() == "place"
    boxes = table.plot.box(ax=plt.subplots()[1], return_type="dict")
    assert boxes["medians"][0].get_ydata().tolist() == [2, 2]


@pytest.mark.packages("bokeh", "networkx", "pandas")
def test_a_document_carries_arrays_times_and_graphs():
    import networkx as nx
    import pandas as pd
    from bokeh.core.json_encoder import serialize_json
    from bokeh.document import Document
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure, from_networkx

    when = pd.date_range("2026-01-01", periods=3)
    plot = figure(x_axis_type="datetime")
    plot.scatter(
        "when", "x", source=ColumnDataSource({"when": when, "x": np.array([1, np.nan, 3], "float32")})
    )
    plot.renderers.append(from_networkx(nx.cycle_graph(4), nx.circular_layout))
    document = Document()
    document.add_root(plot)
    again = Document.from_json(json.loads(serialize_json(document.to_json(deferred=False))))
    sources = [source for source in again.select({"type": ColumnDataSource}) if "when" in source.data]
    assert sources[0].data["x"].dtype == np.float32
    np.testing.assert_array_equal(sources[0].data["x"], np.array([1, np.nan, 3], "float32"))
    milliseconds = when.to_numpy().astype("datetime64[ms]").astype("int64")
    np.testing.assert_allclose(np.asarray(sources[0].data["when"]).astype("float64"), milliseconds)
    edges = [source for source in again.select({"type": ColumnDataSource}) if "start" in source.data]
    assert len(edges[0].data["start"]) == 4


@pytest.mark.packages("altair", "pandas", "narwhals", "jsonschema")
def test_a_chart_knows_the_types_of_columns():
    import altair as alt
    import pandas as pd

    table = pd.DataFrame(
        {
            "when": pd.date_range("2026-01-01", periods=3, tz="Europe/Berlin"),
            "size": pd.Categorical(["s", "l", "s"], categories=["s", "l"], ordered=True),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "good": [True, False, True],
        }
    )
    spec = alt.Chart(table).mark_point().encode(x="when", y="n", color="size", shape="good").to_dict()
    kinds = {field["field"]: field["type"] for field in spec["encoding"].values()}
    assert kinds == {"when": "temporal", "n": "quantitative", "size": "ordinal", "good": "nominal"}
    assert spec["encoding"]["color"]["sort"] == ["s", "l"]
    (rows,) = spec["datasets"].values()
    assert rows[1]["n"] is None
    assert rows[0]["when"].startswith("2026-01-01T00:00:00")
