import numpy as np
import pytest

from realtime.telemetry import LatencyHistogram, Telemetry


@pytest.mark.parametrize("percent", [50, 95, 99])
def test_percentiles_agree_with_numpy_within_a_bin(percent: float) -> None:
    durations = np.random.default_rng(3).lognormal(1.0, 0.8, 5000)
    histogram = LatencyHistogram()
    for duration in durations:
        histogram.add(float(duration))
    assert histogram.percentile_ms(percent) == pytest.approx(np.percentile(durations, percent), rel=0.06)


def test_a_stage_that_never_ran_is_not_in_the_summary() -> None:
    class Ticking:
        now = 0

        def now_ns(self) -> int:
            self.now += 2_000_000
            return self.now

        def sleep_until(self, time_ns: int) -> None:
            raise AssertionError(f"telemetry does not sleep, not until {time_ns} either")

    telemetry = Telemetry(Ticking())
    with telemetry.timed("track"):
        pass
    assert list(telemetry.summary()) == ["track"]
    assert telemetry.summary()["track"]["p50"] == pytest.approx(2.0, rel=0.06)
    assert telemetry.summary()["track"]["count"] == 1
