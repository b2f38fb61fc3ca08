"""The published boosting: ten trees of depth six."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ....ground.context import JobContext
from ..rows import Rows
from .boosting import Boosting
from .columns import ColumnMaker, Columns
from .published import PublishedColumns


class PublishedBoosting(Boosting):
    """The published boosting over the published inputs."""

    #: Ten trees of depth six are published; the rest is what its program takes by default.
    SETTINGS: ClassVar[Mapping[str, Any]] = {
        "max_iter": 10,
        "max_depth": 6,
        "max_leaf_nodes": None,
        "learning_rate": 0.1,
        "min_samples_leaf": 10,
        "early_stopping": False,
    }

    def _make_columns(self) -> ColumnMaker:
        return PublishedColumns(self.reading, self.rates_)

    def _choose_settings(self, rows: Rows, table: Columns, context: JobContext) -> Mapping[str, Any]:
        return self.SETTINGS
