"""CBAM against its formulas."""

import numpy as np
import torch

from trainers.models.cbam import CBAM, ChannelAttention, SpatialAttention


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


def test_channel_attention_follows_its_formula() -> None:
    torch.manual_seed(0)
    attention = ChannelAttention(8, 4)
    maps = torch.randn(2, 8, 5, 6)
    first, second = (weight.detach().numpy() for weight in attention.parameters())
    assert first.shape == (2, 8)
    assert second.shape == (8, 2)
    plain = maps.numpy()
    answers = [np.maximum(seen @ first.T, 0) @ second.T for seen in (plain.mean((2, 3)), plain.max((2, 3)))]
    wanted = plain * sigmoid(answers[0] + answers[1])[:, :, None, None]
    np.testing.assert_allclose(attention(maps).detach().numpy(), wanted, rtol=1e-4, atol=1e-6)


def test_spatial_attention_follows_its_formula() -> None:
    attention = SpatialAttention()
    with torch.no_grad():
        attention.convolution.weight.zero_()
        attention.convolution.weight[0, 0, 3, 3] = 2.0  # the mean here
        attention.convolution.weight[0, 1, 3, 4] = -1.0  # the largest value one place to the right
    maps = torch.randn(2, 4, 9, 10)
    plain = maps.numpy()
    right = np.pad(plain.max(1), ((0, 0), (0, 0), (0, 1)))[..., 1:]
    wanted = plain * sigmoid(2 * plain.mean(1) - right)[:, None]
    np.testing.assert_allclose(attention(maps).detach().numpy(), wanted, rtol=1e-4, atol=1e-6)


def test_cbam_is_channels_first_then_places() -> None:
    torch.manual_seed(1)
    attention = CBAM(16)
    maps = torch.randn(1, 16, 8, 8)
    channels, places = attention
    assert isinstance(channels, ChannelAttention)
    assert isinstance(places, SpatialAttention)
    torch.testing.assert_close(attention(maps), places(channels(maps)))
    assert sum(weight.numel() for weight in attention.parameters()) == 2 * 16 * 16 // 16 + 2 * 7 * 7
