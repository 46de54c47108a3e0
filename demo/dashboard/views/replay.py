"""The replay view: which session or video, and the component that shows it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from demo.dashboard.house import House
from demo.dashboard.replay_job import start_replay, take_in
from demo.dashboard.words import word
from demo.recordings import VIDEO_SUFFIXES
from engines.errors import OnsetError
from realtime.session_shelf import SessionShelf, ShelvedSession

_OPEN = "(name) => { document.querySelector('onset-replay')?.open(name); }"
_EXPECT = "() => { document.querySelector('onset-replay')?.expectJob(); }"
_TELL = "element.addEventListener('onset-opened', (event) => trigger('select', event.detail));"


def add_replay_view(house: House) -> None:
    """Lay out the replay view.

    Args:
        house: whose sessions and recordings can be chosen.
    """
    desk = _Desk(house)
    with gr.Row(equal_height=True, elem_id="onset-replay-choice"):
        session = gr.Dropdown(
            desk.sessions(), value=None, label=word("replay.session"), scale=3, min_width=240, filterable=True
        )
        recording = gr.Dropdown(
            desk.recordings(), value=None, label=word("replay.recording"), scale=2, min_width=200, filterable=True
        )
        sensitivity = gr.Slider(
            1, 9, value=house.settings.spotting.sensitivity, step=0.5, label=word("replay.sensitivity"), scale=2,
            min_width=230, buttons=[],
        )  # fmt: skip
        with gr.Column(scale=1, min_width=170, elem_id="onset-replay-files"):
            run = gr.Button(word("replay.run"), size="sm", elem_id="onset-replay-run")
            upload = gr.UploadButton(
                word("replay.upload"),  # type: ignore[arg-type]  # it takes translated words as every label does
                variant="primary", size="sm", file_count="multiple",
                file_types=sorted(VIDEO_SUFFIXES),
            )  # fmt: skip
    shown = gr.HTML("<onset-replay></onset-replay>", apply_default_css=False, js_on_load=_TELL)

    quick: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    session.input(None, [session], None, js=_OPEN, **quick)
    shown.select(desk.opened, [recording], [session, recording], **quick)
    # Through the queue: without it Gradio shows no warning.
    queued = {**quick, "queue": True}
    run.click(desk.replay, [recording, sensitivity], None, **queued).then(None, None, None, js=_EXPECT, **quick)
    taken = upload.upload(desk.take, [upload, sensitivity], [recording, upload], **queued)
    taken.then(None, None, None, js=_EXPECT, **quick)


class _Desk:
    """What the controls do.

    Args:
        house: whose sessions and recordings can be chosen.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._shelf = SessionShelf(house.data.sessions)

    def sessions(self) -> list[tuple[str, str]]:
        """Every session that can be opened, the newest first, with what tells it from the others."""
        return [(_told(one), one.name) for one in self._shelf.sessions() if one.state != "damaged"]

    def recordings(self) -> list[tuple[str, str]]:
        """Every video that was handed in, the newest first."""
        folder = self._house.data.recordings
        videos = [path for path in folder.iterdir() if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()]
        videos.sort(key=lambda path: -path.stat().st_mtime)
        return [(path.name, path.name) for path in videos]

    def opened(self, recording: str | None, event: gr.EventData) -> tuple[dict[str, Any], dict[str, Any]]:
        """The component shows a session: so do the lists, as they are now."""
        sessions, recordings = self.sessions(), self.recordings()
        return _list(sessions, event._data.get("session")), _list(recordings, recording)

    def replay(self, recording: str | None, sensitivity: float) -> None:
        """Replay a video that was handed in before."""
        try:
            if not recording:
                raise OnsetError("no video is chosen; choose one of the list or open another")
            start_replay(self._house, self._house.data.recording(recording), sensitivity)
        except OnsetError as fault:
            raise gr.Error(str(fault), print_exception=False) from None

    def take(self, uploads: Sequence[str] | None, sensitivity: float) -> tuple[dict[str, Any], None]:
        """Keep the videos that were handed in, and replay each."""
        kept: Path | None = None
        for upload in uploads or ():
            try:
                kept = take_in(self._house, Path(upload))
                start_replay(self._house, kept, sensitivity)
            except OnsetError as fault:
                gr.Warning(str(fault))
        return gr.update(choices=self.recordings(), value=None if kept is None else kept.name), None


def _list(choices: list[tuple[str, str]], chosen: str | None) -> dict[str, Any]:
    """A dropdown's list as it is now; what was chosen stays as long as it is there."""
    update: dict[str, Any] = gr.update(choices=choices, value=chosen if chosen in {one for _, one in choices} else None)
    return update


def _told(session: ShelvedSession) -> str:
    """Title or source, when, and how many events."""
    title = session.title or Path(session.source).name or session.name
    began = (session.started_at or "")[:16].replace("T", " ")
    return f"{title} · {began} · {session.micro} + {session.macro}"
