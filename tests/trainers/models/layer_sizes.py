"""What each layer of a network gives, to hold against a paper's table."""

from typing import Any

from torch import Tensor, nn


def outputs(model: nn.Module, maps: Tensor, *kinds: type[nn.Module]) -> list[tuple[nn.Module, tuple[int, ...]]]:
    """Layers of some kinds in the order in which they are called, each with the shape (C, H, W) that it gives."""
    called: list[tuple[nn.Module, tuple[int, ...]]] = []

    def note(module: nn.Module, _: Any, given: Tensor) -> None:
        called.append((module, tuple(given.shape[1:])))

    hooks = [module.register_forward_hook(note) for module in model.modules() if isinstance(module, kinds)]
    model(maps)
    for hook in hooks:
        hook.remove()
    return called


def inputs(model: nn.Module, maps: Tensor, layer: nn.Module) -> Tensor:
    """What one layer is given."""
    given: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, arguments: given.append(arguments[0]))
    model(maps)
    hook.remove()
    (once,) = given
    return once
