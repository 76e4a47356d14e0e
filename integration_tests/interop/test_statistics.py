"""One statistical question, answered by several libraries."""

import numpy as np
import pytest

pytestmark = pytest.mark.packages("numpy", "scipy")


@pytest.fixture
def rng():
    return np.random.default_rng(20261102)


@pytest.mark.packages("statsmodels", "pandas")
def test_tests_of_means_agree(rng):
    import pandas as pd
    from scipy import stats
    from statsmodels.stats.anova import anova_lm
    from statsmodels.stats.weightstats import ttest_ind

    first, second = rng.normal(size=40), rng.normal(0.5, size=55)
    ours = stats.ttest_ind(first, second)
    statistic, pvalue, freedom = ttest_ind(first, second)
    assert (statistic, pvalue) == (pytest.approx(ours.statistic), pytest.approx(ours.pvalue))
    assert freedom == ours.df == 93
    import statsmodels.formula.api as smf

    table = pd.DataFrame({"y": np.r_[first, second], "g": ["a"] * 40 + ["b"] * 55})
    analysis = anova_lm(smf.ols("y ~ g", data=table).fit())
    assert analysis.loc["g", "F"] == pytest.approx(ours.statistic**2)
    assert analysis.loc["g", "PR(>F)"] == pytest.approx(stats.f_oneway(first, second).pvalue)


@pytest.mark.packages("statsmodels", "pandas")
def test_forecasts_know_the_calendar(rng):
    import pandas as pd
    from statsmodels.tsa.arima.model import ARIMA
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    months = pd.date_range("2021-01-31", periods=60, freq="ME")
    season = 5 * np.sin(np.arange(60) * 2 * np.pi / 12)
    series = pd.Series(10 + 0.2 * np.arange(60) + season + rng.normal(scale=0.05, size=60), index=months)
    smooth = ExponentialSmoothing(
        series, trend="add", seasonal="add", seasonal_periods=12, initialization_method="estimated"
    ).fit()
    ahead = smooth.forecast(12)
    assert list(ahead.index) == list(pd.date_range("2026-01-31", periods=12, freq="ME"))
    expected = 10 + 0.2 * np.arange(60, 72) + 5 * np.sin(np.arange(60, 72) * 2 * np.pi / 12)
    np.testing.assert_allclose(ahead, expected, atol=0.5)
    steps = ARIMA(series.diff(12).dropna(), order=(1, 0, 0)).fit().get_forecast(3)
    assert steps.conf_int().index[0] == pd.Timestamp("2026-01-31")
    assert (steps.conf_int().iloc[:, 0] < steps.predicted_mean).all()


@pytest.mark.packages("scikit-learn")
def test_principal_components_are_singular_vectors(rng):
    from scipy import linalg
    from sklearn.decomposition import PCA

    data = rng.normal(size=(80, 6)) @ np.diag([5, 3, 2, 1, 0.5, 0.1])
    fitted = PCA(3).fit(data)
    _, values, vectors = linalg.svd(data - data.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(fitted.singular_values_, values[:3])
    np.testing.assert_allclose(np.abs(fitted.components_ @ vectors[:3].T), np.eye(3), atol=1e-9)
    np.testing.assert_allclose(fitted.explained_variance_, np.sort(np.linalg.eigvalsh(np.cov(data.T)))[:2:-1])


@pytest.mark.packages("scikit-learn", "networkx")
def test_neighbours_and_their_components_agree(rng):
    import networkx as nx
    from scipy.sparse import csgraph
    from scipy.spatial import KDTree
    from sklearn.neighbors import NearestNeighbors, radius_neighbors_graph

    points = rng.uniform(size=(120, 2))
    distances, order = KDTree(points).query(points, k=4)
    theirs, same = NearestNeighbors(n_neighbors=4, algorithm="ball_tree").fit(points).kneighbors(points)
    np.testing.assert_allclose(distances, theirs)
    np.testing.assert_array_equal(order, same)
    near = radius_neighbors_graph(points, 0.09, mode="distance")
    count, labels = csgraph.connected_components(near, directed=False)
    graph = nx.from_scipy_sparse_array(near)
    components = list(nx.connected_components(graph))
    assert count == len(components) > 1
    assert all(len({labels[node] for node in part}) == 1 for part in components)


@pytest.mark.packages("scikit-learn", "seaborn", "matplotlib", "pandas")
def test_trees_of_clusters_agree(rng, plt):
    import pandas as pd
    import seaborn as sns
    from scipy.cluster.hierarchy import fcluster, linkage
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import adjusted_rand_score

    points = np.vstack([rng.normal(centre, 0.3, size=(12, 2)) for centre in ((0, 0), (4, 0), (2, 4))])
    tree = linkage(points, "ward")
    ours = fcluster(tree, 3, criterion="maxclust")
    theirs = AgglomerativeClustering(3, linkage="ward").fit_predict(points)
    assert adjusted_rand_score(ours, theirs) == 1
    grid = sns.clustermap(pd.DataFrame(points), method="ward", col_cluster=False)
    np.testing.assert_allclose(grid.dendrogram_row.linkage, tree)
    plt.close(grid.figure)


@pytest.mark.packages("networkx")
def test_shortest_ways_agree(rng):
    import networkx as nx
    from scipy.sparse import csgraph

    graph = nx.connected_watts_strogatz_graph(60, 4, 0.2, seed=5)
    for start, end in graph.edges:
        graph.edges[start, end]["weight"] = float(rng.integers(1, 20))
    matrix = nx.to_scipy_sparse_array(graph)
    distances = csgraph.dijkstra(matrix, directed=False, indices=0)
    lengths = nx.single_source_dijkstra_path_length(graph, 0)
    assert lengths == {node: distances[node] for node in graph}
    tree = csgraph.minimum_spanning_tree(matrix)
    assert tree.sum() == nx.minimum_spanning_tree(graph).size(weight="weight")


@pytest.mark.packages("sympy", "mpmath")
def test_special_functions_agree():
    import mpmath
    import sympy as sp
    from scipy import special

    for x in (0.5, 1.7, 6.25):
        assert special.gamma(x) == pytest.approx(float(mpmath.gamma(x)), rel=1e-13)
        assert special.jv(2, x) == pytest.approx(float(sp.besselj(2, x).evalf()), rel=1e-11)
        assert special.erfc(x) == pytest.approx(float(mpmath.erfc(x)), rel=1e-12)
        assert special.zeta(x + 1) == pytest.approx(float(sp.zeta(x + 1).evalf()), rel=1e-12)
    x = sp.symbols("x")
    matrix = sp.Matrix([[2, 1, 0], [1, 3, 1], [0, 1, 4]])
    exact = sorted(
        float(sp.re(root.evalf())) for root in sp.Poly(matrix.charpoly(x).as_expr(), x).nroots(n=20)
    )
    np.testing.assert_allclose(np.linalg.eigvalsh(np.array(matrix, dtype=float)), exact, rtol=1e-12)


@pytest.mark.packages("statsmodels", "formulaic", "patsy", "pandas")
def test_two_dialects_of_formulas_agree(rng):
    import formulaic
    import pandas as pd
    import patsy

    table = pd.DataFrame({"a": rng.normal(size=30), "b": rng.normal(size=30), "g": list("xyz") * 10})
    for formula in ("a + b", "a*b", "C(g) + a", "I(a**2) + b - 1", "g:a"):
        first = patsy.dmatrix(formula, table, return_type="dataframe")
        second = formulaic.model_matrix(formula, table)
        assert np.linalg.matrix_rank(first) == np.linalg.matrix_rank(second)
        both = np.linalg.matrix_rank(np.hstack([first, second]))
        assert both == np.linalg.matrix_rank(first), formula


@pytest.mark.packages("pandas", "statsmodels", "bottleneck")
def test_moving_windows_agree(rng):
    import bottleneck as bn
    import pandas as pd
    from scipy import ndimage, signal
    from statsmodels.nonparametric.smoothers_lowess import lowess

    series = rng.normal(size=300).cumsum()
    rolled = pd.Series(series).rolling(7, center=True).mean().to_numpy()[3:-3]
    np.testing.assert_allclose(ndimage.uniform_filter1d(series, 7)[3:-3], rolled)
    np.testing.assert_allclose(signal.convolve(series, np.ones(7) / 7, mode="valid"), rolled)
    np.testing.assert_allclose(bn.move_mean(series, 7)[6:], rolled)
    smooth = lowess(series, np.arange(300), frac=0.1, return_sorted=False)
    assert np.corrcoef(smooth[3:-3], rolled)[0, 1] > 0.97
