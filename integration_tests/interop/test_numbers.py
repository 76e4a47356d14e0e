"""The same numbers by different libraries."""

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy")


@pytest.fixture
def rng():
    return np.random.default_rng(20261100)


@pytest.mark.packages("scipy", "scikit-learn")
def test_sparse_and_dense_agree(rng):
    from scipy import sparse
    from sklearn.decomposition import TruncatedSVD
    from sklearn.linear_model import Ridge

    dense = rng.normal(size=(200, 30)) * (rng.random((200, 30)) < 0.2)
    target = dense @ rng.normal(size=30) + rng.normal(scale=0.01, size=200)
    thin = sparse.csr_matrix(dense)
    on_dense = Ridge(alpha=0.5, solver="cholesky", fit_intercept=False).fit(dense, target).coef_
    on_sparse = Ridge(alpha=0.5, solver="sparse_cg", tol=1e-12, fit_intercept=False).fit(thin, target).coef_
    np.testing.assert_allclose(on_sparse, on_dense, atol=1e-6)
    exact = np.linalg.svd(dense, compute_uv=False)[:5]
    svd = TruncatedSVD(5, algorithm="arpack", random_state=0).fit(thin)
    np.testing.assert_allclose(svd.singular_values_, exact, rtol=1e-8)


@pytest.mark.packages("statsmodels", "scikit-learn", "pandas")
def test_three_least_squares_agree(rng):
    import pandas as pd
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    from sklearn.linear_model import LinearRegression

    table = pd.DataFrame(rng.normal(size=(300, 3)), columns=["a", "b", "c"])
    table["y"] = 2 + 3 * table["a"] - table["b"] + rng.normal(scale=0.1, size=300)
    design = sm.add_constant(table[["a", "b", "c"]])
    by_hand = np.linalg.lstsq(design.to_numpy(), table["y"].to_numpy(), rcond=None)[0]
    ols = sm.OLS(table["y"], design).fit()
    formula = smf.ols("y ~ a + b + c", data=table).fit()
    linear = LinearRegression().fit(table[["a", "b", "c"]], table["y"])
    np.testing.assert_allclose(ols.params, by_hand, rtol=1e-10)
    np.testing.assert_allclose(formula.params, by_hand, rtol=1e-10)
    np.testing.assert_allclose([linear.intercept_, *linear.coef_], by_hand, rtol=1e-10)
    assert ols.pvalues["c"] > 1e-4 > ols.pvalues["a"]


@pytest.mark.packages("sympy", "scipy")
def test_symbols_become_fast_functions(rng):
    import sympy as sp
    from scipy import integrate

    x = sp.symbols("x")
    formula = sp.exp(-x) * sp.sin(3 * x) / (1 + x**2)
    function = sp.lambdify(x, formula, "numpy")
    slope = sp.lambdify(x, sp.diff(formula, x), "numpy")
    points = rng.uniform(0, 5, size=100)
    exact = np.array([float(formula.subs(x, sp.Float(point, 30)).evalf(25)) for point in points[:10]])
    np.testing.assert_allclose(function(points[:10]), exact, rtol=1e-12, atol=1e-15)
    step = 1e-6
    np.testing.assert_allclose(
        (function(points + step) - function(points - step)) / (2 * step), slope(points), atol=1e-8
    )
    area, _ = integrate.quad(sp.lambdify(x, sp.exp(-x) * sp.sin(3 * x), "numpy"), 0, np.inf)
    assert area == pytest.approx(float(sp.integrate(sp.exp(-x) * sp.sin(3 * x), (x, 0, sp.oo))))


@pytest.mark.packages("numexpr", "bottleneck", "pandas")
def test_accelerators_agree_with_numpy(rng):
    import bottleneck as bn
    import numexpr as ne
    import pandas as pd

    a, b = rng.normal(size=50_000), rng.normal(size=50_000)
    np.testing.assert_allclose(ne.evaluate("2*a + sin(b)**2"), 2 * a + np.sin(b) ** 2, rtol=1e-12)
    a[::7] = np.nan
    assert bn.nanmean(a) == pytest.approx(np.nanmean(a))
    np.testing.assert_allclose(
        bn.move_mean(a, 20, min_count=5), pd.Series(a).rolling(20, min_periods=5).mean()
    )
    table = pd.DataFrame({"a": a, "b": b})
    pd.testing.assert_series_equal(table.eval("a * b + 1", engine="numexpr"), table["a"] * table["b"] + 1)


@pytest.mark.packages("scipy", "networkx")
def test_a_graph_has_one_spectrum():
    import networkx as nx
    from scipy.sparse.linalg import eigsh

    graph = nx.karate_club_graph()
    laplacian = nx.laplacian_matrix(graph, weight=None).astype(float)
    largest = eigsh(laplacian, k=3, which="LA", return_eigenvectors=False)
    dense = np.linalg.eigvalsh(laplacian.toarray())
    np.testing.assert_allclose(np.sort(largest), dense[-3:], rtol=1e-9)
    degrees = dict(graph.degree())
    assert [degrees[node] for node in graph] == laplacian.diagonal().astype(int).tolist()
    ranks = nx.pagerank(graph)
    assert sum(ranks.values()) == pytest.approx(1)
    assert max(ranks, key=ranks.get) in {0, 33}
