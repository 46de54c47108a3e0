"""The live view: what to watch and how on top, `<onset-live>` under it; the run itself is `house.live`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo.dashboard.house import House
from demo.dashboard.live_request import BROWSER, LiveRequest
from demo.dashboard.live_run import UNDER_WAY
from demo.dashboard.live_sources import checkpoint_names, machine_cameras
from demo.dashboard.words import word
from engines.errors import OnsetError
from realtime.spotting.parameters import LEAST_SENSITIVE, MOST_SENSITIVE

ADDRESS = "address"
"""The source that stands for "an address that I type"."""
BACKENDS = ("auto", "onnxruntime", "tensorrt")
QUIETLY: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
_STYLE = '<link rel="stylesheet" href="/onset/assets/live_controls.css">'
_DEVICE = f"{_STYLE}<onset-camera-choice></onset-camera-choice>"
_FOLLOW = """
element.addEventListener("onset-state", () => trigger("input"));
element.addEventListener("onset-here", () => trigger("load"));
window.addEventListener("onset-chosen", () => trigger("load"));
"""
"""The element tells of a change of the run, from whatever page it came, and the engines view of a choice; the controls
follow."""
_PREPARE = "async (ready, source, ...rest) => [await globalThis.onsetLive.prepare(source), source, ...rest]"
_STARTED = "(started) => { globalThis.onsetLive.started(started); }"
_DIAL = "(position) => { globalThis.onsetLive.dial(position); }"


@dataclass(frozen=True, kw_only=True)
class _Controls:
    """Everything above the picture."""

    source: gr.Dropdown
    address: gr.Textbox
    device: gr.HTML
    sensitivity: gr.Slider
    start: gr.Button
    stop: gr.Button
    record: gr.Button
    checkpoint: gr.Dropdown
    backend: gr.Dropdown
    frame_rate: gr.Number
    keep: gr.Checkbox
    lab_streaming: gr.Checkbox
    refresh: gr.Button

    @property
    def request(self) -> list[gr.components.Component]:
        """What a start reads, in the order of `_start`'s arguments."""
        return [
            self.source, self.address, self.sensitivity, self.checkpoint, self.backend, self.frame_rate, self.keep,
            self.lab_streaming,
        ]  # fmt: skip


def add_live_view(house: House) -> None:
    """Lay out the live view.

    Args:
        house: whose live run is shown and steered.
    """
    controls = _lay_out_controls(house)
    look = gr.HTML("<onset-live></onset-live>", js_on_load=_FOLLOW, apply_default_css=False, elem_id="onset-live")
    _wire_choices(house, controls, look)
    _wire_run(house, controls, look)


def _lay_out_controls(house: House) -> _Controls:
    plain: dict[str, Any] = {"container": False, "show_label": False}
    with gr.Row(elem_id="onset-live-controls"):
        source = gr.Dropdown(_sources([]), value=BROWSER, label=word("live.source"), min_width=200, **plain)
        device = gr.HTML(_DEVICE, apply_default_css=False, elem_id="onset-live-device")
        address = gr.Textbox(
            label=word("live.source-address-label"),
            placeholder=word("live.source-address-hint"),
            visible=False,
            elem_id="onset-live-address",
            **plain,
        )
        start = gr.Button(word("live.start"), variant="primary", min_width=96, scale=0)
        stop = gr.Button(word("live.stop"), interactive=False, min_width=80, scale=0)
        record = gr.Button(word("live.record"), interactive=False, min_width=130, scale=0)
        with gr.Accordion(word("live.more"), open=False, elem_id="onset-live-more"):
            settings = _lay_out_settings(house)
    return _Controls(
        source=source, address=address, device=device, start=start, stop=stop, record=record, **settings
    )  # fmt: skip


def _lay_out_settings(house: House) -> dict[str, Any]:
    """What is set once and then left alone."""
    position = house.settings.spotting.sensitivity
    with gr.Row():
        with gr.Column(scale=2, min_width=260):
            sensitivity = gr.Slider(
                LEAST_SENSITIVE, MOST_SENSITIVE, position, step=1, label=word("live.sensitivity"), buttons=[]
            )
            gr.HTML(f"<onset-dial position='{position:g}'></onset-dial>", apply_default_css=False)
        with gr.Column(scale=2, min_width=260):
            checkpoint = gr.Dropdown(checkpoint_names(house.data), value="default", label=word("live.checkpoint"))
            backend = gr.Dropdown(_backends(), value=house.chosen.backend, label=word("live.backend"))
        with gr.Column(scale=2, min_width=260):
            frame_rate = gr.Number(0, minimum=0, maximum=1000, label=word("live.frame-rate"))
            keep = gr.Checkbox(False, label=word("live.record-video"))
            lab_streaming = gr.Checkbox(False, label=word("live.lab-streaming"))
            refresh = gr.Button(word("live.refresh"), size="sm")
    return {
        "sensitivity": sensitivity, "checkpoint": checkpoint, "backend": backend, "frame_rate": frame_rate,
        "keep": keep, "lab_streaming": lab_streaming, "refresh": refresh,
    }  # fmt: skip


def _wire_choices(house: House, controls: _Controls, look: gr.HTML) -> None:
    """What can be chosen, and what each choice shows."""

    def list_again(source: str) -> list[Any]:
        found = machine_cameras()
        known = {BROWSER, ADDRESS, *(value for _, value in found)}
        names = checkpoint_names(house.data)
        chosen = house.chosen.checkpoint if house.chosen.checkpoint in names else "default"
        return [
            gr.update(choices=_sources(found), value=source if source in known else BROWSER),
            gr.update(choices=names, value=chosen),
            gr.update(value=house.chosen.backend),
        ]

    lists: dict[str, Any] = {
        "inputs": [controls.source],
        "outputs": [controls.source, controls.checkpoint, controls.backend],
    }
    look.load(list_again, **lists, show_progress="hidden", api_visibility="private")
    controls.refresh.click(list_again, **lists, show_progress="minimal", api_visibility="private")
    controls.source.change(
        lambda source: [gr.update(visible=source == BROWSER), gr.update(visible=source == ADDRESS)],
        inputs=[controls.source],
        outputs=[controls.device, controls.address],
        **QUIETLY,
    )
    controls.sensitivity.change(None, inputs=[controls.sensitivity], js=_DIAL)


def _wire_run(house: House, controls: _Controls, look: gr.HTML) -> None:
    """Start, stop and record; and the buttons that follow the run."""
    ready = gr.Checkbox(True, visible=False)
    started = gr.JSON(visible=False)
    buttons = [controls.start, controls.stop, controls.record]
    controls.start.click(
        _starter(house), inputs=[ready, *controls.request], outputs=[started], js=_PREPARE, **QUIETLY
    ).then(None, inputs=[started], js=_STARTED)
    controls.stop.click(house.live.stop, **QUIETLY)
    controls.record.click(lambda: _switch_recording(house), **QUIETLY)
    look.input(lambda: _button_states(house), outputs=buttons, **QUIETLY)


def _starter(house: House) -> Callable[..., dict[str, Any] | None]:
    def start(
        ready: bool,
        source: str,
        address: str | None,
        sensitivity: float,
        checkpoint: str,
        backend: str,
        frame_rate_hz: float | None,
        keep: bool,
        lab_streaming: bool,
    ) -> dict[str, Any] | None:
        if not ready:
            return None  # the page has said why: its camera may not be used
        request = LiveRequest(
            source=(address or "").strip() if source == ADDRESS else source,
            checkpoint=checkpoint,
            backend=backend,
            sensitivity=sensitivity,
            frame_rate_hz=frame_rate_hz or None,
            record=keep,
            lab_streaming=lab_streaming,
        )
        try:
            begun = house.live.start(request)
        except OnsetError as fault:
            return {"error": str(fault)}
        return {"session": begun.session, "ticket": begun.ticket}

    return start


def _switch_recording(house: House) -> None:
    try:
        house.live.record(not house.live.status()["recording"])
    except OnsetError as fault:
        gr.Warning(str(fault))


def _button_states(house: House) -> list[Any]:
    status = house.live.status()
    running = status["state"] in UNDER_WAY
    ending = status["state"] == "stopping"
    record = word("live.record-stop" if status["recording"] else "live.record")
    return [
        gr.update(interactive=not running),
        gr.update(interactive=running and not ending),
        gr.update(interactive=running and not ending, value=record),
    ]


def _sources(found: Sequence[tuple[str, str]]) -> list[tuple[Any, str]]:
    return [(word("live.source-browser"), BROWSER), *found, (word("live.source-address"), ADDRESS)]


def _backends() -> list[tuple[Any, str]]:
    return [(word("live.backend-auto"), "auto"), *((name, name) for name in BACKENDS[1:])]
