"""The ways to find an apex, by name."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from engines.errors import BadInput
from realtime.faces.observation import AlignedFace
from trainers.apex.pixel_difference import pixel_difference_apex
from trainers.apex.spotted import spotted_apex

ApexMethod = Literal["pixel-difference", "spotter", "middle"]


def find_apex(method: ApexMethod, faces: Sequence[AlignedFace], onset: int, offset: int) -> int:
    """The apex of an expression whose onset and offset are known.

    Args:
        method: a name in `APEX_METHODS`.
        faces: the clip, aligned, in time order; frames before the onset and after the offset help the spotter.
        onset: `index` of the face at the onset.
        offset: of the one at the offset, later than the onset.

    Returns:
        `index` of the face at the apex: after the onset, and before the offset where there is a frame between them.

    Raises:
        BadInput: if onset or offset is not among the faces.
    """
    indices = [face.index for face in faces]
    if onset >= offset or onset not in indices or offset not in indices:
        raise BadInput(f"no apex can be found from onset {onset} to offset {offset}: both need a face, in this order")
    if not _between(faces, onset, offset):
        return offset
    return APEX_METHODS[method](faces, onset, offset)


def middle_apex(faces: Sequence[AlignedFace], onset: int, offset: int) -> int:
    """The middle frame, as EDSSNet and MADTN take it where no apex is given.

    Of an even number of frames the earlier of the two in the middle, as expressions rise faster than they fall.

    Reference:
        Li et al., EDSSNet, 2021; Xia et al., MADTN, 2020.
    """
    within = [face.index for face in faces if onset <= face.index <= offset]
    return within[(len(within) - 1) // 2]


def _between(faces: Sequence[AlignedFace], onset: int, offset: int) -> list[int]:
    return [face.index for face in faces if onset < face.index < offset]


APEX_METHODS: Mapping[str, Callable[[Sequence[AlignedFace], int, int], int]] = MappingProxyType(
    {"pixel-difference": pixel_difference_apex, "spotter": spotted_apex, "middle": middle_apex}
)
"""Every method by the name that the command line uses."""
