"""Every look in the order of a report, and the few that a session needs before it opens."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from engines.checkpoint import DEFAULT
from engines.doctor import ground
from engines.doctor.cameras import cameras
from engines.doctor.checkpoints import FindCard, FindFlavours, checkpoint
from engines.doctor.finding import Finding, guarded
from engines.doctor.graphics import driver, flow_engine, graphics_card, kernels
from engines.doctor.inference import onnxruntime, tensorrt
from engines.graphics_card import find_card
from engines.tensorrt.flavour import installed_flavours, unusable_flavours


def examine(
    checkpoints: Sequence[str | Path] = (),
    *,
    kernels_in: Sequence[str] = ("engines.flow",),
    card: FindCard = find_card,
    flavours: FindFlavours = installed_flavours,
) -> list[Finding]:
    """Look at everything that Onset uses on this machine.

    Args:
        checkpoints: folders to look at besides the default checkpoint.
        kernels_in: packages whose kernels for the CPU a run uses.
        card: asks the driver for its card.
        flavours: says which flavours of TensorRT are installed.

    Returns:
        Findings in the order of a report: ground, cameras, card, engines, checkpoints. Never raises. Takes
        seconds; where a camera or a card hangs, or kernels are compiled for a card for the first time, a few minutes.
    """
    quick = {finding.name: finding for finding in examine_engines(card=card, flavours=flavours)}
    runs_engines = quick["tensorrt"].state == "ok"
    findings = [
        *guarded("python", lambda: [ground.python()]),
        *guarded("packages", lambda: [ground.packages()]),
        *guarded("cpu kernels", lambda: [ground.cpu_kernels(kernels_in)]),
        *guarded("face models", lambda: [ground.face_models()]),
        *guarded("training", lambda: [ground.training()], required=False),
        *guarded("cameras", cameras, required=False),
        quick["cuda driver"],
        *guarded("card", lambda: [graphics_card(card())], required=False),
        *guarded("cuda kernels", lambda: [kernels(card())], required=False),
        *guarded("flow engine", lambda: [flow_engine()]),
        quick["onnxruntime"],
        quick["tensorrt"],
    ]
    for place in dict.fromkeys((DEFAULT, *map(str, checkpoints))):
        look = partial(checkpoint, place, card, flavours, runs_engines=runs_engines)
        findings += guarded(f"checkpoint {place}", look, required=place == DEFAULT)
    return findings


def examine_engines(*, card: FindCard = find_card, flavours: FindFlavours = installed_flavours) -> list[Finding]:
    """Look at the inference engines alone, and at the driver that some need; quick, never raises.

    Returns:
        Findings named "onnxruntime", "cuda driver" and "tensorrt".
    """
    return [
        *guarded("onnxruntime", lambda: [onnxruntime()]),
        *guarded("cuda driver", lambda: [driver(card())], required=False),
        *guarded("tensorrt", lambda: [tensorrt(card(), flavours(), unusable_flavours())], required=False),
    ]


def table(findings: Iterable[Finding]) -> list[tuple[str, str, str, str]]:
    """Rows of name, state, what was found, what to do; "optional" is what replay can do without."""
    return [
        (
            finding.name,
            finding.state if finding.required or finding.state == "ok" else f"{finding.state} (optional)",
            finding.detail,
            finding.remedy,
        )
        for finding in findings
    ]
