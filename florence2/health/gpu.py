"""Is there a GPU, can this build of torch compute on it, and in which precision?"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from florence2.health.finding import Finding

if TYPE_CHECKING:
    import torch

__all__ = ["check_gpu", "without_gpu"]

_GIB = 2**30
_DRIVER = Path("/proc/driver/nvidia/version")
_REINSTALL = "pip install --force-reinstall 'torch==2.13.0'"


def check_gpu() -> list[Finding]:
    """Look at torch, the driver and each GPU."""
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    built = torch.version.cuda
    if not available:
        reason = " ".join(str(warning.message).partition("(Triggered")[0].strip() for warning in said)
        return [without_gpu(torch.__version__, built, driver_version(_DRIVER), os.environ, reason)]
    about = f"torch {torch.__version__}, CUDA {built}, driver {driver_version(_DRIVER) or 'unknown'}"
    return [Finding("ok", about), *(_device(torch.device("cuda", index)) for index in range(torch.cuda.device_count()))]


def without_gpu(
    torch_version: str, built: str | None, driver: str | None, environment: Mapping[str, str], reason: str = ""
) -> Finding:
    """Say why torch sees no GPU.

    Args:
        torch_version: of the installed torch.
        built: version of CUDA that torch was built for, None for a CPU build.
        driver: version of the NVIDIA driver, None where there is none.
        environment: of the process.
        reason: what torch says itself.
    """
    hidden = environment.get("CUDA_VISIBLE_DEVICES")
    if driver is None:
        return Finding(
            "ok",
            f"no NVIDIA GPU, torch {torch_version} computes on the CPU: right for builtin:nano; to fine-tune "
            "Florence-2-base take a machine with a GPU of 16 GB or more",
        )
    if hidden is not None and hidden.strip() in ("", "-1"):
        return Finding(
            "warning",
            f"CUDA_VISIBLE_DEVICES={hidden!r} hides the GPUs of this machine: unset it to use them",
            "unset CUDA_VISIBLE_DEVICES",
        )
    if built is None:
        return Finding(
            "problem",
            f"this machine has an NVIDIA driver ({driver}), but torch {torch_version} is built for the CPU alone: "
            "install the build with CUDA",
            _REINSTALL,
        )
    return Finding(
        "problem",
        f"torch {torch_version} for CUDA {built} sees no GPU although there is a driver ({driver}): {reason or 'no'}"
        f"{'' if reason else ' reason is given'}; look at nvidia-smi, and update the driver if it is older than "
        f"CUDA {built} needs; in a container pass the GPUs on (docker run --gpus all)",
    )


def driver_version(file: Path) -> str | None:
    """Return the version in what the NVIDIA kernel module says of itself, None where there is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"\b(\d+\.\d+(?:\.\d+)?)\b", text)
    return found.group(1) if found else "of unknown version"


def _device(device: torch.device) -> Finding:
    import torch

    name = torch.cuda.get_device_name(device)
    try:
        ones = torch.ones(64, 64, device=device)
        right = bool((ones @ ones == 64).all())
        free, total = torch.cuda.mem_get_info(device)
    except RuntimeError as exc:
        return Finding(
            "problem",
            f"{device} {name} cannot compute: {str(exc).splitlines()[0]}; it may be too old or too new for this torch, "
            "or taken by another process: look at nvidia-smi, or choose another by CUDA_VISIBLE_DEVICES",
        )
    if not right:
        return Finding("problem", f"{device} {name} computes wrong sums: take it out of use, or restart the machine")
    precision = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32, it has no bfloat16"
    about = f"{device} {name}: {free / _GIB:.1f} of {total / _GIB:.1f} GiB free, trains in {precision}"
    if free < 0.5 * total:
        return Finding("warning", f"{about}; another process holds the rest: see nvidia-smi, or choose another GPU")
    return Finding("ok", about)
