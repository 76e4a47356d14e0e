"""Functions that are compiled when they are called; a release without numba does not support them."""

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numba", "numpy", "llvmlite")


def test_compiled_and_plain_functions_agree():
    from numba import njit, vectorize

    @njit
    def total(values):
        result = 0.0
        for value in values:
            if not np.isnan(value):
                result += np.sqrt(abs(value))
        return result

    @vectorize(["float32(float32, float32)", "float64(float64, float64)"])
    def larger(a, b):
        return max(b, a)

    values = np.random.default_rng(1).normal(size=1000)
    values[::9] = np.nan
    assert total(values) == pytest.approx(np.nansum(np.sqrt(np.abs(values))))
    single = np.array([1, 5], "float32")
    assert larger(single, single[::-1]).dtype == np.float32
    np.testing.assert_array_equal(larger(single, single[::-1]), [5, 5])


@pytest.mark.packages("scipy")
def test_an_integral_calls_machine_code():
    from numba import carray, cfunc, types
    from scipy import LowLevelCallable, integrate

    @cfunc(types.double(types.intc, types.CPointer(types.double)))
    def integrand(count, pointer):
        x = carray(pointer, count)
        return np.exp(-x[0] * x[1])

    area, _ = integrate.nquad(LowLevelCallable(integrand.ctypes), [[0, np.inf], [1, 2]])
    assert area == pytest.approx(np.log(2))


@pytest.mark.packages("pandas")
def test_tables_use_the_compiler():
    import pandas as pd

    series = pd.Series(np.random.default_rng(2).normal(size=300))
    fast = series.rolling(20).apply(lambda x: x.max() - x.min(), engine="numba", raw=True)
    slow = series.rolling(20).apply(lambda x: x.max() - x.min(), raw=True)
    pd.testing.assert_series_equal(fast, slow)
