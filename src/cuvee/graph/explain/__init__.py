"""Explanations of a set that has no solution, worked out from what the channels carry and nothing else."""

from cuvee.graph.explain.explanation_text import as_data, hint, message
from cuvee.graph.explain.gateway_query import explainer
from cuvee.graph.explain.model import ConflictExplanation
from cuvee.graph.explain.relaxable_problem import PlatformChannels
from cuvee.graph.explain.unsolvable import explain

__all__ = ["ConflictExplanation", "PlatformChannels", "as_data", "explain", "explainer", "hint", "message"]
