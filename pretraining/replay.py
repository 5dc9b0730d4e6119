"""Replay a training step as one CUDA graph: a small model on a fast GPU otherwise waits for Python."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["Replayed"]

_Step = Callable[[dict[str, Tensor]], dict[str, Tensor]]


class Replayed:
    """A step that is recorded once and replayed from then on.

    The first calls run as they are, on a stream of their own, so that the optimiser has its state and the libraries
    have chosen their kernels; then the step is recorded. All calls must have tensors of the same names and shapes.

    Args:
        step: what is done with the tensors. It must not depend on their values other than by arithmetic.
    """

    _WARM_UP = 4

    def __init__(self, step: _Step) -> None:
        self._step = step
        self._calls = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: dict[str, Tensor] = {}
        self._outputs: dict[str, Tensor] = {}

    def __call__(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take a step; what it returned is overwritten by the next."""
        self._calls += 1
        if self._calls <= self._WARM_UP:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                outputs = self._step(inputs)
            torch.cuda.current_stream().wait_stream(side)
            return outputs
        if self._graph is None:
            self._inputs = {name: tensor.clone() for name, tensor in inputs.items()}
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._outputs = self._step(self._inputs)
        for name, tensor in inputs.items():
            self._inputs[name].copy_(tensor)
        self._graph.replay()
        return self._outputs
