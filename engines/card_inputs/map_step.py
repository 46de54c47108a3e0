"""From the framed flow to the model's input on the card, and from what the model gives to probabilities."""

from typing import Any

import numpy as np

from engines.card import ModelCard
from engines.card_inputs.card_stream import CardStream
from engines.card_inputs.forms import CardForm
from engines.card_inputs.resampling import resampling_tables
from engines.card_inputs.steps import BLOCK, blocks_of, tables_on_card
from engines.event_reading import EventReading
from engines.inputs.steady_flow import Size

CHANNEL_THREADS = 256
"""Most threads of the block of a channel: its kernel has room for no more."""


class MapStep:
    """Makes tensor and probabilities, and keeps all that the host wants back in one array: one copy brings it.

    Args:
        card: where it happens.
        model: card of the checkpoint.
        form: how the model's input is made.
        size: height and width of the flow.
        image_width: pixels of the images across the flow.
        threads: most threads of a block, a power of two.
    """

    def __init__(
        self, card: CardStream, model: ModelCard, form: CardForm, *, size: Size, image_width: int, threads: int
    ) -> None:
        self._model = model
        self._size = size
        self._pixels = np.float32(image_width / size[1])
        self._stream = card.stream
        self._lay_out(card)
        channels, height, width = model.input_shape
        signs = [-1.0 if channel in form.mirrored else 1.0 for channel in range(channels)]
        self._channels = (
            card.constant(np.array(form.planes, np.int32)),
            card.constant(np.array(form.logarithmic, np.int32)),
            card.constant(np.array(signs, np.float32)),
            *tables_on_card(card, resampling_tables(*size, height, width)),
            card.array((channels, height, width)),
        )
        self._set_up_kernels(card, min(threads, CHANNEL_THREADS))

    def make_input(self, field: Any, movement: Any) -> Any:
        """Planes, map and tensor out of the framed flow and the head's movement in it; the tensor."""
        self._still_planes(field, movement, self._pixels, self._planes)
        self._make_channels(self._planes, *self._channels, self._features, self._tensor)
        return self._tensor

    def take_output(self, given: Any) -> None:
        """Probabilities out of what the model gave, and all results on their way to the host."""
        self._average(given, int(self._model.output == "logits"), self._probabilities)
        self._results.copy_to_host(self._results_host, stream=self._stream)

    def reading(self) -> EventReading:
        """What has come back, copied: the next event overwrites it. Wait for the stream first."""
        (height, width), (channels, rows, columns) = self._size, self._model.input_shape
        fields, features, probabilities = np.split(
            np.array(self._results_host), np.cumsum([3 * height * width, rows * columns * channels])
        )
        planes = fields.reshape(3, height, width)
        return EventReading(
            flow=planes[:2],
            strain=planes[2],
            features=features.reshape(rows, columns, channels).astype(np.uint8),
            probabilities=probabilities.copy(),
        )

    def _lay_out(self, card: CardStream) -> None:
        """Magnitude, which the host does not want, then u, v, strain, feature map and probabilities."""
        channels, height, width = self._model.input_shape
        views = 2 if self._model.test_time_mirror else 1
        pixels, values, classes = self._size[0] * self._size[1], height * width * channels, len(self._model.classes)
        arrays = card.array(4 * pixels + values + classes)
        self._planes = arrays[: 4 * pixels].reshape(4, *self._size)
        self._features = arrays[4 * pixels : 4 * pixels + values].reshape(height, width, channels)
        self._probabilities = arrays[4 * pixels + values :]
        self._results = arrays[pixels:]
        self._results_host = card.staging(3 * pixels + values + classes)
        self._tensor = card.array((views, channels, height, width))

    def _set_up_kernels(self, card: CardStream, threads: int) -> None:
        from engines.card_inputs.channel_kernel import make_channels
        from engines.card_inputs.probability_kernel import average_views
        from engines.card_inputs.strain_kernel import still_planes

        self._still_planes = card.launch(still_planes, blocks_of(self._size), BLOCK)
        self._make_channels = card.launch(make_channels, self._model.input_shape[0], threads)
        self._average = card.launch(average_views, 1, 1)
