"""Why a set of requirements has no solution, from what the channels have and nothing else."""

from cuvee.lazy_names import lazy_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cuvee.graph.explain.explanation_text import as_data, hint, message
    from cuvee.graph.explain.lock_explainer import explainer
    from cuvee.graph.explain.model import ConflictExplanation
    from cuvee.graph.explain.relaxable_problem import PlatformChannels
    from cuvee.graph.explain.unsolvable import explain

__all__ = ["ConflictExplanation", "PlatformChannels", "as_data", "explain", "explainer", "hint", "message"]
__getattr__ = lazy_names(
    __name__,
    {
        "lock_explainer": ("explainer",),
        "explanation_text": ("as_data", "hint", "message"),
        "model": ("ConflictExplanation",),
        "relaxable_problem": ("PlatformChannels",),
        "unsolvable": ("explain",),
    },
)
