"""Commands of the documents that are too long for a test of a page, and what runs each of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from docs.generator.commands import commands

__all__ = ["ELSEWHERE", "problem_of", "runner_of", "unknown_options"]

SERVERS = "tests/integration/test_serving_processes.py"

ELSEWHERE = {
    r"make (setup|stack|run|test|unit|integration|documents|check)\b": ".ci/run",
    r"make docs\b": "tests/documents/test_site.py",
    r"make reference\b": "tests/documents/test_generated_pages.py",
    r"make sizes\b": "tests/documents/test_sizes.py",
    r"make (format|lock|clean)\b": "Makefile",
    r"make retrain\b": "tests/integration/test_retrain.py",
    r"make story\b": "benchmarks/story.py",
    r"make (nano|small)\b": "tests/unit/pretraining/test_trainer.py",
    r"make gpu\b": "tests/gpu/test_gpu.py",
    r"zenml pipeline run florence_finetune\b": "tests/integration/test_finetune_pipeline.py",
    r"zenml pipeline run florence_predict\b": "tests/integration/test_predict_pipeline.py",
    r"zenml pipeline run florence_promote\b": "tests/integration/test_promotion.py",
    r"zenml pipeline run florence_tune\b": "tests/integration/test_tune_pipeline.py",
    r"python -m pipelines.retrain\b": "tests/integration/test_retrain.py",
    r"florence2 demo\b": "tests/integration/test_demo_in_browser.py",
    r"florence2 stack\b": "tests/integration/test_cluster_submission.py",
    r"(florence2 serve|mlflow models serve|SERVING_MODEL_CONFIG=.* mlflow|curl)\b": SERVERS,
    r"pip install\b": "pyproject.toml",
    r"(OMP_NUM_THREADS=1 )?python -m (benchmarks|pretraining)\b": "benchmarks",
}
"""What runs a command, by a pattern of its beginning; benchmarks run by hand, for hours and on other data."""

_OPTION = re.compile(r"(?<=\s)--?[a-z][a-z-]*")


def runner_of(command: str) -> str | None:
    """Return the file that runs a command; None if the tests of the pages run it themselves."""
    return next((file for pattern, file in ELSEWHERE.items() if re.match(pattern, command)), None)


def problem_of(command: str, root: Path, folder: Path) -> str | None:
    """Return what is wrong with a command that another test runs: a target, module or file that does not exist.

    Args:
        command: for example ``zenml pipeline run florence_finetune -c my.yaml``.
        root: of the project.
        folder: in which the commands of its page were run.
    """
    if target := re.match(r"make ([a-z]+)", command):
        known = re.findall(r"^([a-z]+):", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        return None if target[1] in known else f"the Makefile has no target {target[1]}"
    if extras := re.search(r"pip install .*florence2-finetune\[([\w,-]+)\]", command):
        known = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
        return next((f"there is no extra {extra}" for extra in extras[1].split(",") if extra not in known), None)
    if command.startswith("florence2 "):
        unknown = unknown_options(command)
        return f"it has no {', '.join(unknown)}" if unknown else None
    if module := re.search(r"python -m ([\w.]+)", command):
        path = root / module[1].replace(".", "/")
        file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
        if not file.is_file():
            return f"there is no module {module[1]}"
        source = file.read_text(encoding="utf-8")
        missing = [option for option in _OPTION.findall(command) if not _names(source, option)]
        return f"{module[1]} has no {', '.join(missing)}" if missing else None
    if config := re.search(r"-c (\S+)", command):
        there = (root / config[1]).is_file() or (folder / config[1]).is_file()
        return None if there else f"there is no {config[1]}"
    return None


def _names(source: str, option: str) -> bool:
    """Return whether a program names an option, or the parameter from which it is made."""
    return option in source or option[2:].replace("-", "_") in source


def unknown_options(command: str) -> list[str]:
    """Return the options of a florence2 command that it does not know."""
    fitting = [(name, each) for name, each in commands() if f"{command} ".startswith(f"{name} ")]
    if not fitting:
        return [command.split()[1]]
    name, found = max(fitting, key=lambda pair: len(pair[0]))
    known = {flag for parameter in found.params for flag in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    return [flag for flag in _OPTION.findall(command.removeprefix(name)) if flag not in known]
