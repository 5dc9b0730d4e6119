"""Versions that are required against versions that are installed, in an environment made for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.doctor import software
from florence2.doctor.finding import Finding
from florence2.doctor.software import check_extras, check_packages, check_python


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which distributions are looked for before the real ones."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(software, "_LOCK", "no lock here")
    return tmp_path


def install(site: Path, name: str, version: str, *requires: str, python: str = ">=3.11") -> None:
    folder = site / f"{name.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    lines = [f"Name: {name}", f"Version: {version}", f"Requires-Python: {python}"]
    lines += [f"Requires-Dist: {text}" for text in requires]
    (folder / "METADATA").write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")


def only(findings: list[Finding]) -> Finding:
    (found,) = findings
    return found


def test_a_python_that_is_too_old_is_a_problem(site: Path) -> None:
    install(site, "florence2-finetune", "9", python=">=3.99")
    assert "but florence2-finetune needs >=3.99: create the environment again" in only(check_python()).message


def test_this_environment_meets_the_requirements() -> None:
    assert only(check_python()).level == "ok"
    assert [finding.message for finding in check_packages() if finding.level == "problem"] == []


def test_a_version_that_is_too_old_and_a_missing_package_are_named_with_the_command(site: Path) -> None:
    install(site, "florence2-finetune", "9", "transformers>=5.23,<6", "absent-thing>=1", "numpy")
    install(site, "transformers", "5.12.0")
    old, missing = check_packages()
    assert old.level == missing.level == "problem"
    assert "transformers 5.12.0 is installed, transformers<6,>=5.23 is needed" in old.message
    assert "train on a wrong loss" in old.message
    assert missing.fix == "pip install 'absent-thing>=1'"


def test_a_package_without_a_required_extra_is_a_problem(site: Path) -> None:
    install(site, "florence2-finetune", "9", "framework[local]==1.0")
    install(site, "framework", "1.0", 'absent-thing; extra == "local"')
    assert only(check_packages()).message == "absent-thing is missing: install absent-thing"


def test_a_local_build_meets_the_requirement(site: Path) -> None:
    install(site, "florence2-finetune", "9", "framework==1.0", 'other>=2; python_version < "3"')
    install(site, "framework", "1.0+cpu")
    assert only(check_packages()).level == "ok"


def test_extras_say_what_they_enable_and_the_trap_of_kfp_is_named(site: Path) -> None:
    install(
        site, "florence2-finetune", "9", 'kfp>=2.16,<2.17; extra == "kubeflow"', 'absent-thing; extra == "s3"', "numpy"
    )
    install(site, "kfp", "2.17.0")
    trap, there, absent = check_extras()
    assert trap.level == "problem"
    assert "ZenML cannot compile pipelines with kfp 2.17" in trap.message
    assert there.message == "installed: none"
    assert absent == Finding(
        "ok",
        "s3 is not installed; it enables data sets and artifacts at s3://",
        "pip install 'florence2-finetune[s3]'",
    )


def test_a_lock_is_compared_where_there_is_one(site: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(site, "framework", "1.0")
    install(site, "other", "2.0")
    lock = tmp_path / "made.lock"
    lock.write_text("framework==1.0 ; python_version >= '3'\nother==2.1\nabsent-thing==1\n# a comment\n")
    found = only(software._against_lock(lock))
    assert found.level == "warning"
    assert "1 of 2 packages are not those of" in found.message
    assert "other 2.0 (lock: 2.1)" in found.message
    lock.write_text("framework==1.0\n")
    assert only(software._against_lock(lock)) == Finding("ok", "1 packages as locked")


def test_a_clone_that_was_never_installed_says_how_to(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(software, "_US", "florence2-nowhere")
    for check in (check_python, check_packages, check_extras):
        assert only(check()).fix == "pip install --editable ."
