"""Arrays that pass from library to library by numpy's protocols."""

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy")


@pytest.fixture
def rng():
    return np.random.default_rng(20261101)


@pytest.mark.packages("dask", "pandas")
def test_numpys_functions_respect_other_containers(rng):
    import dask.array as da
    import pandas as pd

    values = rng.normal(size=(40, 6))
    chunked = da.from_array(values, chunks=(10, 3))
    for function in (np.exp, lambda x: np.sum(x, axis=0), lambda x: np.concatenate([x, x]), np.transpose):
        lazy = function(chunked)
        assert isinstance(lazy, da.Array)
        np.testing.assert_allclose(lazy.compute(scheduler="sync"), function(values))
    table = pd.DataFrame(values, index=list("abcdefgh") * 5)
    assert isinstance(np.exp(table), pd.DataFrame)
    assert np.exp(table).index.equals(table.index)


@pytest.mark.packages("dask", "scipy")
def test_sparse_blocks_are_summed_in_parallel(rng):
    import dask.array as da
    from scipy import sparse

    dense = np.where(rng.random((60, 20)) < 0.1, rng.normal(size=(60, 20)), 0)
    blocks = da.from_array(dense, chunks=(15, 20)).map_blocks(sparse.csr_matrix, dtype=dense.dtype)
    parts = [block.compute(scheduler="sync") for block in blocks.to_delayed().ravel()]
    assert all(sparse.issparse(part) for part in parts)
    np.testing.assert_array_equal(sparse.vstack(parts).toarray(), dense)


@pytest.mark.packages("h5py", "dask")
def test_a_file_is_read_in_chunks(rng, tmp_path):
    import dask.array as da
    import h5py

    values = rng.integers(0, 1000, size=(100, 30), dtype="int32")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", data=values, chunks=(25, 10), compression="lzf", fletcher32=True)
    with h5py.File(tmp_path / "a.h5") as file:
        lazy = da.from_array(file["x"], chunks=file["x"].chunks, lock=True)
        assert lazy.dtype == values.dtype
        assert lazy.numblocks == (4, 3)
        np.testing.assert_array_equal(lazy[10:90:7].compute(scheduler="threads"), values[10:90:7])
        np.testing.assert_array_equal(lazy.max(axis=0).compute(scheduler="threads"), values.max(axis=0))


@pytest.mark.packages("h5py", "pandas")
def test_records_are_compound_types(tmp_path):
    import h5py
    import pandas as pd

    kind = np.dtype([("name", "S8"), ("when", "<i8"), ("at", "<f4", (2,)), ("good", "?")])
    records = np.array([(b"a", 10, (1.5, 2.5), True), (b"long", 20, (0, np.inf), False)], dtype=kind)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["records"] = records
        file["reference"] = file["records"].ref
    with h5py.File(tmp_path / "a.h5") as file:
        read = file[file["reference"][()]][:]
    assert read.dtype == kind
    np.testing.assert_array_equal(read, records)
    table = pd.DataFrame.from_records(read[["name", "when", "good"]])
    assert table["when"].sum() == 30
    assert table["name"].str.decode("ascii").tolist() == ["a", "long"]


@pytest.mark.packages("scipy")
def test_one_generator_gives_one_sample_everywhere():
    from scipy import stats

    ours, theirs = np.random.default_rng(7), np.random.default_rng(7)
    np.testing.assert_array_equal(stats.norm.rvs(size=50, random_state=theirs), ours.normal(size=50))
    ours, theirs = np.random.default_rng(8), np.random.default_rng(8)
    np.testing.assert_array_equal(
        stats.poisson(3.5).rvs(size=50, random_state=theirs), ours.poisson(3.5, size=50)
    )
    sample = stats.gamma(2.0).rvs(size=5000, random_state=np.random.default_rng(9))
    assert stats.kstest(sample, stats.gamma(2.0).cdf).pvalue > 0.001


@pytest.mark.packages("joblib")
def test_large_arrays_reach_workers_as_memory_maps(rng, tmp_path):
    import joblib

    values = rng.normal(size=(500, 500))
    joblib.dump(values, tmp_path / "a.joblib")
    mapped = joblib.load(tmp_path / "a.joblib", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    np.testing.assert_array_equal(mapped, values)
    with joblib.Parallel(n_jobs=2, max_nbytes=1000, temp_folder=tmp_path) as parallel:
        kinds = parallel(
            joblib.delayed(lambda x: (type(x).__name__, float(x.sum())))(values) for _ in range(2)
        )
    assert [kind for kind, _ in kinds] == ["memmap", "memmap"]
    assert [total for _, total in kinds] == [pytest.approx(values.sum())] * 2


@pytest.mark.packages("numexpr", "pandas")
def test_accelerated_expressions_keep_numpys_types(rng):
    import numexpr as ne
    import pandas as pd

    small = rng.normal(size=1000).astype("float32")
    assert ne.evaluate("small * small").dtype == (small * small).dtype == np.float32
    whole = rng.integers(-50, 50, size=1000, dtype="int32")
    assert ne.evaluate("whole + whole").dtype == np.int32
    large = rng.normal(size=1000)
    assert ne.evaluate("small * large + whole").dtype == (small * large + whole).dtype == np.float64
    np.testing.assert_array_equal(ne.evaluate("where(whole > 0, whole, -whole)"), np.abs(whole))
    table = pd.DataFrame({"whole": whole, "small": small, "kind": np.where(whole > 0, "a", "b")})
    fast = table.query("whole > 10 and small < 0.5", engine="numexpr")
    pd.testing.assert_frame_equal(fast, table.query("whole > 10 and small < 0.5", engine="python"))
    assert table.query("kind == 'b' and whole >= -3")["whole"].between(-3, 0).all()


@pytest.mark.packages("pillow")
@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "uint8"), ("I;16", "uint16"), ("I", "int32"), ("F", "float32"), ("1", "bool")]
)
def test_images_have_the_types_of_their_modes(mode, kind, rng):
    from PIL import Image

    values = rng.integers(0, 2 if kind == "bool" else 200, size=(9, 13)).astype(kind)
    image = Image.fromarray(values)
    assert (image.mode, image.size) == (mode, (13, 9))
    array = np.asarray(image)
    assert array.dtype == np.dtype(kind)
    np.testing.assert_array_equal(array, values)


@pytest.mark.packages("pillow", "scipy")
def test_turned_and_labelled_images_agree():
    from PIL import Image, ImageDraw
    from scipy import ndimage

    image = Image.new("L", (60, 40))
    pen = ImageDraw.Draw(image)
    for box in ((5, 5, 14, 14), (30, 5, 44, 24), (50, 30, 54, 34)):
        pen.rectangle(box, fill=255)
    labels, count = ndimage.label(np.asarray(image))
    assert count == 3
    assert sorted(ndimage.sum_labels(labels > 0, labels, [1, 2, 3])) == [25, 100, 300]
    turned = image.transpose(Image.Transpose.ROTATE_90)
    np.testing.assert_array_equal(np.asarray(turned), np.rot90(np.asarray(image)))
    np.testing.assert_array_equal(ndimage.rotate(np.asarray(image), 90, order=0), np.asarray(turned))
