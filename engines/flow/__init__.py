"""Optical flow: TV-L1 as a plain reference, as a fast CPU engine and on a graphics card."""

from engines.flow.choose import FlowEngine, open_flow
from engines.flow.cpu import compile_kernels, tvl1
from engines.flow.parameters import Tvl1Parameters
from engines.flow.reference import tvl1_reference

__all__ = ["FlowEngine", "Tvl1Parameters", "compile_kernels", "open_flow", "tvl1", "tvl1_reference"]
