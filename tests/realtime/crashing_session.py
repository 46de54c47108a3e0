"""Run by test_session_folder in a process that it kills: writes a session, prints what it reports."""

import sys
from pathlib import Path

from realtime.clock import MonotonicClock
from realtime.session_folder import SessionWriter
from tests.realtime.session_fixtures import REGIONS, a_rejected, a_sample, an_event

if __name__ == "__main__":
    writer = SessionWriter(Path(sys.argv[1]), source="camera 0", regions=REGIONS)
    number = 0
    while True:
        number += 1
        for row in range(10):
            writer.add_sample(a_sample(number * 10 + row), strength=0.1, threshold=0.8)
        event = writer.add_event(an_event(float(number), settled_captured_ns=MonotonicClock().now_ns()))
        writer.add_rejected(a_rejected(float(number)))
        print(event.event_id, event.onset_ns, flush=True)
