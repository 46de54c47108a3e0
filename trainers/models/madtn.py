"""MADTN: a shallow network that reads motion and face as one image and is drawn towards another database."""

from jaxtyping import Float
from torch import Tensor, nn

SLOPE = 0.01
"""Of the leaky ReLU where its input is negative."""


def _block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.MaxPool2d(2), nn.LeakyReLU(SLOPE)]


class MADTN(nn.Module):
    """Motion attention deep transfer network: three convolutions and two linear layers.

    Input: (N, 3, 112, 112) motion attention images of the "madtn" recipe (onset-to-apex flow, apex and
    apex-to-offset flow, each as gray), normalised by "unit-interval". Output: logits (N, classes); `deep_features`
    gives the features (N, 128) that `trainers.losses.squared_mmd` compares between two databases, and `classify`
    takes them to logits, so that training runs the layers once.

    Parameters with three classes: 1 629 731. Convolutions of 3×3 with biases: 3 to 16 channels 448, 16 to 32
    channels 4 640, 32 to 64 channels 18 496; linear layers: 64 × 14 × 14 = 12 544 values to 128 features 1 605 760,
    128 features to three classes 387.

    From the paper: five layers, of which three are convolutions; max pooling after every convolution; leaky ReLU
    after every layer; 112 × 112 pixels.

    Where the paper is silent (figure 1 (c) draws the network, the text gives no size of any layer): two linear
    layers make up the five; 16, 32 and 64 filters of 3×3 and 128 features, small because it calls the network so;
    pooling 2×2; no batch normalisation and no dropout, as it names neither; a slope of 0.01, which is that of the
    cited Maas et al., and none after the logits; MMD over the features behind the first linear layer's activation, as
    only one set of features f stands in eqs. (5) to (7). Weights start as PyTorch draws them: after He et al. the
    features start further apart, but the paper's learning rate of 2e-4 then drives the loss up before it falls. Whether
    pooling or leaky ReLU comes first does not matter: one picks the largest value, the other keeps the order.

    Departures: at test the paper takes the middle frame as apex, here it is the annotated or spotted one (`onset
    prepare --apex middle` does as the paper). The image's own (TV-L1 in place of Farnebäck's flow, alignment in place
    of MTCNN's first box) are those of the recipe.

    Reference:
        Xia, Zheng, Zong and Jiang, Motion attention deep transfer network for cross-database micro-expression
        recognition, ICPR 2020 workshops (here after its Chinese version); Maas, Hannun and Ng, Rectifier
        nonlinearities improve neural network acoustic models, ICML 2013.
    """

    def __init__(self, classes: int = 3, *, filters: tuple[int, int, int] = (16, 32, 64), features: int = 128) -> None:
        super().__init__()
        first, second, third = filters
        self.convolutions = nn.Sequential(*_block(3, first), *_block(first, second), *_block(second, third))
        self.embed = nn.Sequential(nn.Flatten(), nn.Linear(third * 14 * 14, features), nn.LeakyReLU(SLOPE))
        self.head = nn.Linear(features, classes)

    def deep_features(self, images: Float[Tensor, "N 3 112 112"]) -> Float[Tensor, "N D"]:
        """What is brought together between source and target database."""
        features: Tensor = self.embed(self.convolutions(images))
        return features

    def classify(self, features: Float[Tensor, "N D"]) -> Float[Tensor, "N classes"]:
        """Logits of deep features."""
        logits: Tensor = self.head(features)
        return logits

    def forward(self, images: Float[Tensor, "N 3 112 112"]) -> Float[Tensor, "N classes"]:
        """Logits of motion attention images."""
        return self.classify(self.deep_features(images))
