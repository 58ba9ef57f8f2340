"""What matrices are multiplied with, as second moments: packing keeps nearest what they make of it."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class InputMoments(TorchFunctionMode):
    """Context that adds up the second moments of the inputs of linear layers that are run within it.

    :param matrices: weights (outputs, inputs) by name, the very tensors that the layers are given.
    """

    def __init__(self, matrices: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._names = {id(value): name for name, value in matrices.items()}
        self.found = {name: torch.zeros(value.shape[1], value.shape[1]) for name, value in matrices.items()}
        """Float32 tensors (inputs, inputs) by name."""

    def __torch_function__(
        self, func: Callable[..., Any], types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 - as torch calls it
        """Run a function of torch, its input noted where it is one of the layers."""
        if func is torch.nn.functional.linear and id(args[1]) in self._names:
            given = args[0].flatten(0, -2).float()
            self.found[self._names[id(args[1])]] += given.T @ given
        return func(*args, **(kwargs or {}))
