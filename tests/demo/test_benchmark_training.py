"""What the training benchmark measures is measured, and its page says when numbers differ."""

from demo.benchmarks import training


def test_folds_side_by_side_are_the_same_folds() -> None:
    both = training._side_by_side(folds=2, turns=1)
    assert both["equal"]
    assert len(both["one_s"]) == len(both["many_s"]) == 1
    assert min(both["one_s"] + both["many_s"]) > 0
    cost = training._cost("ststnet", None)
    assert cost["epochs"] == 40
    assert cost["ms_a_map"] > 0
    page = training.render({"side_by_side": both, "models": {"ststnet": cost}})
    assert "the same numbers" in page
    assert "DIFFERENT" in training.render({"side_by_side": {**both, "equal": False}, "models": {}})
