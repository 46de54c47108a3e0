"""The apex of a clip whose database gives none: which of its frames shows the most."""

from trainers.apex.choose import APEX_METHODS, ApexMethod, find_apex

__all__ = ["APEX_METHODS", "ApexMethod", "find_apex"]
