"""Checks whether there is a GPU, whether this build of torch can compute on it, and in which precision."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from florence2.doctor.finding import Finding
from florence2.model import driver_version, gpu_is_hidden, install_cuda_torch, unseen_gpu
from florence2.printable import first_line

if TYPE_CHECKING:
    import torch

__all__ = ["check_gpu"]

_GIB = 2**30


def check_gpu() -> list[Finding]:
    """Check torch, the driver and each GPU."""
    import torch

    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        about = f"torch {torch.__version__}, CUDA {torch.version.cuda}, driver {driver_version() or 'unknown'}"
        return [Finding("ok", about), *(_device(torch.device("cuda", index)) for index in range(count))]
    if reason := unseen_gpu():
        if gpu_is_hidden(os.environ):
            return [Finding("warning", reason, "unset CUDA_VISIBLE_DEVICES")]
        return [
            Finding("problem", reason, install_cuda_torch(torch.__version__) if torch.version.cuda is None else None)
        ]
    return [
        Finding(
            "ok",
            f"no NVIDIA GPU, torch {torch.__version__} computes on the CPU: enough for builtin:nano; to fine-tune "
            "Florence-2-base, use a machine with a GPU of 16 GB or more",
        )
    ]


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
            f"{device} {name} cannot compute: {first_line(exc)}; it may be too old or too new for this torch, "
            "or used by another process: see nvidia-smi, or choose another GPU by CUDA_VISIBLE_DEVICES",
        )
    if not right:
        return Finding("problem", f"{device} {name} computes wrong sums: use another GPU, or restart the machine")
    precision = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32, it has no bfloat16"
    about = f"{device} {name}: {free / _GIB:.1f} of {total / _GIB:.1f} GiB free, trains in {precision}"
    if free < 0.5 * total:
        return Finding(
            "warning",
            f"{about}; another process uses the rest: see nvidia-smi, or choose another GPU by CUDA_VISIBLE_DEVICES",
        )
    return Finding("ok", about)
