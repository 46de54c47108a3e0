"""A TensorRT made of ONNX Runtime: as much of the package's interface as a session uses, kept to the letter.

Its engine is one line of JSON, then the ONNX model that it stands for. It fails as TensorRT does: None or False where
something is wrong, and the reason in the log.
"""

import enum
import hashlib
import json
import weakref
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

from engines.checkpoint import MODEL_FILE, Checkpoint
from engines.tensorrt.flavour import Flavour, FlavourName
from engines.tensorrt.key import EngineKey, Precision, batch_profile
from engines.tensorrt.manifest import EngineManifest
from engines.tensorrt.store import StoredEngine, write_engine
from tests.engines.sessions.stand_in_card import ALIGNMENT, StandInCard
from tests.made_up_card import CARD as MADE_UP

VERSION = "9.9.9"
CARD = replace(MADE_UP, name="Stand-in RTX 9 (test)")


class Severity(enum.Enum):
    ERROR = 1
    WARNING = 2


class Mode(enum.Enum):
    INPUT = 0
    OUTPUT = 1


class Kind(enum.Enum):
    FLOAT = 0
    HALF = 1


class Strategy(enum.Enum):
    DISABLED = 0
    WHOLE_GRAPH_CAPTURE = 1


class Specialization(enum.Enum):
    LAZY = 0
    EAGER = 1


class Log:
    def __init__(self) -> None:
        pass


class Cache:
    """Kernels of the batches that were compiled."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def serialize(self) -> bytes:
        return json.dumps(self.batches).encode()

    def deserialize(self, content: bytes) -> bool:
        self.batches = json.loads(bytes(content))
        return True


class Config:
    def __init__(self) -> None:
        self.cuda_graph_strategy = Strategy.DISABLED
        self.dynamic_shapes_kernel_specialization_strategy = Specialization.LAZY
        self.cache: weakref.ref[Cache] | None = None

    def create_runtime_cache(self) -> Cache:
        return Cache()

    def set_runtime_cache(self, cache: Cache) -> bool:
        # TensorRT for RTX does not keep it alive either, and crashes.
        self.cache = weakref.ref(cache)
        return True


class Context:
    def __init__(self, engine: "Engine", config: Config | None) -> None:
        self._engine = engine
        self._config = config
        self._shape: tuple[int, ...] = ()
        self._addresses: dict[str, int] = {}
        self._running: set[int] = set()
        """Streams that its last work is still waiting on."""

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        fits = name == "x" and shape[1:] == self._engine.shape[1:] and 1 <= shape[0] <= self._engine.largest
        if fits:
            self._shape = shape
        return fits or self._engine.trt.refuse(f"setInputShape: {shape} is not in the profile")

    def set_tensor_address(self, name: str, address: int) -> bool:
        assert address % ALIGNMENT == 0
        self._addresses[name] = address
        return name in ("x", "logits")

    def execute_async_v3(self, stream: int) -> bool:
        trt, shape, addresses = self._engine.trt, self._shape, dict(self._addresses)
        trt.enqueued.append(shape[0])
        if trt.refuses:
            return trt.refuse("enqueueV3: Cuda Runtime (an illegal memory access was encountered)")
        if self._config is not None:
            assert self._config.dynamic_shapes_kernel_specialization_strategy is Specialization.EAGER
            assert self._config.cache is not None
            cache = self._config.cache()
            assert cache is not None, "the cache was let go before the context"
            if shape[0] not in cache.batches:
                trt.compiled.append(shape[0])
                cache.batches.append(shape[0])

        assert not self._running - {stream}, "one context runs on two streams at once"
        self._running.add(stream)

        def infer() -> None:
            self._running.clear()
            given = trt.card.read(addresses["x"], int(np.prod(shape))).reshape(shape)
            trt.card.write(addresses["logits"], self._engine.session.run(None, {"x": given})[0])

        trt.card.queue(stream, infer)
        return True


class Engine:
    def __init__(self, trt: "StandInTensorRt", content: bytes) -> None:
        head, model = content.split(b"\n", 1)
        described = json.loads(head)
        self.trt = trt
        self.largest: int = described["largest"]
        self.kind = Kind[described.get("kind", "FLOAT")]
        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        inputs, outputs = self.session.get_inputs()[0], self.session.get_outputs()[0]
        self.shape = (-1, *inputs.shape[1:])
        self.shapes = {"x": self.shape, "logits": (-1, *outputs.shape[1:])}
        self.num_io_tensors = 2

    def get_tensor_name(self, index: int) -> str:
        return tuple(self.shapes)[index]

    def get_tensor_mode(self, name: str) -> Mode:
        return Mode.INPUT if name == "x" else Mode.OUTPUT

    def get_tensor_dtype(self, _: str) -> Kind:
        return self.kind

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return self.shapes[name]

    def get_tensor_profile_shape(self, name: str, _: int) -> list[tuple[int, ...]]:
        return [(batch, *self.shapes[name][1:]) for batch in (1, 2, self.largest)]

    def create_runtime_config(self) -> Config:
        return Config()

    def create_execution_context(self, config: Config | None = None) -> Context:
        if config is not None:
            self.trt.strategies.append(config.cuda_graph_strategy)
        return Context(self, config)


class StandInTensorRt:
    """The package, and what was done with it."""

    def __init__(self, card: StandInCard, name: FlavourName = "rtx") -> None:
        self.card = card
        self.enqueued: list[int] = []
        """Batches that went through `execute_async_v3`."""
        self.compiled: list[int] = []
        """Batches that kernels had to be compiled for."""
        self.strategies: list[Strategy] = []
        """For CUDA graphs, of each context."""
        self.refuses = False
        """Set it, and nothing can be run."""
        self._log: Any = None
        self.module = ModuleType(f"stand_in_{name}")
        content: dict[str, Any] = {
            "__version__": VERSION,
            "ILogger": Log,
            "TensorIOMode": Mode,
            "DataType": Kind,
            "Runtime": self._runtime,
        }
        if name == "rtx":
            content |= {"CudaGraphStrategy": Strategy, "DynamicShapesKernelSpecializationStrategy": Specialization}
        self.module.__dict__.update(content)
        self.flavour = Flavour(
            name=name, module=self.module, version=VERSION, builds_without_card=True, capabilities=("8.9",)
        )

    def refuse(self, reason: str) -> bool:
        self._log.log(Severity.ERROR, reason)
        return False

    def _runtime(self, log: Any) -> SimpleNamespace:
        self._log = log
        return SimpleNamespace(deserialize_cuda_engine=self._deserialize)

    def _deserialize(self, content: bytes) -> Engine | None:
        if not content.startswith(b"{"):
            self.refuse("deserializeCudaEngine: Error Code 1: Serialization\n(magic tag does not match)")
            return None
        return Engine(self, content)


def engine_content(model: bytes, **head: Any) -> bytes:
    """What the stand-in takes for an engine."""
    return json.dumps({"largest": 4, **head}).encode() + b"\n" + model


def store_engine(
    checkpoint: Checkpoint,
    content: bytes | None = None,
    *,
    flavour: FlavourName = "rtx",
    precision: Precision = "fp32",
    largest: int = 4,
) -> StoredEngine:
    """Lay a stand-in engine beside its checkpoint, as `onset build` does."""
    made = engine_content(checkpoint.model_path.read_bytes(), largest=largest) if content is None else content
    manifest = EngineManifest(
        key=EngineKey(
            model_sha256=checkpoint.card.files[MODEL_FILE],
            flavour=flavour,
            version=VERSION,
            capabilities=("8.9",),
            precision=precision,
            profile=batch_profile(largest),
        ),
        engine_sha256=hashlib.sha256(made).hexdigest(),
        engine_bytes=len(made),
        build_seconds=0.0,
        input_name="x",
        input_shape=checkpoint.card.input_shape,
        output_name="logits",
        output_count=len(checkpoint.card.classes),
        created="2026-01-01T00:00:00+00:00",
        onset_version="0",
    )
    return write_engine(checkpoint, made, manifest)
