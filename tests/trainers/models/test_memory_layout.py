"""Maps laid out channel by channel or pixel by pixel train a model alike; either comes out of augmentation."""

import pytest
import torch

from trainers.models.registry import model_entry


@pytest.mark.parametrize("name", ["dual-branch", "edssnet"])
def test_layout_does_not_change_the_gradient(name: str) -> None:
    entry = model_entry(name)
    torch.manual_seed(0)
    model = entry.build(3).eval()  # no dropout
    size = (32, 32) if name == "dual-branch" else entry.input_shape[1:]  # which takes any
    maps = torch.rand(2, 6, *size)
    gradients = []
    for layout in (torch.contiguous_format, torch.channels_last):
        loss = model(maps.contiguous(memory_format=layout)).square().sum()
        gradients.append(torch.autograd.grad(loss, list(model.parameters())))
    for plain, last in zip(*gradients, strict=True):
        torch.testing.assert_close(plain, last, rtol=1e-3, atol=1e-5)
