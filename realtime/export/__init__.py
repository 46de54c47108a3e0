"""Sessions in forms that other programs read: one file here is one format, `formats.py` names them all."""

from realtime.export.archive import export_sessions
from realtime.export.formats import FORMATS

__all__ = ["FORMATS", "export_sessions"]
