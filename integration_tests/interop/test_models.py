"""Models that are trained, stored, sealed and used again."""

import io
import pickle

import numpy as np
import pytest

pytestmark = pytest.mark.packages("scikit-learn", "pandas", "numpy", "scipy")


@pytest.fixture(scope="module")
def flowers():
    from sklearn.datasets import load_iris

    return load_iris(as_frame=True).frame


@pytest.fixture(scope="module")
def model(flowers):
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    columns = [column for column in flowers.columns if column != "target"]
    scale = make_column_transformer((StandardScaler(), columns))
    forest = RandomForestClassifier(n_estimators=20, random_state=0)
    return make_pipeline(scale, forest).fit(flowers[columns], flowers["target"])


@pytest.mark.packages("sqlalchemy")
def test_a_model_learns_from_a_database(flowers, model):
    import pandas as pd
    import sqlalchemy as sa

    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.begin() as connection:
        flowers.to_sql("flowers", connection, index=False)
        stored = pd.read_sql("SELECT * FROM flowers", connection)
    engine.dispose()
    columns = list(model.feature_names_in_)
    assert model.score(stored[columns], stored["target"]) > 0.95
    # A model knows the columns that it was trained on.
    with pytest.raises(ValueError, match=r"columns are missing|should match"):
        model.predict(stored[columns].rename(columns={columns[0]: "other"}))


@pytest.mark.packages("joblib")
def test_a_pickled_model_predicts_the_same(flowers, model, tmp_path):
    import joblib

    columns = list(model.feature_names_in_)
    expected = model.predict_proba(flowers[columns])
    joblib.dump(model, tmp_path / "model.joblib.gz", compress=("gzip", 3))
    for again in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib.gz")):
        np.testing.assert_array_equal(again.predict_proba(flowers[columns]), expected)


@pytest.mark.packages("cryptography", "zstandard")
def test_a_sealed_model_opens_with_its_key_alone(flowers, model):
    import zstandard
    from cryptography.fernet import Fernet, InvalidToken

    key = Fernet.generate_key()
    plain = pickle.dumps(model)
    sealed = Fernet(key).encrypt(zstandard.ZstdCompressor(level=5).compress(plain))
    assert len(sealed) < len(plain)
    opened = zstandard.ZstdDecompressor().decompress(Fernet(key).decrypt(sealed))
    assert opened == plain
    columns = list(model.feature_names_in_)
    assert pickle.load(io.BytesIO(opened)).score(flowers[columns], flowers["target"]) > 0.95
    with pytest.raises(InvalidToken):
        Fernet(Fernet.generate_key()).decrypt(sealed)


@pytest.mark.packages("statsmodels")
def test_two_logistic_regressions_agree(flowers):
    import statsmodels.api as sm
    from sklearn.linear_model import LogisticRegression

    pair = flowers[flowers["target"] > 0]
    features = pair[["sepal length (cm)", "petal width (cm)"]]
    target = pair["target"] - 1
    logit = sm.Logit(target, sm.add_constant(features)).fit(disp=False)
    regression = LogisticRegression(C=1e8, tol=1e-10, max_iter=10_000).fit(features, target)
    np.testing.assert_allclose(
        [regression.intercept_[0], *regression.coef_[0]], logit.params.to_numpy(), rtol=1e-3
    )
