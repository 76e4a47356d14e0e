"""Work that is spread over processes and put together again."""

import pytest

pytestmark = pytest.mark.packages("numpy")


@pytest.mark.packages("joblib", "cloudpickle")
def test_processes_share_the_work():
    import os

    import numpy as np
    from joblib import Parallel, delayed

    matrices = [np.full((4, 4), float(n)) for n in range(8)]
    results = Parallel(n_jobs=2, backend="loky")(
        delayed(lambda m: (os.getpid(), m.sum()))(m) for m in matrices
    )
    assert [total for _, total in results] == [16.0 * n for n in range(8)]
    assert os.getpid() not in {pid for pid, _ in results}


@pytest.mark.packages("dask", "pandas")
def test_dask_agrees_with_numpy():
    import dask.array as da
    import numpy as np

    values = np.random.default_rng(5).normal(size=(1000, 40))
    chunked = da.from_array(values, chunks=(128, 16))
    np.testing.assert_allclose(chunked.mean(axis=0).compute(scheduler="threads"), values.mean(axis=0))
    np.testing.assert_allclose((chunked.T @ chunked).compute(scheduler="threads"), values.T @ values)


@pytest.mark.packages("dask", "pandas", "fsspec")
def test_a_bag_reads_what_a_file_system_holds():
    import json

    import dask.bag as db
    import fsspec
    import pandas as pd

    memory = fsspec.filesystem("memory")
    for number in range(4):
        with memory.open(f"/orders/{number}.jsonl", "w") as file:
            file.writelines(json.dumps({"part": number, "value": value}) + "\n" for value in range(5))
    bag = db.read_text("memory://orders/*.jsonl").map(json.loads)
    table = pd.DataFrame(bag.compute(scheduler="sync"))
    assert table.groupby("part")["value"].sum().to_dict() == dict.fromkeys(range(4), 10)
    memory.rm("/orders", recursive=True)


@pytest.mark.packages("distributed", "dask", "pandas", "scikit-learn", "joblib")
def test_a_cluster_trains_and_answers():
    import joblib
    import numpy as np
    from distributed import Client, LocalCluster
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    features, target = make_classification(200, 6, random_state=0)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        pids = client.run(__import__("os").getpid)
        assert len(set(pids.values())) == 2
        assert client.submit(np.linalg.norm, np.array([3.0, 4.0])).result(timeout=60) == 5
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1, 10]}, cv=3)
        with joblib.parallel_backend("dask"):
            search.fit(features, target)
    alone = GridSearchCV(LogisticRegression(), {"C": [0.1, 1, 10]}, cv=3).fit(features, target)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


@pytest.mark.packages("cloudpickle", "zstandard", "pandas")
def test_a_function_travels_with_what_it_closes_over():
    import subprocess
    import sys

    import cloudpickle
    import pandas as pd
    import zstandard

    table = pd.DataFrame({"x": [1, 2, 3]})
    packed = zstandard.compress(cloudpickle.dumps(lambda factor: int((table["x"] * factor).sum())))
    script = (
        "import sys, pickle, zstandard\n"
        "function = pickle.loads(zstandard.decompress(sys.stdin.buffer.read()))\n"
        "print(function(7))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], input=packed, capture_output=True, check=False)
    assert done.stdout.strip() == b"42", done.stderr.decode(errors="replace")
