"""Libraries that bring threads of their own into one process."""

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy", "threadpoolctl")

# Each in a new process: what is loaded first decides.
LOADED = """
import json, sys, importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
from threadpoolctl import threadpool_info
print(json.dumps(threadpool_info()))
"""
USERS = ("numpy", "scipy.linalg", "sklearn.cluster", "sklearn.ensemble", "numexpr")


def loaded(in_a_new_process, *names):
    import json

    code = LOADED.replace("sys.argv[1:]", repr(list(names)))
    return json.loads(in_a_new_process(code))


@pytest.mark.packages("scipy", "scikit-learn", "numexpr")
def test_one_process_has_one_openmp(in_a_new_process):
    # Two of them in a process give wrong numbers or a deadlock:
    # https://github.com/joblib/threadpoolctl/blob/master/multiple_openmp.md
    for order in (USERS, tuple(reversed(USERS))):
        found = loaded(in_a_new_process, *order)
        runtimes = {pool["filepath"] for pool in found if pool["user_api"] == "openmp"}
        assert len(runtimes) <= 1, f"{' and '.join(sorted(runtimes))} are loaded in one process"


@pytest.mark.packages("scipy")
def test_every_blas_can_be_limited():
    from scipy import linalg
    from threadpoolctl import threadpool_info, threadpool_limits

    matrix = np.random.default_rng(2).normal(size=(200, 200))
    free = linalg.eigvals(matrix @ matrix.T)
    with threadpool_limits(1, user_api="blas"):
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        assert pools, "no BLAS is known to threadpoolctl"
        assert {pool["num_threads"] for pool in pools} == {1}
        limited = linalg.eigvals(matrix @ matrix.T)
    np.testing.assert_allclose(np.sort(limited.real), np.sort(free.real), rtol=1e-8)


@pytest.mark.packages("joblib")
def test_workers_limit_the_threads_of_what_they_call():
    import joblib

    def threads():
        from threadpoolctl import threadpool_info

        np.ones((50, 50)) @ np.ones((50, 50))
        return [pool["num_threads"] for pool in threadpool_info()]

    with joblib.parallel_config("loky", inner_max_num_threads=1):
        found = joblib.Parallel(n_jobs=2)(joblib.delayed(threads)() for _ in range(2))
    assert all(counts and set(counts) == {1} for counts in found), found


@pytest.mark.packages("scikit-learn", "joblib")
def test_models_do_not_depend_on_the_number_of_threads():
    from sklearn.cluster import KMeans
    from sklearn.datasets import make_blobs
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    points, target = make_blobs(400, centers=4, cluster_std=0.6, random_state=3)
    labels, scores = [], []
    for threads in (1, 4):
        with threadpool_limits(threads):
            labels.append(KMeans(4, n_init=2, random_state=0).fit_predict(points))
            forest = HistGradientBoostingClassifier(max_iter=10, random_state=0).fit(points, target)
            scores.append(forest.predict_proba(points))
    np.testing.assert_array_equal(labels[0], labels[1])
    np.testing.assert_allclose(scores[0], scores[1], rtol=1e-9, atol=1e-12)


@pytest.mark.packages("numexpr", "bottleneck", "dask")
def test_libraries_are_called_from_many_threads_at_once():
    from concurrent.futures import ThreadPoolExecutor

    import bottleneck as bn
    import dask.array as da
    import numexpr as ne

    values = np.random.default_rng(4).normal(size=20_000)
    expected = (np.sin(values) + 1).sum(), np.median(values), (values**2).mean()

    def work(_):
        fast = ne.evaluate("sin(values) + 1", local_dict={"values": values})
        lazy = (da.from_array(values, chunks=5_000) ** 2).mean().compute(scheduler="threads")
        return fast.sum(), bn.median(values), lazy

    with ThreadPoolExecutor(4) as executor:
        for found in executor.map(work, range(12)):
            np.testing.assert_allclose(found, expected)
