"""Dual-attention CrossViT: two scales of patches that read each other through filtered cross-attention."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class DualAttention(nn.Module):
    """Cross-attention of one class token over the other scale's patches, gated by its own query.

    With the query q from the class token, keys and values from all tokens, A the attention's result (eq. 3):
    q' = σ(W_q' q), v' = W_A A (eq. 4), and the output is q' ⊙ v' (eq. 5).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.guide = nn.Linear(width, width)
        self.result = nn.Linear(width, width)

    def forward(self, tokens: Float[Tensor, "N T D"]) -> Float[Tensor, "N 1 D"]:
        """New content for the class token, which is the first of `tokens`."""
        query = self.query(tokens[:, :1])
        heads = [part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (
            query, self.key(tokens), self.value(tokens))]  # fmt: skip
        attended = _attention(*heads).transpose(1, 2).flatten(2)
        gated: Tensor = torch.sigmoid(self.guide(query)) * self.result(attended)
        return gated


def _attention(
    query: Float[Tensor, "N h Q d"], key: Float[Tensor, "N h T d"], value: Float[Tensor, "N h T d"]
) -> Float[Tensor, "N h Q d"]:
    weights = torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5, dim=-1)
    return weights @ value


class _Encoder(nn.Module):
    """One transformer encoder: self-attention and a perceptron, each normalised first and added."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.first = nn.LayerNorm(width)
        self.joint = nn.Linear(width, 3 * width)
        self.joined = nn.Linear(width, width)
        self.second = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Float[Tensor, "N T D"]) -> Float[Tensor, "N T D"]:
        parts = self.joint(self.first(tokens)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = _attention(parts[0], parts[1], parts[2]).transpose(1, 2).flatten(2)
        tokens = tokens + self.dropout(self.joined(attended))
        changed: Tensor = tokens + self.dropout(self.perceptron(self.second(tokens)))
        return changed


class _Exchange(nn.Module):
    """One direction of the exchange: a scale's class token reads the other scale's patches (eqs. 1, 6 and 7)."""

    def __init__(self, own: int, other: int, heads: int) -> None:
        super().__init__()
        self.align = nn.Sequential(nn.LayerNorm(own), nn.GELU(), nn.Linear(own, other))
        self.norm = nn.LayerNorm(other)
        self.attention = DualAttention(other, heads)
        self.back = nn.Sequential(nn.LayerNorm(other), nn.GELU(), nn.Linear(other, own))

    def forward(self, own: Float[Tensor, "N T D"], other: Float[Tensor, "N S E"]) -> Float[Tensor, "N T D"]:
        aligned = self.align(own[:, :1])
        read = aligned + self.attention(self.norm(torch.cat([aligned, other[:, 1:]], dim=1)))
        return torch.cat([own[:, :1] + self.back(read), own[:, 1:]], dim=1)


class _MultiScaleEncoder(nn.Module):
    def __init__(
        self, widths: tuple[int, int], depths: tuple[int, int], exchanges: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        large, small = widths
        self.large = nn.Sequential(*(_Encoder(large, heads, dropout) for _ in range(depths[0])))
        self.small = nn.Sequential(*(_Encoder(small, heads, dropout) for _ in range(depths[1])))
        self.to_large = nn.ModuleList(_Exchange(large, small, heads) for _ in range(exchanges))
        self.to_small = nn.ModuleList(_Exchange(small, large, heads) for _ in range(exchanges))

    def forward(self, large: Tensor, small: Tensor) -> tuple[Tensor, Tensor]:
        large, small = self.large(large), self.small(small)
        for to_large, to_small in zip(self.to_large, self.to_small, strict=True):
            large, small = to_large(large, small), to_small(small, large)
        return large, small


class _Patches(nn.Module):
    """Cut a map into square patches, embed each, put a class token in front and add positions."""

    def __init__(self, patch: int, size: int, channels: int, width: int) -> None:
        super().__init__()
        count = (size // patch) ** 2
        self.embed = nn.Conv2d(channels, width, patch, stride=patch)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.place = nn.Parameter(0.02 * torch.randn(1, count + 1, width))

    def forward(self, maps: Float[Tensor, "N C H W"]) -> Float[Tensor, "N T D"]:
        patches = self.embed(maps).flatten(2).transpose(1, 2)
        return torch.cat([self.token.expand(maps.shape[0], -1, -1), patches], dim=1) + self.place


class DualAttentionCrossViT(nn.Module):
    """CrossViT whose cross-attention is replaced by dual attention.

    Input: (N, 3, 28, 28) maps of u, v and optical strain, normalised by "centred-flow-log-strain". Output: logits
    (N, classes). Parameters with three classes: 280 835 with the default sizes, 81 859 as
    "dual-attention-crossvit-fine" in the registry (patches of 7 and 4 pixels, widths 48 and 32).

    The large branch takes the whole map as one patch, the small branch four patches of a quarter each, as the
    paper's section 1.2 says.

    Departures from the paper: its widths, depths and heads are not printed, so they are small here and arguments;
    the printed eq. (4) sums the attention matrix as if it were a value, here A is the attended value, as in
    the attention-on-attention of Huang et al. that it cites; keys and values come from the normalised tokens
    and the class token keeps a path around the exchange, as in CrossViT; the exchange runs both ways, as in
    CrossViT, though only one is written out; dropout is ours. Patch sizes are arguments: smaller ones depart
    further from the paper and read a map more closely.

    Reference:
        Ran, Shi, Jiang and Wang, Micro-expression recognition based on dual attention CrossViT, 2022 (in
        Chinese); Chen, Fan and Panda, CrossViT: cross-attention multi-scale vision transformer for image
        classification, ICCV 2021.
    """

    def __init__(
        self,
        classes: int = 3,
        *,
        size: int = 28,
        channels: int = 3,
        patches: tuple[int, int] = (28, 14),
        widths: tuple[int, int] = (64, 32),
        scales: int = 1,
        depths: tuple[int, int] = (2, 1),
        exchanges: int = 1,
        heads: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.large = _Patches(patches[0], size, channels, widths[0])
        self.small = _Patches(patches[1], size, channels, widths[1])
        self.encoders = nn.ModuleList(
            _MultiScaleEncoder(widths, depths, exchanges, heads, dropout) for _ in range(scales)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in widths)
        self.head = nn.Linear(sum(widths), classes)

    def forward(self, maps: Float[Tensor, "N 3 28 28"]) -> Float[Tensor, "N classes"]:
        """Logits of the maps."""
        large, small = self.large(maps), self.small(maps)
        for encoder in self.encoders:
            large, small = encoder(large, small)
        tokens = [norm(branch[:, 0]) for norm, branch in zip(self.norms, (large, small), strict=True)]
        logits: Tensor = self.head(torch.cat(tokens, dim=1))
        return logits
