"""What happens to the types of a table's columns when another library takes them."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.packages("pandas", "numpy")


def test_missing_values_survive_the_way_to_arrays_and_back():
    column = pd.array([1, None, 3], dtype="Int64")
    floats = column.to_numpy(dtype="float64", na_value=np.nan)
    assert floats.dtype == np.float64
    np.testing.assert_array_equal(floats, [1.0, np.nan, 3.0])
    with pytest.raises(ValueError, match="missing values"):
        column.to_numpy(dtype="int64")
    assert pd.isna(pd.array([1.5, None], dtype="Float64") + np.array([1.0, 2.0])).tolist() == [False, True]
    back = pd.Series(floats).convert_dtypes()
    assert back.dtype == "Int64"
    assert back.tolist()[::2] == [1, 3]


@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "float32", "float64", "bool", "complex128"])
def test_columns_keep_the_dtype_of_their_array(kind):
    values = np.array([0, 1, 1, 0]).astype(kind)
    column = pd.Series(values)
    assert column.dtype == values.dtype
    assert column.to_numpy().dtype == values.dtype
    assert np.shares_memory(column.to_numpy(), column.array.to_numpy())
    assert pd.concat([column, column], ignore_index=True).dtype == values.dtype
    assert np.add(column, column).dtype == (values + values).dtype


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_units_of_time_survive(unit):
    moments = np.array(["2026-01-31T23:59:59", "1969-07-20T20:17:40", "NaT"], dtype=f"datetime64[{unit}]")
    column = pd.Series(moments)
    assert column.dtype == moments.dtype
    np.testing.assert_array_equal(column.to_numpy(), moments)
    difference = column - pd.Timestamp("1970-01-01").as_unit(unit)
    assert difference.to_numpy().dtype == np.dtype(f"timedelta64[{unit}]")
    np.testing.assert_array_equal(difference.to_numpy(), moments - np.datetime64("1970-01-01", unit))


@pytest.mark.packages("scipy")
def test_sparse_columns_are_sparse_matrices():
    from scipy import sparse

    rng = np.random.default_rng(1)
    matrix = sparse.random(50, 8, density=0.1, format="csr", rng=rng)
    table = pd.DataFrame.sparse.from_spmatrix(matrix, columns=list("abcdefgh"))
    assert table.sparse.density == pytest.approx(matrix.nnz / 400)
    back = table.sparse.to_coo()
    assert sparse.issparse(back)
    np.testing.assert_array_equal(back.toarray(), matrix.toarray())
    np.testing.assert_allclose((matrix.T @ matrix).toarray(), table.to_numpy().T @ table.to_numpy())


@pytest.mark.packages("scikit-learn")
def test_text_columns_and_categories_are_encoded():
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

    sizes = pd.CategoricalDtype(["small", "large"], ordered=True)
    table = pd.DataFrame(
        {"town": ["Oslo", "Århus", "Oslo"], "size": pd.Categorical(["large", "small", "large"], dtype=sizes)},
        index=[7, 8, 9],
    )
    assert isinstance(table["town"].dtype, pd.StringDtype)
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["town"]),
        (OrdinalEncoder(categories=[list(sizes.categories)]), ["size"]),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    coded = encoder.fit_transform(table)
    assert list(coded.columns) == ["town_Oslo", "town_Århus", "size"]
    assert list(coded.index) == [7, 8, 9]
    assert coded["size"].tolist() == table["size"].cat.codes.tolist() == [1, 0, 1]
    assert (
        encoder.named_transformers_["onehotencoder"].inverse_transform(coded.to_numpy()[:, :2])[1] == "Århus"
    )


@pytest.mark.packages("statsmodels", "patsy")
def test_formulas_know_categories_and_their_order():
    import statsmodels.formula.api as smf
    from patsy import dmatrix

    levels = pd.CategoricalDtype(["none", "low", "high"], ordered=True)
    table = pd.DataFrame({"dose": pd.Series(["low", "none", "high"] * 10, dtype=levels)})
    table["y"] = table["dose"].map({"none": 0.0, "low": 1.0, "high": 5.0}).astype(float)
    design = dmatrix("C(dose, Treatment('none'))", table, return_type="dataframe")
    assert [name.partition("[T.")[2] for name in design.columns[1:]] == ["low]", "high]"]
    fit = smf.ols("y ~ dose", data=table).fit()
    np.testing.assert_allclose(fit.params, [0, 1, 5], atol=1e-12)
    assert fit.predict(pd.DataFrame({"dose": pd.Series(["high"], dtype=levels)}))[0] == pytest.approx(5)


@pytest.mark.packages("sqlalchemy")
def test_a_database_keeps_types_that_a_table_reflects():
    import sqlalchemy as sa

    columns = {"day": sa.Date(), "price": sa.Numeric(10, 2), "good": sa.Boolean(), "text": sa.Unicode(40)}
    table = pd.DataFrame(
        {
            "day": [dt.date(2026, 2, 28), dt.date(2026, 3, 1)],
            "price": [decimal.Decimal("10.10"), decimal.Decimal("0.20")],
            "good": [True, False],
            "text": ["naïve", None],
        }
    )
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as connection:
        table.to_sql("prices", connection, index=False, dtype=columns)
        reflected = sa.Table("prices", sa.MetaData(), autoload_with=connection)
        rows = connection.execute(sa.select(reflected).order_by(reflected.c.day)).all()
        chunks = list(pd.read_sql_table("prices", connection, chunksize=1))
    engine.dispose()
    assert [type(reflected.c[name].type) for name in ("day", "good")] == [sa.DATE, sa.BOOLEAN]
    assert [tuple(row) for row in rows] == [
        (dt.date(2026, 2, 28), decimal.Decimal("10.10"), True, "naïve"),
        (dt.date(2026, 3, 1), decimal.Decimal("0.20"), False, None),
    ]
    assert len(chunks) == 2
    assert [chunk["price"].iloc[0] for chunk in chunks] == [pytest.approx(10.1), pytest.approx(0.2)]


@pytest.mark.packages("jsonschema")
def test_a_table_states_its_schema():
    import io
    import json

    import jsonschema

    table = pd.DataFrame(
        {
            "kind": pd.Categorical(["a", "b"], ordered=True),
            "day": pd.to_datetime(["2026-01-01", "2026-06-30"]).tz_localize("UTC"),
            "n": [1, 2],
        }
    )
    text = table.to_json(orient="table", index=False)
    schema = {
        "properties": {
            "schema": {"properties": {"fields": {"minItems": 3, "maxItems": 3}}, "required": ["fields"]},
            "data": {"items": {"properties": {"n": {"type": "integer"}, "kind": {"enum": ["a", "b"]}}}},
        },
        "required": ["schema", "data"],
    }
    jsonschema.validate(json.loads(text), schema)
    back = pd.read_json(io.StringIO(text), orient="table")
    pd.testing.assert_frame_equal(back, table, check_dtype=False)
    assert isinstance(back["kind"].dtype, pd.CategoricalDtype)


@pytest.mark.packages("narwhals")
def test_another_interface_sees_the_same_table():
    import narwhals as nw

    table = pd.DataFrame(
        {"g": ["x", "y", "x"], "v": [1.0, 2.0, 4.5], "when": pd.date_range("2026", periods=3)}
    )
    frame = nw.from_native(table, eager_only=True)
    assert frame.schema["g"] == nw.String
    assert frame.schema["when"] == nw.Datetime
    sums = frame.group_by("g").agg(nw.col("v").sum()).sort("g").to_native()
    pd.testing.assert_frame_equal(sums, table.groupby("g", as_index=False)["v"].sum())
