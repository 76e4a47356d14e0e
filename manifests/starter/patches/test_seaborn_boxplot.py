"""Box plots of seaborn warn of nothing, and stand or lie as they are told."""

import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns

DATA = pd.DataFrame({"group": ["a"] * 5 + ["b"] * 5, "value": [*range(5), *range(2, 7)]})


def boxes(x: str, y: str) -> list[tuple[float, float]]:
    """Return the width and the height of each box."""
    _, axes = plt.subplots()
    sns.boxplot(DATA, x=x, y=y, ax=axes)
    extents = [patch.get_path().get_extents() for patch in axes.patches]
    return [(round(box.width, 3), round(box.height, 3)) for box in extents]


warnings.simplefilter("error")
standing, lying = boxes("group", "value"), boxes("value", "group")
assert standing == [(0.8, 2.0), (0.8, 2.0)], standing
assert lying == [(2.0, 0.8), (2.0, 0.8)], lying
plt.close("all")
sns.catplot(DATA, x="group", y="value", kind="box")
