"""The two container images of steps, for stacks that use containers: a small one, and one with CUDA.

Both hold the packages that a run needs, in the versions of ``requirements.lock``, and the code; ``.dockerignore`` says
what is in the build context. ZenML builds them where the code or the lock has changed, and only on stacks whose
steps are containers. A YAML file can change everything under ``settings.docker``, for all steps or for one.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from packaging.requirements import Requirement
from zenml.config import DockerSettings

from florence2.doctor import required_by
from florence2.errors import ConfigurationError

__all__ = ["cpu_image", "gpu_image", "locked_packages"]

_EXTRAS = ("s3", "gcs", "kubeflow")
"""Extras that steps on a cluster need besides the project's dependencies."""

_CUDA = re.compile(r"nvidia-|cuda-|triton$")
_ROOT = Path(__file__).resolve().parent.parent
_USER = "1000"

_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "ZENML_ANALYTICS_OPT_IN": "false",
    "ZENML_LOGGING_COLORS_DISABLED": "true",
    # Without it, ZenML searches the files of cache keys next to its own.
    "ZENML_CUSTOM_SOURCE_ROOT": "/app",
    # A user without an entry in /etc/passwd has no home and no name.
    "HOME": "/app",
    "LOGNAME": "florence2",
    "GIT_PYTHON_REFRESH": "quiet",
}


def cpu_image() -> DockerSettings:
    """Return the image of steps that compute on CPUs; torch is its build without CUDA, some 3 GB smaller."""
    return _image(with_cuda=False)


def gpu_image() -> DockerSettings:
    """Return the image of steps that train and generate; CUDA is part of torch, the driver of the machine."""
    return _image(with_cuda=True)


def _image(*, with_cuda: bool) -> DockerSettings:
    return DockerSettings(
        requirements=locked_packages(with_cuda=with_cuda),
        python_package_installer_args={"system": None} | ({} if with_cuda else {"torch-backend": "cpu"}),
        # ZenML's lists of what integrations need are older than the lock.
        install_stack_requirements=False,
        # The package is installed from the code in the image, for its version and its entry points.
        local_project_install_command="uv pip install --system --no-cache-dir --no-deps --editable .",
        allow_download_from_code_repository=False,
        allow_download_from_artifact_store=False,
        runtime_environment=_ENVIRONMENT,
        user=_USER,
    )


@functools.cache
def locked_packages(*, with_cuda: bool) -> list[str]:
    """Return the lines of the lock that a run needs: the project's dependencies and all that they depend on.

    Raises:
        ConfigurationError: the lock or pyproject.toml does not exist here.
    """
    try:
        lines = [line for line in (_ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines() if line]
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, ValueError) as exc:
        raise ConfigurationError(
            f"images are built in the folder of the project: {exc}; start the pipeline there"
        ) from exc
    optional = [text for extra in _EXTRAS for text in project["optional-dependencies"][extra]]
    needed = _closure([*project["dependencies"], *optional])
    return [
        line for line in lines if (name := _name(Requirement(line).name)) in needed or (with_cuda and _CUDA.match(name))
    ]


def _closure(listed: Iterable[str]) -> set[str]:
    """Return the names of packages, and of those that they depend on, if they are installed here."""
    waiting = [(_name(wanted.name), frozenset(wanted.extras)) for wanted in map(Requirement, listed)]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        package, extras = waiting.pop()
        if (package, extras) in seen:
            continue
        seen.add((package, extras))
        try:
            needed = [wanted for extra in {"", *extras} for wanted in required_by(package, extra)]
        except PackageNotFoundError:  # for another platform or Python
            continue
        waiting += [(_name(wanted.name), frozenset(wanted.extras)) for wanted in needed]
    return {package for package, _ in seen}


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
