"""Files that one library writes and another one reads."""

import io
import json
import zipfile

import numpy as np
import pytest

pytestmark = pytest.mark.packages("pandas", "numpy")


@pytest.fixture
def table():
    import pandas as pd

    return pd.DataFrame(
        {"id": [1, 2, 3], "name": ["é", 'a "b", c', "line\nbreak"], "x": [0.1, 1e-300, -2.5e10]}
    )


@pytest.mark.packages("zstandard")
@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "csv.bz2", "csv.xz", "csv.zst", "csv.zip", "csv.tar.gz"])
def test_compressed_text_is_read_by_its_name(table, tmp_path, suffix):
    import pandas as pd
    import zstandard

    path = tmp_path / f"table.{suffix}"
    table.to_csv(path, index=False)
    pd.testing.assert_frame_equal(pd.read_csv(path), table)
    if suffix.endswith("zst"):
        with path.open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read().decode()
        assert text.replace("\r\n", "\n") == table.to_csv(index=False).replace("\r\n", "\n")


@pytest.mark.packages("fsspec")
def test_a_table_in_an_archive_in_a_file_system(table):
    import fsspec
    import pandas as pd

    memory = fsspec.filesystem("memory")
    with memory.open("/a.zip", "wb") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("deep/table.csv", table.to_csv(index=False))
    try:
        pd.testing.assert_frame_equal(pd.read_csv("zip://deep/table.csv::memory://a.zip"), table)
        table.to_json("memory://b.json", orient="records")
        assert json.loads(memory.cat("/b.json"))[0]["name"] == "é"
        with pytest.raises(FileNotFoundError):
            pd.read_csv("memory://missing.csv")
    finally:
        memory.rm("/a.zip")
        memory.rm("/b.json")


@pytest.mark.packages("openpyxl", "pillow", "et-xmlfile", "lxml")
def test_a_spreadsheet_holds_formulas_formats_and_pictures(table, tmp_path):
    import openpyxl
    import pandas as pd
    from lxml import etree
    from openpyxl.drawing.image import Image as SheetImage
    from PIL import Image

    path, picture = tmp_path / "book.xlsx", io.BytesIO()
    Image.new("RGB", (5, 4), (9, 8, 7)).save(picture, "png")
    with pd.ExcelWriter(path, engine="openpyxl") as writer:
        table.to_excel(writer, sheet_name="Données", index=False, freeze_panes=(1, 0))
        sheet = writer.sheets["Données"]
        sheet["D1"], sheet["D2"] = "sum", "=SUM(A2:A4)"
        sheet["C2"].number_format = "0.00%"
        sheet.add_image(SheetImage(picture), "F1")
    back = openpyxl.load_workbook(path)["Données"]
    assert (back["D2"].value, back["C2"].number_format, back.freeze_panes) == ("=SUM(A2:A4)", "0.00%", "A2")
    with Image.open(io.BytesIO(back._images[0]._data())) as image:  # noqa: SLF001
        assert (image.size, image.convert("RGB").getpixel((0, 0))) == ((5, 4), (9, 8, 7))
    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert len(root.findall(".//{*}row")) == 4
    read = pd.read_excel(path, usecols="A:C")
    pd.testing.assert_frame_equal(read, table)


@pytest.mark.packages("lxml")
def test_a_stylesheet_flattens_a_document():
    import pandas as pd

    document = "<r xmlns='urn:a'><p n='é'><v>1</v><v>2</v></p><p n='b'><v>3</v></p></r>"
    sheet = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:a="urn:a">
    <xsl:template match="/"><t><xsl:for-each select="//a:v">
    <row><n><xsl:value-of select="../@n"/></n><v><xsl:value-of select="."/></v></row>
    </xsl:for-each></t></xsl:template></xsl:stylesheet>"""
    table = pd.read_xml(io.StringIO(document), stylesheet=io.StringIO(sheet), xpath="//row", parser="lxml")
    assert table.to_dict("list") == {"n": ["é", "é", "b"], "v": [1, 2, 3]}


@pytest.mark.packages("networkx", "lxml", "scipy")
def test_graphs_are_exchanged(tmp_path):
    import networkx as nx
    import pandas as pd
    from lxml import etree
    from scipy.io import mmread, mmwrite

    edges = pd.DataFrame({"source": ["a", "b", "c"], "target": ["b", "c", "a"], "weight": [1.5, 2.0, 0.25]})
    graph = nx.from_pandas_edgelist(edges, edge_attr="weight", create_using=nx.DiGraph)
    nx.write_graphml_lxml(graph, tmp_path / "g.graphml")
    root = etree.parse(tmp_path / "g.graphml").getroot()
    assert len(root.findall(".//{*}edge")) == 3
    back = nx.read_graphml(tmp_path / "g.graphml")
    assert dict(back.adjacency()) == dict(graph.adjacency())
    pd.testing.assert_frame_equal(nx.to_pandas_edgelist(back), edges)
    mmwrite(tmp_path / "g.mtx", nx.to_scipy_sparse_array(graph))
    again = nx.from_scipy_sparse_array(mmread(tmp_path / "g.mtx").tocsr(), create_using=nx.DiGraph)
    assert sorted(data for *_, data in again.edges(data="weight")) == [0.25, 1.5, 2.0]


@pytest.mark.packages("beautifulsoup4", "lxml", "soupsieve")
def test_parsers_of_pages_find_the_same():
    from bs4 import BeautifulSoup
    from lxml import html

    page = (
        "<table id=t><tr><th>a<th>b<tr class='odd x'><td>1<td>&eacute;<tr><td>2<td>3</table>"
        "<p data-n='7'>un<b>closed"
    )
    tree = html.fromstring(f"<div>{page}</div>")
    for parser in ("lxml", "html.parser"):
        soup = BeautifulSoup(page, parser)
        assert soup.select_one("tr.odd td").find(string=True) == "1"
        assert soup.select_one("p[data-n='7'] b").get_text() == tree.xpath("string(//p/b)") == "closed"
    soup = BeautifulSoup(page, "lxml")
    cells = [cell.get_text() for cell in soup.select("#t td:nth-of-type(2)")]
    assert cells == [cell.text_content() for cell in tree.xpath("//td[2]")] == ["é", "3"]


@pytest.mark.packages("tqdm", "joblib")
def test_progress_is_counted_wherever_work_is_done(table):
    import joblib
    from tqdm import tqdm

    stream = io.StringIO()
    tqdm.pandas(file=stream, desc="rows", ascii=True)
    doubled = table["id"].progress_apply(lambda x: 2 * x)
    assert doubled.tolist() == [2, 4, 6]
    assert "3/3" in stream.getvalue()
    stream = io.StringIO()
    parallel = joblib.Parallel(n_jobs=2, backend="threading", return_as="generator")
    squares = list(
        tqdm(parallel(joblib.delayed(pow)(n, 2) for n in range(20)), total=20, file=stream, ascii=True)
    )
    assert squares == [n**2 for n in range(20)]
    assert "20/20" in stream.getvalue()


@pytest.mark.packages("h5py", "scipy")
def test_arrays_of_other_programs_are_exchanged(tmp_path):
    import h5py
    from scipy import io as scipy_io

    values = {"x": np.arange(6.0).reshape(2, 3), "name": np.array(["a", "bc"]), "z": np.array([[1 + 2j]])}
    scipy_io.savemat(tmp_path / "a.mat", values, do_compression=True)
    back = scipy_io.loadmat(tmp_path / "a.mat")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name in ("x", "z"):
            file[name] = back[name]
        file["sound"] = np.arange(-3, 3, dtype="int16")
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["x"][:], values["x"])
        assert file["z"].dtype == np.complex128
        scipy_io.wavfile.write(tmp_path / "a.wav", 8000, file["sound"][:])
    rate, sound = scipy_io.wavfile.read(tmp_path / "a.wav")
    assert (rate, sound.dtype, sound.tolist()) == (8000, np.int16, [-3, -2, -1, 0, 1, 2])
