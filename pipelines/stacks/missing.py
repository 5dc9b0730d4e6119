"""What a run on a stack needs and is missing: packages, server, stores, each with its remedy."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from packaging.requirements import Requirement

from florence2.doctor import required_by

__all__ = ["Missing", "Part", "listed", "missing_packages", "missing_parts"]

_DISTRIBUTION = "florence2-finetune"
_EXTRAS = {
    "kubeflow_gpu": ("kubeflow",),
    "kubeflow": ("kubeflow",),
    "kubernetes_gpu": ("kubeflow",),
    "kubernetes": ("kubeflow",),
    "vertex": ("kubeflow",),
    "s3": ("s3",),
    "gcp": ("gcs",),
}
"""Extras of this project that a flavour needs; pyproject.toml has the versions."""
_PACKAGES = {
    "vertex": (
        "google-cloud-aiplatform>=1.34",
        "google-cloud-artifact-registry>=1.11",
        "google-cloud-container>=2.21",
        "google-cloud-pipeline-components>=2.19",
    )
}
"""Packages that no extra has."""


@dataclass(frozen=True)
class Missing:
    """Something that is needed.

    Attributes:
        what: is missing or wrong, and why that matters.
        remedy: a command, or the line to write.
    """

    what: str
    remedy: str


def listed(missing: Iterable[Missing]) -> str:
    """Return what is missing as a list for a message, with a line for each part and one for its remedy."""
    return "".join(f"\n  - {part.what}\n      {part.remedy}" for part in missing)


class Part(Protocol):
    """The settings of a component, as far as this module reads them."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The settings by their names."""

    @property
    def is_local(self) -> bool:
        """Whether the component is on this machine alone."""

    @property
    def is_remote(self) -> bool:
        """Whether it runs steps on another machine, or is there."""


def missing_packages(flavors: list[str], installed: Mapping[str, str] | None = None) -> list[Missing]:
    """Return the Python packages that are missing, or whose version does not work.

    Args:
        flavors: of the stack's components.
        installed: version of each package by its name; those of this environment if None.
    """
    found: list[Missing] = []
    for extra in dict.fromkeys(extra for flavor in flavors for extra in _EXTRAS.get(flavor, ())):
        for requirement in required_by(_DISTRIBUTION, extra):
            found += _check(requirement, f"'{_DISTRIBUTION}[{extra}]'", installed)
    for text in dict.fromkeys(text for flavor in flavors for text in _PACKAGES.get(flavor, ())):
        found += _check(Requirement(text), f"'{text}'", installed)
    return found


def _check(requirement: Requirement, package: str, installed: Mapping[str, str] | None) -> Iterator[Missing]:
    try:
        version = importlib.metadata.version(requirement.name) if installed is None else installed[requirement.name]
    except (importlib.metadata.PackageNotFoundError, KeyError):
        yield Missing(f"the package {requirement.name} {requirement.specifier}".rstrip(), f"pip install {package}")
        return
    if version not in requirement.specifier:
        yield Missing(
            f"{requirement.name} {version} does not work here, {requirement.specifier} does", f"pip install {package}"
        )


def missing_parts(parts: Mapping[str, Part], flavors: Mapping[str, str], *, unreachable: str | None) -> list[Missing]:
    """Return the parts of a remote stack that are missing, or on this machine, where the cluster cannot reach them.

    Args:
        parts: settings of the components by their kind.
        flavors: of the components by their kind.
        unreachable: address of the ZenML store where it is on this machine; None where it is on a server.

    Returns:
        What is missing; empty for a stack that runs here.
    """
    if not any(part.is_remote for kind, part in parts.items() if kind in ("orchestrator", "step_operator")):
        return []
    found = []
    if unreachable:
        found.append(
            Missing(
                f"a ZenML server: the store {unreachable} is on this machine, and steps on another cannot reach it",
                "zenml login https://... (and apply again: the server has no stacks of this machine)",
            )
        )
    for kind, example in (
        ("artifact_store", "{flavor: s3, configuration: {path: 's3://bucket/folder'}}"),
        ("container_registry", "{flavor: default, configuration: {uri: registry.example.org/team}}"),
        ("image_builder", "{flavor: local}"),
    ):
        part = parts.get(kind)
        if part is None or (part.is_local and kind != "image_builder"):
            why = "is not in the file" if part is None else f"is on this machine alone (flavour {flavors[kind]})"
            found.append(Missing(f"{_words(kind)} {why}", f"write under components: {kind}: {example}"))
    tracker = parts.get("experiment_tracker")
    if tracker is None or (flavors["experiment_tracker"] == "mlflow" and not tracker.values.get("tracking_uri")):
        found.append(
            Missing(
                "an MLflow server: remote steps cannot store scores and models",
                "write under components: experiment_tracker: {flavor: mlflow, configuration: {tracking_uri: 'https://...'}}",
            )
        )
    if flavors.get("image_builder") == "local" and not _docker_answers():
        found.append(
            Missing(
                "Docker, with which the image builder `local` builds the steps' images, does not answer",
                "start it (`docker info` must answer), or use the image builder `kaniko`",
            )
        )
    return found


def _words(kind: str) -> str:
    return f"the {kind.replace('_', ' ')}"


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    try:
        done = subprocess.run([docker, "version"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
