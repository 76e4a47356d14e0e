"""Explanations of a set that has no solution, worked out from what the channels carry and nothing else."""

from cuvee.graph.explain.explanation import explain
from cuvee.graph.explain.fetching import explainer
from cuvee.graph.explain.model import Explanation
from cuvee.graph.explain.universe import Carried
from cuvee.graph.explain.words import as_data, hint, message

__all__ = ["Carried", "Explanation", "as_data", "explain", "explainer", "hint", "message"]
