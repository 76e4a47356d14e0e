"""Objects that are pickled, hashed and cached, here and by older releases."""

import base64
import pickle
import zlib

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy")

# A DataFrame with integers, floats, text, categories and times of UTC, pickled with protocol 4 by
# pandas 2.2.3 and numpy 1.26.4, compressed with zlib, as base 85
PANDAS_2 = (
    b"c-oCrOKa6Y6i(8lPqi(@KA<SLsvuX~2^LCwFNzI~pcPRlVUkR5!p+NMLVJt#1+6X2uE&i#m;M9y{t?&i+_}>;lU#3Zdl3_onMuz1"
    b"&g1)L-s&Ge8;ZR6Y)WE}<PA5;Xk#}c5d}WcB8=RZ^E0^l4h~_3>vq)6fM2Vd2Qi~rOv1bok(jh;mIJ@E5hiYDt6Zb|3ZJiB>@aZh"
    b"z7OzeyNJ`k?S#~JgcDlxt8o#f-4Z@3LKcuLBVB~GGwLRB&a%Q~!qAY0z{e0<nw){D96?ic-~&8{6;s7qI|hH68y@SXq7<$Lcj5G;"
    b"{6E6gRj@2;^EY1dWhxAu)8>p?wnova5%4n~cZvYhi7{^@4+EFVfFg>3Gd1z{r~E7atVqM38%$!6YrD13{_@bkWw`Ha<@oE32<+bw"
    b"5dR(J(LjN(&K0;O;_M(N+P5!Y(Gp%WM+V{f+yG;;y;%0LZKvJ+K4(^IUHsV~ZijlJy93%Ny&5iIw4G#uOG4mN&D!b=Hm{HV)GZN{"
    b"FV$ToU3oPCpQ(AZDkdvYPWIr1-Qu7$J-Uw|4#`o_lXgt^?1$nTI{Qz!(VI(Ydnk9f*i;P{_hh?N0vv@U8picl><g<n7I}{)nMX4$"
    b"|Fm$110W~Cof`A2!<g3;Rd9WX(iM!1nEE-wAMoWN&BeSa3nEec<yJLcuQo%!x&9WP?)}|<ajt`U5eE!6hS0Uf4uFsMKyfODgCrK_"
    b"{(C+lmL3hUS5o?T3-}{^h86!;l3RUA>KBBMIW$FZ>7X(=hTc~A^m_Z&*9Aoxzx`urezD#j-8Aa$VSp6*PyJ_z<v+ieh|#ApMjH3="
    b"!HU%mK6{c<-znMr2S!Z_Df+#v{J0u`bfr=ax{b}n<5TFVca+)@Wkd>W2Tu;d7#@;`z(?)fkhJA=frMeQm)l;E;<<v|w?pDkJRnc<"
    b"!fE^ga%3|%"
)


@pytest.mark.packages("pandas", "scipy", "networkx", "sympy", "python-dateutil")
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_keeps_objects_of_many_libraries(protocol):
    import datetime as dt

    import networkx as nx
    import pandas as pd
    import sympy as sp
    from dateutil import tz
    from scipy import sparse

    x = sp.symbols("x", positive=True)
    table = pd.DataFrame(
        {
            "when": pd.date_range("2026-10-25", periods=4, freq="h", tz="Europe/Berlin"),
            "kind": pd.Categorical(["a", "b", None, "a"]),
            "text": ["é", "", None, "z"],
            "span": pd.period_range("2026-01", periods=4, freq="M"),
        }
    )
    stored = {
        "table": table,
        "matrix": sparse.csr_matrix(np.eye(3)),
        "graph": nx.path_graph(4, create_using=nx.DiGraph),
        "formula": sp.sqrt(x**2) + sp.Rational(1, 3),
        "moment": dt.datetime(2026, 7, 1, tzinfo=tz.gettz("Europe/Berlin") or tz.UTC),
    }
    back = pickle.loads(pickle.dumps(stored, protocol=protocol))
    pd.testing.assert_frame_equal(back["table"], table)
    assert back["table"]["when"].dt.tz == table["when"].dt.tz
    assert (back["matrix"] != stored["matrix"]).nnz == 0
    assert nx.utils.graphs_equal(back["graph"], stored["graph"])
    assert back["formula"] == x + sp.Rational(1, 3)
    assert back["moment"].utcoffset() == stored["moment"].utcoffset()


def test_an_array_that_numpy_1_pickled_is_read():
    # pickle.dumps(numpy.array([1.5, -2.0]), protocol=0) of numpy 1.26, whose modules have moved since
    old = (
        b"cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\nc_codecs\nencode\np3\n"
        b"(Vb\np4\nVlatin1\np5\ntp6\nRp7\ntp8\nRp9\n(I1\n(I2\ntp10\ncnumpy\ndtype\np11\n(Vf8\np12\nI00\nI01\n"
        b"tp13\nRp14\n(I3\nV<\np15\nNNNI-1\nI-1\nI0\ntp16\nbI00\ng3\n(V\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\xf8?"
        b"\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\\u0000\xc0\np17\ng5\ntp18\nRp19\ntp20\nb."
    )
    array = pickle.loads(old)
    assert array.dtype == np.float64
    assert array.tolist() == [1.5, -2.0]


@pytest.mark.packages("pandas")
def test_a_table_that_pandas_2_pickled_is_read():
    import pandas as pd

    table = pickle.loads(zlib.decompress(base64.b85decode(PANDAS_2)))
    assert table.index.tolist() == ["p", "q"]
    assert (table.index.name, table["n"].dtype, table["x"].dtype) == ("i", "int64", "float64")
    assert table["t"].iloc[0] == "é"
    assert table.isna().sum().to_dict() == {"n": 0, "x": 1, "t": 1, "k": 0, "w": 0}
    assert table["k"].cat.categories.tolist() == ["a", "b"]
    assert table["w"].tolist() == [pd.Timestamp(day, tz="UTC") for day in ("2024-02-29", "2024-12-31")]
    assert table.groupby("k", observed=True)["n"].sum().to_dict() == {"a": 1, "b": 2}


@pytest.mark.packages("pandas", "zstandard")
def test_large_buffers_leave_the_pickle():
    import pandas as pd
    import zstandard

    table = pd.DataFrame(np.arange(100_000.0).reshape(-1, 4), columns=list("abcd"))
    buffers = []
    head = pickle.dumps(table, protocol=5, buffer_callback=buffers.append)
    assert len(head) < 5_000
    assert sum(buffer.raw().nbytes for buffer in buffers) >= 800_000
    packed = [zstandard.compress(buffer.raw()) for buffer in buffers]
    back = pickle.loads(head, buffers=[zstandard.decompress(part) for part in packed])
    pd.testing.assert_frame_equal(back, table)


@pytest.mark.packages("scikit-learn", "pandas", "cloudpickle")
def test_a_pipeline_with_a_lambda_is_read_by_another_process(in_a_new_process):
    import cloudpickle
    import pandas as pd
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0]})
    model = make_pipeline(FunctionTransformer(lambda frame: frame**2), LinearRegression())
    model.fit(table, table["x"] ** 2 * 3)
    with pytest.raises(Exception, match="lambda"):
        pickle.dumps(model)
    code = (
        "import pickle, sys, pandas as pd\n"
        "model = pickle.load(sys.stdin.buffer)\n"
        "print(round(float(model.predict(pd.DataFrame({'x': [5.0]}))[0]), 6))"
    )
    assert in_a_new_process(code, cloudpickle.dumps(model)) == "75.0"


@pytest.mark.packages("dask", "pandas", "joblib")
def test_names_of_values_are_the_same_in_every_process(in_a_new_process):
    code = (
        "import joblib, numpy as np, pandas as pd\n"
        "from dask.base import tokenize\n"
        "table = pd.DataFrame({'a': np.arange(9), 'b': list('abcabcabc')}).astype({'b': 'category'})\n"
        "print(tokenize(table), tokenize(np.arange(5.0)), joblib.hash(table), joblib.hash({'x': np.eye(2)}))"
    )
    first, second = in_a_new_process(code).split(), in_a_new_process(code).split()
    assert first == second
    assert len(set(first)) == 4


@pytest.mark.packages("joblib", "pandas")
def test_a_cache_on_disk_knows_tables(tmp_path):
    import joblib
    import pandas as pd

    calls = []

    def total(table, column):
        calls.append(column)
        return table[column].sum()

    cached = joblib.Memory(tmp_path, verbose=0).cache(total)
    table = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    assert cached(table, "a") == cached(table.copy(), "a") == 3
    assert calls == ["a"]
    assert cached(table.assign(a=[1.0, 5.0]), "a") == 6
    assert calls == ["a", "a"]


@pytest.mark.packages("sqlalchemy")
def test_a_database_stores_arrays():
    import sqlalchemy as sa

    class _Pickle:
        dumps = staticmethod(pickle.dumps)
        loads = staticmethod(pickle.loads)

    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    table = sa.Table(
        "runs",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("curve", sa.PickleType(pickler=_Pickle, comparator=np.array_equal)),
    )
    curve = np.linspace(0, 1, 7, dtype="float32")
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"curve": curve}, {"curve": np.array(["é"])}])
        first, second = connection.scalars(sa.select(table.c.curve).order_by(table.c.id))
    engine.dispose()
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, curve)
    assert second[0] == "é"


@pytest.mark.packages("tblib", "cloudpickle", "scipy")
def test_an_error_of_another_process_keeps_its_traceback(in_a_new_process):
    import cloudpickle
    from scipy import linalg
    from tblib import pickling_support

    pickling_support.install()
    with pytest.raises(linalg.LinAlgError) as caught:
        linalg.inv(np.zeros((2, 2)))
    code = (
        "import pickle, sys, traceback\n"
        "error = pickle.load(sys.stdin.buffer)\n"
        "print(type(error).__name__, traceback.extract_tb(error.__traceback__)[-1].filename)"
    )
    name, _, file = in_a_new_process(code, cloudpickle.dumps(caught.value)).partition(" ")
    assert name == "LinAlgError"
    assert "scipy" in file
