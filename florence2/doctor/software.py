"""Checks the versions of Python and of the packages, and which extras are installed.

The required versions are those of the metadata of the installed distribution; a clone is compared with its lock, too.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

import florence2
from florence2.doctor.finding import Finding
from florence2.doctor.requirements import applies, required_by

__all__ = ["check_extras", "check_packages", "check_python"]

_US = "florence2-finetune"
_LOCK = "requirements.lock"
_SHOWN = 6

_WHY = {
    "kfp": "ZenML cannot compile pipelines with kfp 2.17 and above",
    "great-expectations": "ZenML's own integration requires a version below 1.0 and is not used here",
    "transformers": "versions up to about 5.13 shift Florence-2's labels twice and train on a wrong loss",
}
"""Packages with versions that seem to work, and do not."""

_GIVES = {
    "gcs": "data sets and artifacts at gs://",
    "kubeflow": "compiling and running pipelines on Kubeflow and Kubernetes",
    "onnx": "florence2 export to ONNX",
    "s3": "data sets and artifacts at s3://",
    "serve": "the demo in the browser",
}
"""What each extra enables; the extras for developers of this project are left out."""


def check_python() -> list[Finding]:
    """Compare the version of Python with what the package allows."""
    version = platform.python_version()
    try:
        required = metadata.metadata(_US)["Requires-Python"] or ""
    except metadata.PackageNotFoundError:
        return [Finding("problem", *_not_installed())]
    if not SpecifierSet(required).contains(version, prereleases=True):
        return [
            Finding(
                "problem",
                f"Python {version}, but {_US} needs {required}: create the environment again with such a Python, "
                "for example make setup PYTHON=python3.11",
            )
        ]
    return [Finding("ok", f"Python {version}, {platform.machine()} {platform.system()} (required: {required})")]


def check_packages() -> list[Finding]:
    """Compare the installed packages with the requirements of this one, and those of a clone with its lock."""
    try:
        ours = required_by(_US)
    except metadata.PackageNotFoundError:
        return [Finding("problem", *_not_installed())]
    unmet = [problem for requirement in ours for problem in _unmet(requirement)]
    if unmet:
        wrong = [_finding(requirement, found) for requirement, found in unmet]
    else:
        wrong = [Finding("ok", f"{len(ours)} packages as required, among them {_versions('torch', 'transformers')}")]
    return [*wrong, *_against_lock(Path(florence2.__file__).parents[1] / _LOCK)]


def check_extras() -> list[Finding]:
    """List the extras that are installed, and what the others would enable."""
    try:
        required = {extra: required_by(_US, extra) for extra in _GIVES}
    except metadata.PackageNotFoundError:
        return [Finding("problem", *_not_installed())]
    installed, wrong, absent = [], [], []
    for extra, gives in _GIVES.items():
        wanted = required[extra]
        unmet = [problem for requirement in wanted for problem in _unmet(requirement)]
        mismatched = [(requirement, found) for requirement, found in unmet if found is not None]
        wrong += [_finding(requirement, found) for requirement, found in mismatched]
        if not unmet and wanted:
            installed.append(extra)
        elif not mismatched and wanted:
            absent.append(Finding("ok", f"{extra} is not installed; it enables {gives}", _install(extra)))
    return [*wrong, Finding("ok", f"installed: {', '.join(installed) or 'none'}"), *absent]


def _not_installed() -> tuple[str, str]:
    return (
        f"{_US} is not installed in this environment, only found as a folder: install it; without that its versions "
        "cannot be checked and its commands for ZenML are missing",
        "pip install --editable .",
    )


def _unmet(requirement: Requirement) -> Iterator[tuple[Requirement, str | None]]:
    """Yield the requirements, with those of named extras, that are not met, and the installed version or None."""
    found = _installed(requirement.name)
    if found is None or not requirement.specifier.contains(found, prereleases=True):
        yield requirement, found
        return
    for extra in requirement.extras:
        for inner in required_by(requirement.name, extra):
            yield from _unmet(inner)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _finding(requirement: Requirement, found: str | None) -> Finding:
    name, required = requirement.name, f"{requirement.name}{requirement.specifier}"
    fix = f"pip install '{required}'"
    if found is None:
        return Finding("problem", f"{name} is missing: install {required}", fix)
    why = f" ({_WHY[name]})" if name in _WHY else ""
    return Finding("problem", f"{name} {found} is installed, {required} is needed{why}: install that", fix)


def _against_lock(file: Path) -> list[Finding]:
    """Compare the installed packages with a lock; no finding where there is none, as for an installed wheel."""
    if not file.is_file():
        return []
    locked, other = 0, []
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            requirement = Requirement(line.partition("#")[0])
        except InvalidRequirement:
            continue
        found = _installed(requirement.name)
        if found is None or not applies(requirement):
            continue
        locked += 1
        if not requirement.specifier.contains(found, prereleases=True):
            other.append(f"{requirement.name} {found} (lock: {str(requirement.specifier).removeprefix('==')})")
    if not other:
        return [Finding("ok", f"{locked} packages as locked")]
    more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
    return [
        Finding(
            "warning",
            f"{len(other)} of {locked} packages are not those of {_LOCK}, with which the tests pass: "
            f"{', '.join(other[:_SHOWN])}{more}; install by the lock",
            f"pip install --constraint {file} --editable {file.parent}",
        )
    ]


def _versions(*names: str) -> str:
    return ", ".join(f"{name} {_installed(name)}" for name in names)


def _install(extra: str) -> str:
    return f"pip install '{_US}[{extra}]'"
