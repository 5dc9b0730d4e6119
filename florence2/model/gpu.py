"""Why torch sees no GPU where there is one or where one was asked for, and what to do about it."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

__all__ = ["INSTALL_CUDA_TORCH", "driver_version", "gpu_is_hidden", "unseen_gpu", "why_no_gpu"]

INSTALL_CUDA_TORCH = "pip install --force-reinstall 'torch==2.13.0'"
_DRIVER = Path("/proc/driver/nvidia/version")


def unseen_gpu() -> str | None:
    """Say why torch does not see the GPU of this machine; None where it sees one, or the machine has none."""
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return None
    # torch says it in a warning, which names the line of its own source behind.
    reason = " ".join(str(warning.message).partition("(Triggered")[0].strip() for warning in said)
    return why_no_gpu(torch.__version__, torch.version.cuda, driver_version(), os.environ, reason)


def why_no_gpu(
    torch_version: str, built: str | None, driver: str | None, environment: Mapping[str, str], reason: str = ""
) -> str | None:
    """Say why this torch, which sees no GPU, does not see that of the machine; None where the machine has none.

    Args:
        torch_version: of the installed torch.
        built: version of CUDA that torch was built for, None for a CPU build.
        driver: version of the NVIDIA driver, None where there is none.
        environment: of the process.
        reason: what torch says itself.
    """
    if driver is None:
        return None
    if gpu_is_hidden(environment):
        return f"CUDA_VISIBLE_DEVICES={environment['CUDA_VISIBLE_DEVICES']!r} hides the GPUs: unset it to use them"
    if built is None:
        return (
            f"this machine has an NVIDIA driver ({driver}), but torch {torch_version} is built for the CPU alone: "
            f"install the build with CUDA, {INSTALL_CUDA_TORCH}"
        )
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    hint = f"; CUDA_VISIBLE_DEVICES is {chosen!r}, is there such a GPU?" if chosen else ""
    return (
        f"torch {torch_version} for CUDA {built} sees no GPU although there is a driver ({driver}): "
        f"{reason or 'it gives no reason'}{hint}; look at nvidia-smi, update the driver if it is older than CUDA "
        f"{built} needs, and in a container pass the GPUs on (docker run --gpus all)"
    )


def gpu_is_hidden(environment: Mapping[str, str]) -> bool:
    """Say whether the environment hides every GPU."""
    return environment.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1")


def driver_version(file: Path = _DRIVER) -> str | None:
    """Return the version in what the NVIDIA kernel module says of itself, None where there is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"\b\d+\.\d+(?:\.\d+)?\b", text)
    return found.group() if found else "of unknown version"
