"""TensorRT engines from checkpoints: what builds them, what one is called, and which fits this machine.

An engine is a model compiled for one release of one flavour of TensorRT, for named kinds of cards, in one precision
and for a range of batch sizes. It lies beside its checkpoint in `engines/`, with a manifest that says all that and
holds the engine's SHA-256 sum; bytes that do not match it are never given to TensorRT.

- `flavour`: TensorRT for RTX and datacenter TensorRT, and every difference between the two
- `log`: TensorRT's log, collected instead of spilled
- `key`, `manifest`, `store`: name, description and place of an engine; which one fits a card
- `precision`: the ONNX graph in half precision
- `network`, `progress`, `build`: from a checkpoint to an engine
- `runtime`, `execution`, `kernel_file`: an engine loaded and run, for `engines.sessions.tensorrt`

Importing this package loads no TensorRT.
"""
