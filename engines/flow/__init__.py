"""Optical flow: TV-L1 as a plain reference and as a fast CPU engine."""

from engines.flow.cpu import compile_kernels, tvl1
from engines.flow.parameters import Tvl1Parameters
from engines.flow.reference import tvl1_reference

__all__ = ["Tvl1Parameters", "compile_kernels", "tvl1", "tvl1_reference"]
