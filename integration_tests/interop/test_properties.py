"""Laws that hold for whatever values hypothesis thinks of."""

import pytest

pytestmark = pytest.mark.packages("hypothesis", "numpy")

hypothesis = pytest.importorskip("hypothesis")
SETTINGS = hypothesis.settings(max_examples=60, deadline=None, database=None, derandomize=True)


@pytest.mark.packages("pandas")
def test_csv_keeps_every_table():
    import io

    import pandas as pd
    from hypothesis import given
    from hypothesis import strategies as st
    from hypothesis.extra.pandas import column, data_frames, range_indexes

    text = st.text(
        st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=("Cs",)), min_size=1
    )

    @SETTINGS
    @given(
        data_frames(
            [
                column("n", dtype="int64"),
                column("x", elements=st.floats(allow_nan=False)),
                column("t", elements=text.map(lambda t: f"_{t}")),
            ],
            index=range_indexes(min_size=1),
        )
    )
    def check(table) -> None:
        back = pd.read_csv(io.StringIO(table.to_csv(index=False)), float_precision="round_trip")
        assert back["n"].tolist() == table["n"].tolist()
        assert back["x"].tolist() == table["x"].tolist()
        assert back["t"].tolist() == table["t"].tolist()

    check()


@pytest.mark.packages("scipy")
def test_a_transform_and_its_inverse_cancel():
    import numpy as np
    from hypothesis import given
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import array_shapes, arrays
    from scipy import fft

    values = arrays("float64", array_shapes(max_dims=2, max_side=32), elements=st.floats(-1e6, 1e6))

    @SETTINGS
    @given(values)
    def check(signal) -> None:
        np.testing.assert_allclose(fft.irfftn(fft.rfftn(signal), s=signal.shape), signal, atol=1e-5)
        np.testing.assert_allclose(np.fft.fftn(signal), fft.fftn(signal), atol=1e-4)

    check()


@pytest.mark.packages("sympy")
def test_numbers_factor_alike():
    import math

    import sympy
    from hypothesis import given
    from hypothesis import strategies as st

    @SETTINGS
    @given(st.integers(2, 10**9))
    def check(number) -> None:
        factors = sympy.factorint(number)
        assert math.prod(prime**power for prime, power in factors.items()) == number
        assert all(sympy.isprime(prime) for prime in factors)

    check()
