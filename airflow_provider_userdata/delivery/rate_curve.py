"""The records delivered over time, in a bounded number of points."""

from __future__ import annotations

from airflow_provider_userdata.upload_status import MOST_POINTS


class RateCurve:
    """Points of seconds and the records delivered by then. When it is full, every second point is dropped."""

    def __init__(self) -> None:
        self._points: list[tuple[float, int]] = []
        self._step = 0.0

    def add(self, second: float, delivered: int) -> None:
        """Add a point, unless it follows the last one by less than the others do."""
        points = self._points
        if points and second < points[-1][0] + self._step:
            return
        points.append((second, delivered))
        if len(points) >= MOST_POINTS:
            del points[1::2]
            self._step = (points[-1][0] - points[0][0]) / (len(points) - 1)

    def points(self, second: float, delivered: int) -> list[tuple[float, int]]:
        """Return the points, and one for now."""
        before, now = self._points, (second, delivered)
        kept = [*before[:1], *(point for point in before[1:] if point[0] < second)]
        return kept if kept == [now] else [*kept, now]
