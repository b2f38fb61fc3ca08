"""The choices of the study: each of its leaks is one, and can be closed."""

from __future__ import annotations

from dataclasses import dataclass

from ...contract.choices import StudyBest, StudyDensity, StudyFeatures, StudyFilling, StudyNegatives, StudyScaler


@dataclass(frozen=True)
class Switches:
    """How the study is run; the defaults are the published choices.

    Attributes
    ----------
    density : {"repeats", "smoothed", "none"}
        Of the incidents of the three months before: a kernel for unordered categories, which counts repeats of an
        exact coordinate; a Gaussian of 500 m that leaves those out; or no density.
    scaler : {"test", "training"}
        Whether features are scaled by the months learned from, or those of the test by themselves.
    negatives : {"target", "year", "month", "anywhere", "known"}
        Places without an incident: in cells empty in the month that is to be forecast, in the twelve before, or in the
        one before; anywhere; or coordinates of earlier incidents that had none in the month.
    best : {"test", "training"}
        Where it shows whether scaled or unscaled features do better.
    features : {"given", "random", "none"}
        What is known of each area: the covariates, as many random numbers, or nothing.
    filling : {"backward", "forward"}
        What gaps in mobility are filled from: later days, or earlier ones.
    """

    density: StudyDensity = "repeats"
    scaler: StudyScaler = "test"
    negatives: StudyNegatives = "target"
    best: StudyBest = "test"
    features: StudyFeatures = "given"
    filling: StudyFilling = "backward"


PUBLISHED = Switches()
#: Nothing from the future, no exact repeats, and negatives drawn without a look at incidents.
CLOSED = Switches("smoothed", "training", "anywhere", "training", "given", "forward")
