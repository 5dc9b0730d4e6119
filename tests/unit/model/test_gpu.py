"""Why torch does not see a GPU, with the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.model.gpu import driver_version, why_no_gpu


@pytest.mark.parametrize(
    ("built", "driver", "environment", "reason"),
    [
        (None, None, {}, None),
        ("12.8", None, {"CUDA_VISIBLE_DEVICES": ""}, None),
        (
            None,
            "535.1",
            {},
            "is built for the CPU only: install the build with CUDA by pip install --force-reinstall 'torch==2.14.0'",
        ),
        ("12.8", "535.1", {"CUDA_VISIBLE_DEVICES": "-1"}, "hides the GPUs: unset it"),
        ("12.8", "470.1", {}, "driver (470.1): too old; run nvidia-smi"),
        ("12.8", "535.1", {"CUDA_VISIBLE_DEVICES": "7"}, "CUDA_VISIBLE_DEVICES is '7': check that there is such a GPU"),
    ],
)
def test_the_reason_for_an_unseen_gpu_names_the_remedy(
    built: str | None, driver: str | None, environment: dict[str, str], reason: str | None
) -> None:
    found = why_no_gpu("2.14.0+cpu", built, driver, environment, "too old")
    assert found is None if reason is None else reason in str(found)


def test_the_version_of_the_driver_is_read(tmp_path: Path) -> None:
    file = tmp_path / "version"
    file.write_text("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build\n")
    assert driver_version(file) == "570.86.15"
    assert driver_version(tmp_path / "none") is None
