"""`onset replay`: recordings in, session folders out."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from demo.clustered_replay import ReplayJob, replay_on, summaries_as_json
from demo.commands.run_flags import RunFlags, settings_under
from demo.recordings import find_recordings
from demo.run_display import follow
from engines.errors import BadInput, OnsetError
from trainers.cluster import open_workers


@dataclass(frozen=True, kw_only=True)
class Replay(RunFlags):
    """Spot, measure and classify the micro-expressions of recordings; each leaves a session folder with a report.

    A source is a video file, a folder of images (with --frame-rate-hz), a folder of videos, a stream address, or
    the word "example": a short synthesised video that is made on the spot.
    """

    sources: tyro.conf.Positional[tuple[str, ...]]
    """Recordings to replay. With several, each gets a folder of its own under --out."""
    frame_rate_hz: float | None = None
    """Frame rate of a folder of images, which does not tell it."""

    cluster: str | None = None
    """Spread several recordings over Ray (extra [cluster]): "auto" for all cores of this machine, or HOST:PORT of a
    cluster that it is part of. Recordings, --out and --checkpoint must then lie on a disk that all its machines share,
    under the same path, and each machine have this package in the same version."""

    def run(self) -> int:
        """Replay all recordings; one that cannot be read does not stop the others."""
        if not self.sources:
            raise BadInput('replay: no source given; name a video, a folder, or "example"')
        jobs = [
            ReplayJob(
                recording=recording,
                settings=self.chosen,
                checkpoint=self.checkpoint,
                backend=self.backend,
                overwrite=self.overwrite,
            )
            for recording in find_recordings(self.sources, self.out, self.frame_rate_hz)
        ]
        if self.cluster is None:
            code, summaries = self._one_after_another(jobs)
        else:
            with open_workers(self.cluster) as workers:
                code, summaries = replay_on(workers, jobs, quiet=self.json)
        if self.json:
            print(summaries_as_json(summaries, single=len(jobs) == 1))
        return code

    def _one_after_another(self, jobs: Sequence[ReplayJob]) -> tuple[int, list[dict[str, Any]]]:
        code, summaries = 0, []
        for job in jobs:
            try:
                ended, summary = follow(job.session_run(), quiet=self.json)
            except OnsetError as fault:
                if len(jobs) == 1:
                    raise
                print(f"onset: {fault}", file=sys.stderr)
                ended, summary = 2, {"source": job.recording.address, "error": str(fault)}
            summaries.append(summary)
            code = max(code, ended)
            if ended == 130:
                break
        return code, summaries


def defaults(words: Sequence[str]) -> Replay:
    """Defaults under the flags, with the configuration file in them."""
    return Replay(sources=tyro.MISSING, out=tyro.MISSING, settings=settings_under(words))


COMMAND = Replay
