"""Tables in Arrow's memory and in its files; a release without pyarrow does not support them."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.packages("pyarrow", "pandas", "numpy")


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "n": pd.array([1, None, 3], dtype="Int64"),
            "x": [0.5, np.nan, -1e300],
            "text": ["é", None, ""],
            "kind": pd.Categorical(["b", "a", "b"], categories=["b", "a"], ordered=True),
            "when": pd.date_range("2026-10-25", periods=3, freq="h", tz="Europe/Berlin"),
            "good": [True, False, True],
        }
    )


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_files_keep_every_type(table, tmp_path, form):
    path = tmp_path / f"table.{form}"
    getattr(table, f"to_{form}")(path)
    back = getattr(pd, f"read_{form}")(path)
    pd.testing.assert_frame_equal(back, table)
    assert back["kind"].cat.ordered


def test_arrow_and_pandas_mean_the_same_by_missing(table):
    import pyarrow as pa

    arrow = pa.Table.from_pandas(table)
    assert arrow["n"].null_count == arrow["text"].null_count == 1
    assert arrow.schema.field("when").type == pa.timestamp(table["when"].dt.unit, tz="Europe/Berlin")
    assert pa.types.is_dictionary(arrow.schema.field("kind").type)
    pd.testing.assert_frame_equal(arrow.to_pandas(), table)


def test_nested_values_and_decimals_have_arrows_types():
    import pyarrow as pa

    values = pa.array([[{"a": 1}], None, []])
    column = pd.Series(values, dtype=pd.ArrowDtype(values.type))
    assert column.isna().tolist() == [False, True, False]
    assert column.list.len().tolist()[::2] == [1, 0]
    money = pd.Series([decimal.Decimal("1.10"), None], dtype=pd.ArrowDtype(pa.decimal128(10, 2)))
    assert money.sum() == decimal.Decimal("1.10")
    days = pd.Series([dt.date(2026, 2, 28)], dtype=pd.ArrowDtype(pa.date32()))
    assert days.iloc[0] == dt.date(2026, 2, 28)


def test_arrays_are_shared_and_not_copied():
    import pyarrow as pa

    values = np.arange(1000.0)
    shared = pa.array(values)
    assert np.shares_memory(shared.to_numpy(), values)
    with pytest.raises(pa.ArrowInvalid):
        pa.array([1.0, None]).to_numpy(zero_copy_only=True)


@pytest.mark.packages("fsspec")
def test_partitions_are_found_in_a_file_system(table):
    import fsspec
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq
    from pyarrow import Table

    memory = fsspec.filesystem("memory")
    try:
        pq.write_to_dataset(Table.from_pandas(table), "/data", partition_cols=["good"], filesystem=memory)
        found = ds.dataset("/data", filesystem=memory, partitioning="hive")
        assert len(found.files) == 2
        assert found.to_table(filter=ds.field("good") == "true").num_rows == 2
    finally:
        memory.rm("/data", recursive=True)


@pytest.mark.packages("dask")
def test_a_frame_is_read_in_parts(table, tmp_path):
    import dask.dataframe as dd

    many = pd.concat([table] * 4, ignore_index=True)
    dd.from_pandas(many, npartitions=3).to_parquet(tmp_path / "parts")
    back = dd.read_parquet(tmp_path / "parts")
    assert back.npartitions == 3
    sums = back.groupby("good")["x"].agg(["count", "max"]).compute(scheduler="sync")
    pd.testing.assert_frame_equal(sums.sort_index(), many.groupby("good")["x"].agg(["count", "max"]))


@pytest.mark.packages("scikit-learn")
def test_models_learn_from_arrow_columns():
    from sklearn.linear_model import LinearRegression

    frame = pd.DataFrame({"a": np.arange(10.0), "b": np.arange(10.0) ** 2}).convert_dtypes(
        dtype_backend="pyarrow"
    )
    model = LinearRegression().fit(frame, frame["a"] * 2 - frame["b"])
    np.testing.assert_allclose(model.coef_, [2, -1], atol=1e-9)
