"""A scheduler and workers in one process, and what travels between them."""

import numpy as np
import pytest

pytestmark = pytest.mark.packages("distributed", "dask", "numpy", "tornado", "msgpack")


@pytest.fixture(scope="module")
def client():
    """Yield a client of a cluster whose two workers talk over sockets, in threads of this process."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.mark.packages("pandas", "scipy", "cloudpickle")
def test_values_of_many_libraries_travel(client):
    import pandas as pd
    from scipy import sparse

    table = pd.DataFrame(
        {"k": pd.Categorical(["a", None]), "w": pd.date_range("2026", periods=2, tz="UTC"), "t": ["é", None]}
    )
    first, second = client.scheduler_info()["workers"]
    for value in (
        table,
        sparse.eye_array(4, format="csr"),
        np.ma.masked_less([1, 5], 3),
        np.array(["a"], object),
    ):
        there = client.submit(lambda x: x, value, workers=[first], pure=False)
        back = client.submit(lambda x: x, there, workers=[second], pure=False).result(timeout=60)
        assert type(back) is type(value)
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(back, value)
        elif sparse.issparse(value):
            assert (back != value).nnz == 0
        else:
            assert str(back) == str(value)
            assert back.dtype == value.dtype


@pytest.mark.packages("msgpack")
def test_serialised_arrays_are_compressed_and_equal(client):
    from distributed.protocol import deserialize_bytes, serialize_bytes

    for array in (np.zeros((200, 500)), np.arange(10, dtype=">i2"), np.asfortranarray(np.ones((3, 4)))):
        packed = serialize_bytes(array)
        back = deserialize_bytes(packed)
        np.testing.assert_array_equal(back, array)
        assert back.dtype == array.dtype
    assert client.submit(np.sum, np.zeros((200, 500)) + 1).result(timeout=60) == 100_000


@pytest.mark.packages("scikit-learn")
def test_large_singular_values_are_found_in_blocks(client):
    import dask.array as da
    from sklearn.utils.extmath import randomized_svd

    values = np.random.default_rng(3).normal(size=(300, 12)) @ np.diag(np.arange(1, 13))
    _, singular, _ = da.linalg.svd(da.from_array(values, chunks=(60, 12)))
    exact = np.linalg.svd(values, compute_uv=False)
    np.testing.assert_allclose(client.compute(singular).result(timeout=60), exact)
    np.testing.assert_allclose(randomized_svd(values, 4, random_state=0)[1], exact[:4], rtol=1e-3)


@pytest.mark.packages("pandas", "toolz")
def test_a_graph_of_tasks_runs_once_and_reports_its_failures(client):
    import dask
    import pandas as pd
    from toolz import pipe, pluck

    @dask.delayed
    def part(number):
        if number == 99:
            raise KeyError("ninety-nine")
        return pd.DataFrame({"n": [number] * number})

    whole = dask.delayed(pd.concat)([part(number) for number in range(1, 5)])
    counts = client.compute(whole["n"].value_counts()).result(timeout=60)
    assert counts.sort_index().to_dict() == {1: 1, 2: 2, 3: 3, 4: 4}
    assert pipe([{"a": 1}, {"a": 2}], lambda rows: pluck("a", rows), list) == [1, 2]
    with pytest.raises(KeyError, match="ninety-nine"):
        client.compute(part(99)).result(timeout=60)


@pytest.mark.packages("psutil")
def test_workers_measure_their_memory(client):
    import psutil

    (metrics, *_) = [worker["metrics"] for worker in client.scheduler_info()["workers"].values()]
    memory = psutil.Process().memory_info().rss
    assert 0.3 < metrics["memory"] / memory < 3
