"""Real engines, built without a card by TensorRT for RTX; and what is said where one cannot be built."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines.checkpoint import Checkpoint, load_checkpoint
from engines.errors import BackendUnavailable, BadCheckpoint, BadInput
from engines.graphics_card import GraphicsCard, find_card
from engines.tensorrt.build import BuildStopped, BuiltEngine, build_engine
from engines.tensorrt.flavour import Flavour, installed_flavours
from engines.tensorrt.key import Precision
from engines.tensorrt.log import listening
from engines.tensorrt.manifest import EngineManifest
from engines.tensorrt.store import find_engines, fitting_engine, read_engine
from tests.engines.stand_in_checkpoint import stand_in_checkpoint
from tests.engines.tensorrt.fake_tensorrt import CONTENT, NO_CARD, Behaviour, fake_card, fake_flavour
from tests.engines.tensorrt.registered_models import NAMES, registered_checkpoint

CARDS = ("8.6", "8.9")


@dataclass
class Told:
    """What a build reported on its way."""

    steps: list[str] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Shipped:
    checkpoint: Checkpoint
    built: dict[str, BuiltEngine]
    told: dict[str, Told]


@pytest.fixture(scope="module")
def shipped(rtx: Flavour, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """A copy of the shipped checkpoint with its fp32 and its fp16 engine."""
    folder = shutil.copytree(
        load_checkpoint("default").folder,
        tmp_path_factory.mktemp("shipped") / "model",
        ignore=shutil.ignore_patterns("engines"),
    )
    built, told = {}, {"fp32": Told(), "fp16": Told()}
    for precision, heard in told.items():
        built[precision] = build_engine(
            folder,
            precision=precision,
            capabilities=reversed(CARDS),
            flavour=rtx,
            on_step=heard.steps.append,
            on_share=heard.shares.append,
        )
    return Shipped(load_checkpoint(folder), built, told)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_shipped_checkpoints_engine_opens_again(shipped: Shipped, rtx: Flavour, precision: Precision) -> None:
    built, card = shipped.built[precision], fake_card((8, 6))
    assert not built.kept
    assert built.warnings == ()
    stored = fitting_engine(shipped.checkpoint, card, [rtx], precision)
    assert stored == built.stored
    content, manifest = read_engine(stored), EngineManifest.read(stored.path.with_suffix(".json"))
    assert manifest.engine_sha256 == hashlib.sha256(content).hexdigest()
    assert manifest.engine_bytes == len(content) > 1_000_000
    assert (manifest.key.flavour, manifest.key.version) == ("rtx", rtx.version)
    assert (manifest.key.precision, manifest.key.capabilities, manifest.key.profile) == (precision, CARDS, (1, 2, 256))
    assert manifest.key.model_sha256 == shipped.checkpoint.card.files["model.onnx"]
    assert (manifest.input_name, manifest.input_shape) == ("maps", (3, 28, 28))
    assert (manifest.output_name, manifest.output_count) == ("logits", 3)
    assert 0 < manifest.build_seconds < 300


def test_a_build_leaves_only_engines_and_manifests(shipped: Shipped) -> None:
    left = {path.name for path in (shipped.checkpoint.folder / "engines").iterdir()}
    stems = {built.stored.name for built in shipped.built.values()}
    assert left == {f"{stem}{suffix}" for stem in stems for suffix in (".engine", ".json")}
    assert load_checkpoint(shipped.checkpoint.folder).card == shipped.checkpoint.card


def test_progress_is_told(shipped: Shipped) -> None:
    full, half = shipped.told["fp32"], shipped.told["fp16"]
    assert full.steps[0] == "reading the graph"
    assert full.steps[-1] == "writing engine and manifest"
    assert half.steps[:2] == ["converting the graph to fp16", "reading the graph"]
    assert "building engine" in full.steps
    assert full.shares == sorted(full.shares)
    assert 0 < full.shares[0] < 0.1
    assert 0.8 <= full.shares[-1] <= 1


def test_an_engine_that_is_there_is_kept_unless_told(shipped: Shipped, rtx: Flavour) -> None:
    def again(**changes: Any) -> BuiltEngine:
        return build_engine(shipped.checkpoint, capabilities=CARDS, flavour=rtx, **changes)

    before, heard = shipped.built["fp32"].stored.path.stat().st_mtime_ns, Told()
    kept = again(on_step=heard.steps.append)
    assert kept.kept
    assert kept.stored == shipped.built["fp32"].stored
    assert heard.steps == []
    assert kept.stored.path.stat().st_mtime_ns == before


@pytest.mark.parametrize("harm", ["alter", "cut", "remove", "manifest"])
def test_a_damaged_engine_is_built_anew(tmp_path: Path, harm: str) -> None:
    checkpoint, flavour = stand_in_checkpoint(tmp_path / "model"), fake_flavour()
    path = build_engine(checkpoint, capabilities=CARDS, flavour=flavour).stored.path
    if harm == "remove":
        path.unlink()
    elif harm == "manifest":
        path.with_suffix(".json").write_text("{")
    else:
        path.write_bytes(CONTENT[:5] if harm == "cut" else CONTENT[::-1])
    rebuilt = build_engine(checkpoint, capabilities=CARDS, flavour=flavour)
    assert not rebuilt.kept
    assert read_engine(rebuilt.stored) == CONTENT


def test_rebuild_builds(tmp_path: Path) -> None:
    checkpoint, flavour = stand_in_checkpoint(tmp_path / "model"), fake_flavour()
    assert [
        build_engine(checkpoint, capabilities=CARDS, flavour=flavour, rebuild=rebuild).kept
        for rebuild in (False, False, True)
    ] == [False, True, False]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_every_registered_model_is_built(rtx: Flavour, tmp_path: Path, name: str, precision: Precision) -> None:
    checkpoint = registered_checkpoint(name, tmp_path / "model")
    built = build_engine(checkpoint, precision=precision, capabilities=["8.9"], flavour=rtx, largest_batch=16)
    stored = fitting_engine(checkpoint, fake_card((8, 9)), [rtx], precision)
    assert stored == built.stored
    assert len(read_engine(stored)) == stored.manifest.engine_bytes > 10_000
    (found,) = find_engines(checkpoint, card=lambda: fake_card((7, 5)), flavours=[rtx])
    assert found.obstacle == "was built for compute capability 8.9; RTX 4070 has 7.5"


def test_one_engine_serves_every_card_of_the_release(rtx: Flavour, tmp_path: Path) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "model")
    built = build_engine(checkpoint, precision="fp16", capabilities=rtx.capabilities, flavour=rtx, largest_batch=4)
    assert built.stored.manifest.key.capabilities == rtx.capabilities


def test_turing_in_fp32_is_told_what_to_do(rtx: Flavour, tmp_path: Path) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "model")
    with pytest.raises(BadCheckpoint, match=r"7\.5 in fp32: .*; build with --precision fp16$") as fault:
        build_engine(checkpoint, capabilities=["7.5"], flavour=rtx)
    assert "\n" not in str(fault.value)
    assert list((checkpoint.folder / "engines").iterdir()) == []


def test_a_stop_ends_the_build_and_writes_nothing(rtx: Flavour, checkpoint: Checkpoint) -> None:
    shares: list[float] = []
    with pytest.raises(BuildStopped):
        build_engine(
            checkpoint,
            capabilities=CARDS,
            flavour=rtx,
            on_share=shares.append,
            stopped=lambda: len(shares) >= 100,
        )
    assert 100 <= len(shares) < 1000
    assert list((checkpoint.folder / "engines").iterdir()) == []


def test_a_listeners_fault_comes_out_as_it_is(rtx: Flavour, tmp_path: Path) -> None:
    def failing(_share: float) -> None:
        raise ZeroDivisionError("a listener's own")

    checkpoint = stand_in_checkpoint(tmp_path / "model")
    with pytest.raises(ZeroDivisionError, match="a listener's own"):
        build_engine(checkpoint, capabilities=["8.9"], flavour=rtx, on_share=failing)
    assert list((checkpoint.folder / "engines").iterdir()) == []


def test_nothing_is_spilled(rtx: Flavour, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[tuple[str, str]] = []
    with listening(lambda severity, line: heard.append((severity, line))):
        build_engine(stand_in_checkpoint(tmp_path / "model"), capabilities=["8.9"], flavour=rtx)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    assert {severity for severity, _ in heard} == {"info"}


def odd_node(operator: str, domain: str = "") -> bytes:
    """A graph with one node that TensorRT does not know."""
    onnx = pytest.importorskip("onnx", reason="onnx comes with the [tensorrt] extra")
    helper, tensor = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["logits"], name="odd_one", domain=domain)],
        "g",
        [helper.make_tensor_value_info("x", tensor, ["N", 3, 28, 28])],
        [helper.make_tensor_value_info("logits", tensor, ["N", 3])],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("theirs", 1)]
    content: bytes = helper.make_model(graph, opset_imports=opsets).SerializeToString()
    return content


@pytest.mark.parametrize("operator", ["Det", "Nonsense"])
def test_an_unknown_operator_is_named_with_its_node(rtx: Flavour, tmp_path: Path, operator: str) -> None:
    graph = odd_node(operator, "" if operator == "Det" else "theirs")
    checkpoint = stand_in_checkpoint(tmp_path / "model", graph)
    with pytest.raises(BadCheckpoint) as fault:
        build_engine(checkpoint, capabilities=["8.9"], flavour=rtx)
    assert str(fault.value) == (
        f"checkpoint {checkpoint.folder}: model.onnx cannot be read by {rtx.title}: node 'odd_one', operator "
        f"{operator}: TensorRT does not know this operator; export the model without it, or use onnxruntime"
    )


@pytest.mark.parametrize(
    ("graph", "changes", "said"),
    [
        (lambda: b"garbage", {}, "cannot be read by TensorRT for RTX"),
        (lambda: b"", {}, "has 0 inputs and 0 outputs, not one of each"),
        (None, {"classes": ("one", "two")}, r"gives .*\(-1, 3\); its card says float32 \(N, 2\)"),
        (None, {"input_shape": (3, 32, 32)}, r"takes .*\(-1, 3, 28, 28\); its card says float32 \(N, 3, 32, 32\)"),
    ],
    ids=["no graph", "an empty file", "other classes", "another input"],
)
def test_a_graph_unlike_its_card_is_one_line(
    rtx: Flavour, tmp_path: Path, graph: Callable[[], bytes] | None, changes: dict[str, object], said: str
) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "model", graph() if graph else None, **changes)
    with pytest.raises(BadCheckpoint, match=said) as fault:
        build_engine(checkpoint, capabilities=["8.9"], flavour=rtx)
    assert "\n" not in str(fault.value)
    assert str(checkpoint.folder) in str(fault.value)


@pytest.mark.parametrize("graph", [b"garbage", b"this is no graph"])
def test_a_graph_that_cannot_be_halved_is_one_line(rtx: Flavour, tmp_path: Path, graph: bytes) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "model", graph)
    with pytest.raises(BadCheckpoint, match=r"model\.onnx: the graph cannot be held in fp16 \(") as fault:
        build_engine(checkpoint, precision="fp16", capabilities=["8.9"], flavour=rtx)
    assert "\n" not in str(fault.value)
    assert str(checkpoint.folder) in str(fault.value)


def test_an_altered_checkpoint_is_not_built(checkpoint: Checkpoint) -> None:
    content = bytearray(checkpoint.model_path.read_bytes())
    content[len(content) // 2] ^= 1
    checkpoint.model_path.write_bytes(content)
    with pytest.raises(BadCheckpoint, match=r"model\.onnx differs from the SHA-256 sum"):
        build_engine(checkpoint.folder, capabilities=["8.9"], flavour=fake_flavour())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "no card to build for .*: name compute capabilities with --compute-capability; .* knows 8.6, 8.9, 12.0"),
        (
            {"capabilities": ["9.0", "8.6"]},
            "^compute capability 9.0: TensorRT for RTX .* builds for 8.6, 8.9, 12.0; for",
        ),
        ({"capabilities": ["sm86"]}, "compute capability 'sm86': write it like 8.9"),
        ({"capabilities": ["8.6"], "precision": "int8"}, "precision 'int8' is unknown"),
        ({"capabilities": ["8.6"], "largest_batch": 0}, "largest batch 0"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path: Path, arguments: dict[str, Any], said: str) -> None:
    checkpoint = stand_in_checkpoint(tmp_path / "model")
    with pytest.raises(BadInput, match=said) as fault:
        build_engine(checkpoint, flavour=fake_flavour(), card=lambda: NO_CARD, **arguments)
    assert "\n" not in str(fault.value)


def test_this_machines_card_is_the_default(tmp_path: Path) -> None:
    asked: list[Any] = []
    built = build_engine(
        stand_in_checkpoint(tmp_path / "model"), flavour=fake_flavour(asked=asked), card=lambda: fake_card((12, 0))
    )
    assert built.stored.manifest.key.capabilities == ("12.0",)
    assert asked == [
        ("network", 2),
        ("clear", "TF32"),
        ("capability", "SM120", 0, 1),
        ("profile", "maps", (1, 3, 28, 28), (2, 3, 28, 28), (256, 3, 28, 28)),
        ("profile added",),
    ]
    assert built.warnings == ("a remark over two lines",)


@pytest.mark.parametrize("version", ["10.13.2.6", "11.0.0.114"])
def test_datacenter_builds_for_the_card_that_is_here(tmp_path: Path, version: str) -> None:
    asked: list[Any] = []
    checkpoint, card = stand_in_checkpoint(tmp_path / "model"), fake_card((9, 0), "H200")
    behaviour = Behaviour(asks_for_strong_typing=version.startswith("10"))
    flavour = fake_flavour("datacenter", version, card=card, asked=asked, behaviour=behaviour)
    built = build_engine(checkpoint, flavour=flavour, card=lambda: card)
    assert built.stored.name.startswith("datacenter-fp32-sm90-")
    assert [entry[0] for entry in asked] == ["network", "clear", "profile", "profile added"]
    assert fitting_engine(checkpoint, card, [flavour]) == built.stored
    with pytest.raises(BadInput, match=r"8\.6: datacenter TensorRT .* builds for this machine's card alone \(9\.0\)"):
        build_engine(checkpoint, flavour=flavour, card=lambda: card, capabilities=["8.6"])


def test_datacenter_without_a_card_is_one_line(tmp_path: Path) -> None:
    flavour = fake_flavour("datacenter", "11.0.0.114")
    with pytest.raises(BackendUnavailable, match=r"there is no NVIDIA driver .*pip install 'onset-live\[tensorrt\]'"):
        build_engine(stand_in_checkpoint(tmp_path / "model"), flavour=flavour, card=lambda: NO_CARD)


def test_a_builder_that_does_not_start_is_one_line(tmp_path: Path) -> None:
    flavour = fake_flavour(behaviour=Behaviour(starts=False))
    with pytest.raises(BackendUnavailable, match=r"does not start here \(pybind11.*\): `onset doctor` says"):
        build_engine(stand_in_checkpoint(tmp_path / "model"), flavour=flavour, capabilities=["8.9"])


def test_what_tensorrt_says_of_a_failed_build_is_passed_on(tmp_path: Path) -> None:
    flavour = fake_flavour(behaviour=Behaviour(builds=False, says="Error Code 9:\n out of memory"))
    with pytest.raises(BadCheckpoint, match=r"cannot be built by .*: Error Code 9: out of memory; use onnxruntime"):
        build_engine(stand_in_checkpoint(tmp_path / "model"), flavour=flavour, capabilities=["8.9"])


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_this_machines_own_card_gets_its_engine(checkpoint: Checkpoint, precision: Precision) -> None:
    card = find_card()
    assert isinstance(card, GraphicsCard)
    if not any(card.capability in flavour.capabilities for flavour in installed_flavours()):
        pytest.skip(f"no installed TensorRT builds for compute capability {card.capability}")
    built = build_engine(checkpoint, precision=precision)
    assert built.stored.manifest.key.capabilities == (card.capability,)
    assert fitting_engine(checkpoint, card, installed_flavours(), precision) == built.stored
