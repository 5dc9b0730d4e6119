"""The search for settings of a training that are better than those of the recipe.

A trial is a training with other settings. Optuna proposes them by the scores of the trials that have ended; everything
that is proposed follows from recorded scores, so that a search that was killed continues with equal trials.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
