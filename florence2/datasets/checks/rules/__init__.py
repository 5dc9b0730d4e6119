"""The rules that annotations must keep: one list, a function for each rule in the modules of this package.

To add a rule, write a function with the decorator ``rule`` into one of them: it flags the items of a view and words the
finding. Nothing else lists it. Rules are checked by ``florence2.adapters`` alone, with Great Expectations.
"""

from __future__ import annotations

from florence2.datasets.checks.definition import Rule
from florence2.datasets.checks.rules import answers, boxes, classes, images, lines, own_tasks, repetitions, splits

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = tuple(
    found
    for module in (lines, answers, own_tasks, repetitions, boxes, classes, images, splits)
    for found in vars(module).values()
    if isinstance(found, Rule)
)
"""Every rule of this package, in the order in which they are reported: the order of the modules."""
