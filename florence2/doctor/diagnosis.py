"""The list of all checks of ``florence2 doctor``, and how they are run in parallel."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from florence2.doctor.finding import Finding
from florence2.doctor.isolated import run_isolated
from florence2.plugins import plugins_of

__all__ = ["ENTRY_POINTS", "Check", "diagnose", "known_checks"]

ENTRY_POINTS = "florence2.checks"
"""The group of entry points by which other packages add checks: functions for ``run_isolated``."""


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: what it checks, as the table shows it.
        function: ``module:function``.
        seconds: time limit.
    """

    name: str
    function: str
    seconds: float = 30.0


_OWN = (
    Check("python", "florence2.doctor.software:check_python"),
    Check("packages", "florence2.doctor.software:check_packages"),
    Check("extras", "florence2.doctor.software:check_extras"),
    Check("machine", "florence2.doctor.machine:check_machine"),
    Check("gpu", "florence2.doctor.gpu:check_gpu", 60.0),
    Check("disk", "florence2.doctor.disk:check_disk"),
    Check("mlflow", "florence2.doctor.store:check_store", 60.0),
    Check("model", "florence2.doctor.smoke:check_smoke", 90.0),
)


def known_checks() -> list[Check]:
    """Return the checks in the order in which they are shown: those of this package, then those of others."""
    return [*_OWN, *(Check(plugin.name, plugin.target, 60.0) for plugin in plugins_of(ENTRY_POINTS))]


def diagnose(
    checks: list[Check] | None = None, done: Callable[[Check], None] | None = None
) -> dict[str, list[Finding]]:
    """Run checks, each in its own process with its own time limit, and return their findings by name.

    Args:
        checks: the checks to run; None: all known ones.
        done: called after each check.
    """
    wanted = known_checks() if checks is None else checks
    # The slow ones first, so that quick ones run while they take their time.
    by_time = sorted(wanted, key=lambda check: -check.seconds)
    with ThreadPoolExecutor(max_workers=max(3, min(8, os.cpu_count() or 1))) as pool:
        running = {pool.submit(run_isolated, check.function, check.seconds): check for check in by_time}
        found = {}
        for future in as_completed(running):
            check = running[future]
            found[check.name] = future.result()
            if done is not None:
                done(check)
    return {check.name: found[check.name] for check in wanted}
