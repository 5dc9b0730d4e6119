"""The checks of ``florence2 doctor``: is everything there that a fine-tune needs, and what to do where it is not.

A check is a function that takes nothing and returns a list of ``Finding``. Other packages add theirs by an entry point
of the group ``florence2.checks``.
"""

from florence2.health.diagnose import Check, diagnose, known_checks
from florence2.health.finding import Finding, Level, worst
from florence2.health.own_packages import require_own_packages

__all__ = ["Check", "Finding", "Level", "diagnose", "known_checks", "require_own_packages", "worst"]
