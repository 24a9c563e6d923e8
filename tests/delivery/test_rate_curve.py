"""The records delivered over time: few points, however long a delivery takes."""

from __future__ import annotations

import itertools

from airflow_provider_userdata.delivery.rate_curve import RateCurve
from airflow_provider_userdata.upload_status import MOST_POINTS


def test_the_points_are_bounded_and_evenly_spaced() -> None:
    """A day of progress, every five seconds: the first and the last moment are there, and the steps are alike."""
    curve = RateCurve()
    for second in range(0, 86_401, 5):
        curve.add(float(second), second * 7)
        assert len(curve.points(float(second), second * 7)) <= MOST_POINTS

    points = curve.points(86_403.0, 604_821)

    assert (points[0], points[-1]) == ((0.0, 0), (86_403.0, 604_821))
    assert len(points) > MOST_POINTS // 3
    steps = [right[0] - left[0] for left, right in itertools.pairwise(points[:-1])]
    assert max(steps) == min(steps)


def test_a_short_delivery_keeps_each_point() -> None:
    """And the current moment is never there twice."""
    curve = RateCurve()
    curve.add(0.0, 0)
    curve.add(5.0, 100)

    assert curve.points(5.0, 100) == [(0.0, 0), (5.0, 100)]
    assert curve.points(6.5, 130) == [(0.0, 0), (5.0, 100), (6.5, 130)]
