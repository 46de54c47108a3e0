"""Truth files for the long videos of a database, so that `onset score` judges what `onset replay` spots in them.

A folder as `onset synthesize` leaves it, without the films: `truth.jsonl`, one expression a line; `scene.json` with the
videos, their lengths and the import report; `videos/`, a link to each video's frames under a name of its own, since a
folder may be called "color" a hundred times:

    onset replay OUT/videos/* --frame-rate-hz 30 --out SESSIONS
    onset score --truth OUT/truth.jsonl --events SESSIONS/*

Time 0 is the first image file of the video, and each file after it lies 1 / frame rate later, as the replay of an image
folder counts; a missing file therefore shortens both alike. A video is listed if at least one of its expressions could
be read: in a film of which everything was rejected, true expressions would count as false alarms.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.errors import BadInput
from realtime.json_lines import Record, as_json, write_atomically
from realtime.sources.image_folder import IMAGE_SUFFIXES, natural_order
from trainers.annotations import Clip, ClipTable, numbered_frames
from trainers.datasets.samm_long_videos import UNKNOWN
from trainers.labels import label_scheme

LONG_VIDEOS = ("casme-square", "samm-long-videos", "casme3")
"""Data sets whose clips are stretches of long videos; the others hand out clips cut at onset and offset."""
SCHEME = "three-classes"
"""Labels as the recognisers of the live system give them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpottingTruth:
    """What was written."""

    out: Path
    videos: int
    micro: int
    macro: int
    labelled: int
    """Expressions whose emotion has a label in the scheme; the others are spotted, not recognised."""
    duration_s: float
    """Of all videos."""
    frame_rate_hz: float
    """To be given to the replay."""


@dataclass(frozen=True, slots=True)
class LongVideo:
    """A video of the truth file."""

    name: str
    """Unique, without a dot: what links and sessions are called."""
    folder: Path
    clips: tuple[Clip, ...]
    files: Mapping[str, int]
    """Place of each image file in the replay, from 0."""

    @property
    def frame_rate_hz(self) -> float:
        """As its clips have it."""
        return self.clips[0].frame_rate_hz

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last."""
        return len(self.files) / self.frame_rate_hz


def write_truth(
    table: ClipTable, out: str | Path, *, scheme: str = SCHEME, overwrite: bool = False, links: bool = True
) -> SpottingTruth:
    """Write the truth of a database's long videos.

    Args:
        table: of one of `LONG_VIDEOS`.
        out: folder, made if it is not there.
        scheme: one of `trainers.labels.LABEL_SCHEMES`; an emotion that it leaves out stays without a label.
        overwrite: allow a folder that already holds a truth file.
        links: also make `videos/`; without, the sessions must be named after the videos in `truth.jsonl`.

    Returns:
        What was written, `truth.jsonl` last of all.

    Raises:
        BadInput: in one line, if the database has no long videos, or the folder cannot be used.
    """
    out = Path(out)
    if table.dataset not in LONG_VIDEOS or all(map(_is_cut, table.clips)):
        raise BadInput(
            f"database {table.dataset} under {table.root}: its clips are cut at onset and offset; "
            f"the long videos of {', '.join(LONG_VIDEOS)} are what can be spotted in"
        )
    if (out / "truth.jsonl").exists() and not overwrite:
        raise BadInput(f"folder {out} holds a truth file already: choose another one or allow overwriting")
    videos = long_videos(table)
    labels = _labels(table.dataset, scheme)
    records = [record for video in videos for record in _records(video, labels)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        if links:
            _link(out / "videos", videos)
        write_atomically(out / "scene.json", as_json(_description(table, videos, scheme)))
        write_atomically(out / "truth.jsonl", b"".join(as_json(record, indent=None) for record in records))
    except OSError as fault:
        raise BadInput(f"folder {out} cannot be written ({fault.strerror}): choose another one") from None
    return _summary(out, videos, records)


def long_videos(table: ClipTable) -> list[LongVideo]:
    """The videos of a table with their expressions, each under a name of its own, in the order of the names.

    Args:
        table: its clips' folders are the videos' folders.
    """
    clips: dict[Path, list[Clip]] = {}
    for clip in table.clips:
        clips.setdefault(clip.folder, []).append(clip)
    names = _names(clips)
    videos = [LongVideo(names[folder], folder, tuple(clips[folder]), _replayed(folder)) for folder in clips]
    return sorted(videos, key=lambda video: video.name)


def _is_cut(clip: Clip) -> bool:
    """Whether its folder holds nothing before the onset and nothing after the offset."""
    frames = numbered_frames(clip.folder)
    return clip.onset == min(frames) and clip.offset == max(frames)


def _names(folders: Iterable[Path]) -> dict[Path, str]:
    """The last parts of each path, as few as tell it from all others."""
    names: dict[Path, str] = {}
    left, depth = list(folders), 0
    while left:
        depth += 1
        # A dot would be taken for the beginning of a suffix where sessions and videos are matched.
        short = {folder: "-".join(folder.parts[-depth:]).replace(".", "-").strip("/\\") for folder in left}
        taken = [*names.values(), *short.values()]
        whole = max(len(folder.parts) for folder in left) <= depth
        names |= {folder: name for folder, name in short.items() if taken.count(name) == 1 or whole}
        left = [folder for folder in left if folder not in names]
    return names


def _replayed(folder: Path) -> dict[str, int]:
    """Image files in the order in which a replay shows them."""
    files = (file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    shown = sorted((file for file in files if not file.name.startswith(".")), key=natural_order)
    return {file.name: place for place, file in enumerate(shown)}


def _records(video: LongVideo, labels: Mapping[str, str] | None) -> list[Record]:
    frames = numbered_frames(video.folder)

    def place(number: int | None) -> int | None:
        return None if number is None else video.files[frames[number].name]

    def seconds(index: int | None) -> float | None:
        return None if index is None else index / video.frame_rate_hz

    records: list[Record] = []
    for clip in sorted(video.clips, key=lambda clip: (clip.onset, clip.offset, clip.name)):
        moments = {"onset": place(clip.onset), "apex": place(clip.apex), "offset": place(clip.offset)}
        records.append(
            {
                "video": video.name,
                "subject": clip.subject,
                "clip": clip.name,
                **{f"{moment}_index": index for moment, index in moments.items()},
                **{f"{moment}_s": seconds(index) for moment, index in moments.items()},
                "kind": clip.kind,
                "label": _label(clip, labels),
                "coded_label": clip.label,
                "action_units": clip.action_units,
            }
        )
    return records


def _labels(dataset: str, scheme: str) -> Mapping[str, str] | None:
    """Label of each coded emotion; None where the emotions themselves are the labels."""
    labels = label_scheme(scheme).labels
    if labels and dataset not in labels:
        raise BadInput(f"label scheme {scheme} has no labels for {dataset}: give {SCHEME} or emotions")
    return labels.get(dataset)


def _label(clip: Clip, labels: Mapping[str, str] | None) -> str | None:
    """What a recogniser should say; None where nobody can tell."""
    if labels is not None:
        return labels.get(clip.label)
    return None if clip.label == UNKNOWN else clip.label


def _link(home: Path, videos: Iterable[LongVideo]) -> None:
    home.mkdir(exist_ok=True)
    for old in home.iterdir():
        if old.is_symlink():
            old.unlink()
    for video in videos:
        (home / video.name).symlink_to(video.folder.resolve(), target_is_directory=True)


def _description(table: ClipTable, videos: Iterable[LongVideo], scheme: str) -> dict[str, Any]:
    return {
        "truth": f"{table.dataset} as its owners coded it; seconds from the first image file of the video, one file "
        f"every 1 / frame rate; labels by the scheme {scheme}",
        "root": str(table.root),
        "videos": [
            {
                "video": video.name,
                "folder": str(video.folder),
                "frames": len(video.files),
                "parameters": {"duration_s": video.duration_s, "frame_rate_hz": video.frame_rate_hz},
            }
            for video in videos
        ],
        "findings": [str(finding) for finding in table.findings],
    }


def _summary(out: Path, videos: list[LongVideo], records: list[Record]) -> SpottingTruth:
    kinds = [record["kind"] for record in records]
    return SpottingTruth(
        out=out,
        videos=len(videos),
        micro=kinds.count("micro"),
        macro=kinds.count("macro"),
        labelled=sum(record["label"] is not None for record in records),
        duration_s=sum(video.duration_s for video in videos),
        frame_rate_hz=videos[0].frame_rate_hz,
    )
