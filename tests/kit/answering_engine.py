"""An engine for the dock's tests: it answers when the test lets it."""

from __future__ import annotations

import threading
from typing import Any

UTM = "EPSG:32614"


class Engine:
    """Stands in for the engine: answers with the number of the question as its count."""

    def __init__(self, client: Any, environment: Any) -> None:
        self.client = client
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.problem: Exception | None = None
        self.changes: dict[str, Any] = {}
        self.status = environment.EngineStatus("", ready=True, state="ready")

    def __call__(self, job: str, params: dict[str, Any], **options: Any) -> dict[str, Any]:
        assert options["worker"] == "interactive"
        self.threads.add(threading.current_thread().name)
        if self.problem:
            raise self.problem
        if job == "index_info":
            return {"crs": UTM}
        assert job == "query_score"
        self.asked.append(params)
        number = len(self.asked)
        options["on_progress"](0.5, "Counting incidents around each point")
        while not self.may_answer.wait(0.02):
            if options["is_cancelled"]():
                raise self.client.EngineCancelled("Cancelled.")
        about = {
            "crs": UTM,
            "extent": [464_000.0, 2_115_000.0, 505_000.0, 2_165_000.0],
            "data": {
                "incidents": 1500,
                "categories": ["ROBO", "FRAUDE"],
                "start": "2019-02-01",
                "end": "2020-02-01",
                "days": 365,
            },
            "incidents_in_window": 1234,
            "reference_time": "2020-01-31T23:59:00",
            "radius": params["radius"],
            "window_days": params["window_days"],
            "covered_days": 364.9993,
            "model": "Mexico City, 31 days" if params["model"] else None,
            "interval": 0.8 if params["model"] else None,
            "warning": None,
        }
        if "x" not in params:
            return {**about, **self.changes}
        near = [
            {
                "x": params["x"] + 10 * step,
                "y": params["y"] + 5,
                "distance": 10.0 * step + 5,
                "age_days": 100.0 - step,
                "category": "ROBO" if step % 2 else None,
                "time": "2020-01-02T03:04:05",
                "fid": step,
            }
            for step in range(params["k"])
        ]
        predicted = {"score": 0.72, "lower": 0.65, "upper": 0.8, "percentile": 91.0} if params["model"] else None
        cut = {2: 0.0, 3: 12.4}
        months = [
            {"month": f"2019-{number:02d}", "count": number, "known_days": cut.get(number, 30.0), "of_days": 30}
            for number in range(2, 13)
        ]
        return {
            **about,
            "exact": {"score": 0.35, "percentile": 42.0, "score_abs": number},
            "predicted": predicted,
            "nearest": near,
            "nearest_days": 31.0 if params["model"] else params["window_days"],
            "nearest_distance": 5.0,
            "monthly": months,
            "outside": None,
            **self.changes,
        }
