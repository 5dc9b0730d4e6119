"""``search``: the trials of a search on this machine, one after the other, in a folder from which it continues."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from florence2.errors import ConfigurationError
from florence2.storage import TuningFiles, write_atomic, writing
from florence2.tuning.plan import SearchPlan
from florence2.tuning.proposals import propose
from florence2.tuning.running import TrialData, run_trial
from florence2.tuning.trial import EndedTrial, Trial

__all__ = ["search"]

logger = logging.getLogger(__name__)


def search(
    folder: Path, identity: Mapping[str, str], data: TrialData, make_plan: Callable[[Path], SearchPlan]
) -> tuple[SearchPlan, list[EndedTrial]]:
    """Run trials until there are enough; those that the folder has are not run again.

    Each trial that has ended is a file, written when it is complete. A search that was killed continues from these
    files, and its trial from the last save of its training; what it proposes follows from the files, so that its
    trials are those of a search that was not killed.

    Args:
        folder: of the search; made if absent.
        identity: everything that the search depends on, by name.
        data: what the trials train on.
        make_plan: given a folder for its measurement.

    Returns:
        The plan, and all trials by number.

    Raises:
        ConfigurationError: the folder is that of another search, or cannot be written.
    """
    with writing(folder, "give another output"):
        (folder / TuningFiles.TRIALS).mkdir(parents=True, exist_ok=True)
    plan = _plan(folder, identity, make_plan)
    ended = _ended(folder)
    if ended:
        logger.info("%s has %d trials: the search continues", folder, len(ended))
    while proposed := propose(plan, ended):
        (trial,) = proposed
        logger.info("trial %d: %s", trial.number, _described(trial))
        result = run_trial(trial, data, folder / TuningFiles.RUNNING)
        write_atomic(_file(folder, trial.number), result.model_dump_json(indent=2) + "\n")
        shutil.rmtree(folder / TuningFiles.RUNNING, ignore_errors=True)
        ended.append(result)
    return plan, ended


def _plan(folder: Path, identity: Mapping[str, str], make_plan: Callable[[Path], SearchPlan]) -> SearchPlan:
    """Return the plan of the folder; a new one where it has none."""
    file = folder / TuningFiles.PLAN
    if file.is_file():
        content = json.loads(file.read_text(encoding="utf-8"))
        _compare(folder, content["identity"], identity)
        return SearchPlan.model_validate(content["plan"])
    shutil.rmtree(folder / TuningFiles.RUNNING, ignore_errors=True)  # of a measurement that was killed
    plan = make_plan(folder / TuningFiles.RUNNING)
    content = {"identity": dict(identity), "plan": plan.model_dump(mode="json")}
    write_atomic(file, json.dumps(content, indent=2) + "\n")
    return plan


def _compare(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    others = [
        f"{name}: {before.get(name)} before, {now.get(name)} now"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    if others:
        listed = "\n  ".join(others)
        raise ConfigurationError(f"{folder} is the folder of another search; give another --output:\n  {listed}")


def _ended(folder: Path) -> list[EndedTrial]:
    """Return the trials of the folder, up to the first that is missing."""
    ended: list[EndedTrial] = []
    while (file := _file(folder, len(ended))).is_file():
        ended.append(EndedTrial.model_validate_json(file.read_text(encoding="utf-8")))
    return ended


def _file(folder: Path, number: int) -> Path:
    return folder / TuningFiles.TRIALS / f"{number:04}.json"


def _described(trial: Trial) -> str:
    """Return the settings of a trial in words."""
    if not trial.number:
        return "the default"
    return ", ".join(
        f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in trial.params.items()
    )
