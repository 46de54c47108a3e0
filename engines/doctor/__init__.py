"""What this machine can run, and why not. Looks only; what could hang or crash runs in a process of its own.

- `finding`, `probe`: one thing that was looked at; a look in a process of its own
- `ground`: Python, packages, kernels for the CPU, face models, PyTorch
- `cameras`, `video_device`: cameras, and what Video4Linux says of one
- `graphics`: driver, card, kernels for the card, the engine that computes flow
- `inference`, `checkpoints`: what runs models, and which are there to run
"""

from engines.doctor.examination import examine, examine_engines, table
from engines.doctor.finding import Finding

__all__ = ["Finding", "examine", "examine_engines", "table"]
