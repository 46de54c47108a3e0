"""The apex of a clip whose database gives none: which of its frames shows the most.

Median error and ninth decile against known apexes, ms, of synthesised micro-expressions whose onset and offset were
given (46 at each rate with a head that sways, 30 with blinks besides):

================  ============  ============  ==============
method            100 Hz        200 Hz        200 Hz, blinks
================  ============  ============  ==============
pixel-difference  11.9 (39.5)   9.7 (47.5)    14.5 (50.3)
spotter           4.9 (9.0)     4.5 (9.6)     4.3 (8.2)
middle            18.6 (42.4)   18.6 (44.9)   19.0 (38.1)
================  ============  ============  ==============
"""

from trainers.apex.choose import APEX_METHODS, ApexMethod, find_apex

__all__ = ["APEX_METHODS", "ApexMethod", "find_apex"]
