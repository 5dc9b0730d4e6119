"""The check of ``florence2 doctor`` on the ZenML stack: one is active, has what the pipelines need, and answers."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from florence2.adapters import check_answers
from florence2.doctor import Finding
from florence2.errors import RegistryError
from florence2.printable import first_line
from florence2.storage import redact

if TYPE_CHECKING:
    from zenml.stack import Stack

__all__ = ["check_stack"]

_SECONDS = 5.0
_SET_UP = "python -m pipelines.local_stack"
_LOCAL = ("local", "local_docker")


def check_stack() -> list[Finding]:
    """Check ZenML's store, then the components of the active stack; changes neither."""
    os.environ.setdefault("ZENML_ANALYTICS_OPT_IN", "false")
    if damaged := _damaged_choice(Path.cwd()):
        return [damaged]
    if not _is_configured():
        return [
            Finding(
                "warning",
                "no ZenML stack is set up: florence2 train works without one; for the pipelines run `make stack`",
                _SET_UP,
            )
        ]
    import zenml
    from zenml.client import Client
    from zenml.config.global_config import GlobalConfiguration

    try:
        url = GlobalConfiguration().store_configuration.url
    except Exception as exc:  # whatever its parser raises
        file = _global_configuration()
        return [Finding("problem", f"{file}: cannot be read ({first_line(exc)}); move it away and run `make stack`")]
    try:
        check_answers(url, _SECONDS)
    except RegistryError as exc:
        return [Finding("problem", f"ZenML's server: {exc}; or go back to the local store with zenml logout")]
    try:
        stack = Client().active_stack
    except Exception as exc:  # ZenML raises whatever its store, its components and their libraries raise
        return [
            Finding(
                "problem",
                f"the active ZenML stack cannot be used ({first_line(exc)}): run `make stack` for the local one, or "
                "choose another with zenml stack set",
                _SET_UP,
            )
        ]
    parts = ", ".join(f"{kind.value} {component.name}" for kind, component in sorted(stack.components.items()))
    about = Finding("ok", f"ZenML {zenml.__version__} at {redact(url)}, stack {stack.name}: {parts}")
    return [about, *_mlflow(stack), *_artifacts(stack)]


def _is_configured() -> bool:
    """Return whether there is a configuration, without making one; the environment may name a server."""
    if any(name.startswith("ZENML_STORE_") for name in os.environ):
        return True
    return _global_configuration().is_file()


def _global_configuration() -> Path:
    from zenml.utils.io_utils import get_global_config_directory

    return Path(get_global_config_directory()) / "config.yaml"


def _damaged_choice(here: Path) -> Finding | None:
    """Check the file that names the active stack of this folder: if it is damaged, `make stack` fails too."""
    chosen = next((folder / ".zen" for folder in (here, *here.parents) if (folder / ".zen").exists()), None)
    if chosen is None:
        return None
    file = chosen / "config.yaml"
    if not file.exists():
        return None  # ZenML begins a new one
    try:
        reason = "" if isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict) else "it holds no settings"
    except (OSError, ValueError, yaml.YAMLError) as exc:
        reason = getattr(exc, "strerror", None) or first_line(exc)
    if not reason:
        return None
    return Finding(
        "problem",
        f"{file}: which stack is active here cannot be read ({reason}): remove {chosen} and run `make stack`",
        f"rm -r {shlex.quote(str(chosen))} && cd {shlex.quote(str(chosen.parent))} && {_SET_UP}",
    )


def _mlflow(stack: Stack) -> list[Finding]:
    """Check that the stack has the MLflow tracker and registry, and that their server answers."""
    parts = {"experiment tracker": stack.experiment_tracker, "model registry": stack.model_registry}
    lacks = [name for name, part in parts.items() if part is None or part.flavor != "mlflow"]
    if lacks:
        return [
            Finding(
                # The stack that ZenML begins with: nothing was set up that could be broken.
                "warning" if stack.name == "default" else "problem",
                f"stack {stack.name} has no MLflow {' and no MLflow '.join(lacks)}, which the pipelines need: "
                "run `make stack` to set up and activate a local stack that has them",
                _SET_UP,
            )
        ]
    tracker = stack.experiment_tracker
    try:
        check_answers(tracker.get_tracking_uri(), _SECONDS)  # type: ignore[union-attr]
    except RegistryError as exc:
        return [Finding("problem", f"experiment tracker of stack {stack.name}: {exc}")]
    return []


def _artifacts(stack: Stack) -> list[Finding]:
    """Check that artifacts can be stored: in a folder here, or in a bucket, whose root is requested."""
    from zenml.io import fileio

    store = stack.artifact_store
    path = store.path
    if "://" not in path:
        folder = Path(path)
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if os.access(there, os.W_OK):
            return []
        return [Finding("problem", f"artifact store {store.name}: {there} cannot be written; correct its permissions")]
    if stack.orchestrator.flavor in _LOCAL:
        return [
            Finding("ok", f"artifact store {store.name} at {redact(path)}")
            if fileio.exists(path)
            else Finding(
                "warning",
                f"artifact store {store.name}: {redact(path)} does not exist or cannot be read from here; create the "
                "bucket, or correct its credentials",
            )
        ]
    return []
