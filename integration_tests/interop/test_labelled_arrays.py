"""Arrays with labels; a release without xarray does not support them."""

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.packages("xarray", "numpy", "pandas")


@pytest.fixture
def weather():
    import xarray as xr

    days = pd.date_range("2026-01-01", periods=120)
    values = np.random.default_rng(1).normal(10, 3, size=(120, 2, 3))
    return xr.DataArray(
        values,
        coords={"day": days, "y": [50.0, 60.0], "x": [1.0, 2.0, 3.0]},
        dims=("day", "y", "x"),
        name="t",
    )


def test_groups_by_month_agree_with_pandas(weather):
    months = weather.groupby("day.month").mean()
    table = weather.to_series()
    by_pandas = table.groupby([table.index.get_level_values("day").month, "y", "x"]).mean()
    np.testing.assert_allclose(months.to_series().to_numpy(), by_pandas.to_numpy())


def test_labels_become_an_index_and_back(weather):
    import xarray as xr

    table = weather.to_dataframe()
    assert table.index.names == ["day", "y", "x"]
    xr.testing.assert_equal(table.to_xarray()["t"], weather)
    assert weather.sel(day="2026-02").sizes["day"] == 28
    np.testing.assert_array_equal(
        weather.sel(day="2026-02-03").to_numpy(), table.loc["2026-02-03", "t"].to_numpy().reshape(2, 3)
    )


@pytest.mark.packages("dask")
def test_chunks_are_computed_lazily(weather):
    import dask.array as da

    lazy = weather.chunk({"day": 30, "x": 2})
    assert isinstance(lazy.data, da.Array)
    assert lazy.chunks[0] == (30,) * 4
    result = (lazy - lazy.mean("day")).std("day")
    assert isinstance(result.data, da.Array)
    computed = result.compute(scheduler="sync")
    np.testing.assert_allclose(computed, (weather - weather.mean("day")).std("day"))


@pytest.mark.packages("scipy")
def test_files_of_netcdf_keep_times_and_units(weather, tmp_path):
    import xarray as xr

    weather.attrs["units"] = "degC"
    weather.to_netcdf(tmp_path / "a.nc", engine="scipy")
    with xr.open_dataarray(tmp_path / "a.nc", engine="scipy") as back:
        np.testing.assert_array_equal(
            back["day"].to_numpy(), weather["day"].to_numpy().astype(back["day"].dtype)
        )
        assert back.attrs["units"] == "degC"
        np.testing.assert_allclose(back.interp(x=1.5), (weather.sel(x=1) + weather.sel(x=2)) / 2)


@pytest.mark.packages("matplotlib")
def test_plots_are_labelled(weather, plt):
    weather.attrs["units"] = "degC"
    mesh = weather.isel(day=0).plot()
    assert mesh.axes.get_xlabel() == "x"
    assert mesh.colorbar.ax.get_ylabel() == "t [degC]"
    (line,) = weather.isel(x=0, y=0).plot(ax=plt.subplots()[1])
    np.testing.assert_array_equal(line.get_ydata(), weather.isel(x=0, y=0))
