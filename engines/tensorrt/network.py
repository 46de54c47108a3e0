"""From an ONNX graph to a TensorRT network that is what the checkpoint's card says."""

from typing import Any

from engines.checkpoint import MODEL_FILE, Checkpoint
from engines.errors import BadCheckpoint
from engines.tensorrt.flavour import Flavour
from engines.tensorrt.log import HeardLog, plain


def parsed_network(flavour: Flavour, builder: Any, logger: Any, graph: bytes, checkpoint: Checkpoint) -> Any:
    """Read a graph into a strongly typed network.

    Args:
        flavour: the TensorRT that reads.
        builder: its builder.
        logger: its logger.
        graph: the ONNX file's content.
        checkpoint: says what the network must take and give.

    Returns:
        The network: one float32 input (batch, C, H, W), one float32 output (batch, classes).

    Raises:
        BadCheckpoint: if TensorRT cannot read the graph, naming node and operator; or if the network is not what
            the card says.
    """
    network = flavour.new_network(builder)
    parser = flavour.module.OnnxParser(network, logger)
    if not parser.parse(graph):
        errors = [parser.get_error(index) for index in range(parser.num_errors)]
        raise _unfit(checkpoint, f"cannot be read by {flavour.title}: {_told(errors)}")
    if network.num_inputs != 1 or network.num_outputs != 1:
        raise _unfit(checkpoint, f"has {network.num_inputs} inputs and {network.num_outputs} outputs, not one of each")
    _check_ends(flavour, network.get_input(0), network.get_output(0), checkpoint)
    return network


def build_fault(flavour: Flavour, heard: HeardLog, checkpoint: Checkpoint) -> BadCheckpoint:
    """What TensorRT said when it gave no engine, in one line."""
    said = heard.errors[-1] if heard.errors else "no reason given"
    if "Turing" in said and "FP32" in said:
        return _unfit(
            checkpoint,
            f"cannot be built for compute capability 7.5 in fp32: {flavour.title} has no float32 matrix products for "
            "Turing cards; build with --precision fp16",
        )
    return _unfit(checkpoint, f"cannot be built by {flavour.title}: {said}; use onnxruntime for this model")


def _check_ends(flavour: Flavour, given: Any, result: Any, checkpoint: Checkpoint) -> None:
    card, floating = checkpoint.card, flavour.module.float32
    shape, classes = tuple(given.shape), len(card.classes)
    if given.dtype != floating or shape[1:] != card.input_shape:
        raise _unfit(
            checkpoint, f"takes {_kind(given)} {shape}; its card says float32 (N, {_listed(card.input_shape)})"
        )
    if shape[0] != -1:
        raise _unfit(checkpoint, f"is fixed to a batch of {shape[0]}; export it with a free one")
    # The parser does not always work a result's shape out; the session checks what really comes.
    if result.dtype != floating or tuple(result.shape)[1:] not in ((classes,), (-1,)):
        raise _unfit(checkpoint, f"gives {_kind(result)} {tuple(result.shape)}; its card says float32 (N, {classes})")


def _told(errors: list[Any]) -> str:
    """The parser's first complaint: which node, which operator, what is wrong."""
    if not errors:
        return "no reason given"
    first = errors[0]
    reason = plain(first.desc())
    name, operator = _asked(first, "node_name"), _asked(first, "node_operator")
    if not operator:
        return reason
    if reason.lower() in ("", "false") or "Plugin not found" in reason:
        reason = "TensorRT does not know this operator"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"node {name!r}, operator {operator}: {reason}{more}; export the model without it, or use onnxruntime"


def _asked(error: Any, name: str) -> str:
    ask = getattr(error, name, None)
    return str(ask()) if ask is not None else ""


def _kind(tensor: Any) -> str:
    return str(getattr(tensor.dtype, "name", tensor.dtype)).lower()


def _listed(shape: tuple[int, ...]) -> str:
    return ", ".join(str(length) for length in shape)


def _unfit(checkpoint: Checkpoint, fault: str) -> BadCheckpoint:
    return BadCheckpoint(f"checkpoint {checkpoint.folder}: {MODEL_FILE} {fault}")
