"""Why torch does not see the GPU of this machine, and the remedy."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

__all__ = ["driver_version", "gpu_is_hidden", "install_cuda_torch", "unseen_gpu", "why_no_gpu"]

_DRIVER = Path("/proc/driver/nvidia/version")


def unseen_gpu() -> str | None:
    """Return why torch does not see the GPU of this machine; None where it sees one, or the machine has none."""
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if torch.cuda.is_available():
            return None
    # torch gives the reason in a warning that ends with a line of its own source.
    reason = " ".join(str(warning.message).partition("(Triggered")[0].strip() for warning in caught)
    return why_no_gpu(torch.__version__, torch.version.cuda, driver_version(), os.environ, reason)


def why_no_gpu(
    torch_version: str, built: str | None, driver: str | None, environment: Mapping[str, str], reason: str = ""
) -> str | None:
    """Return why this torch does not see the GPU of the machine; None where the machine has none.

    Args:
        torch_version: of the installed torch.
        built: version of CUDA that torch was built for, None for a CPU build.
        driver: version of the NVIDIA driver, None where there is none.
        environment: of the process.
        reason: that of torch itself.
    """
    if driver is None:
        return None
    if gpu_is_hidden(environment):
        return f"CUDA_VISIBLE_DEVICES={environment['CUDA_VISIBLE_DEVICES']!r} hides the GPUs: unset it to use them"
    if built is None:
        return (
            f"this machine has an NVIDIA driver ({driver}), but torch {torch_version} is built for the CPU only: "
            f"install the build with CUDA by {install_cuda_torch(torch_version)}"
        )
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    hint = f"; CUDA_VISIBLE_DEVICES is {chosen!r}: check that there is such a GPU" if chosen else ""
    return (
        f"torch {torch_version} for CUDA {built} sees no GPU although there is a driver ({driver}): "
        f"{reason or 'it gives no reason'}{hint}; run nvidia-smi, update the driver if it is older than CUDA "
        f"{built} needs, and give the GPUs to a container (docker run --gpus all)"
    )


def install_cuda_torch(torch_version: str) -> str:
    """Return the command that installs the same version of torch, built for CUDA, from the package index."""
    return f"pip install --force-reinstall 'torch=={torch_version.partition('+')[0]}'"


def gpu_is_hidden(environment: Mapping[str, str]) -> bool:
    """Return whether the environment hides every GPU."""
    return environment.get("CUDA_VISIBLE_DEVICES", "0").strip() in ("", "-1")


def driver_version(file: Path = _DRIVER) -> str | None:
    """Return the version of the NVIDIA kernel module, None where there is none."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"\b\d+\.\d+(?:\.\d+)?\b", text)
    return found.group() if found else "of unknown version"
