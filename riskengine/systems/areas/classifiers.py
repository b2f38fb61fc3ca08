"""The five classifiers with the published settings, and the choice of one setting by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from ...contract.choices import StudyClassifier
from ...ground.context import JobContext
from .inputs import Floats

Labels = NDArray[np.bool_]

_FOLDS = 5
#: Of scikit-learn: all that this process may use.
_CORES = -1
#: Trees that are grown between two looks at whether the user has cancelled.
_TREES_AT_A_TIME = 25
#: The settings that cross-validation chooses from. The author tries a hundred values of `var_smoothing` on the same
#: range; ten are enough to find its best power of ten.
CHOICES: dict[StudyClassifier, tuple[str, tuple[Any, ...]]] = {
    "forest": ("n_estimators", (100, 125, 150)),
    "logistic": ("C", tuple(np.logspace(-4, 4, 10).tolist())),
    "bayes": ("var_smoothing", tuple(np.logspace(0, -9, 10).tolist())),
    "neighbours": ("n_neighbors", (3, 5, 7)),
}


@dataclass(frozen=True, eq=False)
class Fitted:
    """A classifier that has learned.

    Attributes
    ----------
    model : estimator
    setting : object
        The value that was chosen, of the parameter named in `CHOICES`; None where there is no choice.
    f1 : float
        Weighted F1 of that setting by cross-validation in the months learned from; NaN where none was run.
    """

    model: Any
    setting: Any
    f1: float

    def predict(self, features: Floats) -> Floats:
        """Predict the probability of an incident, shape (n,)."""
        if isinstance(self.model, RandomForestClassifier):
            # Threads add the votes up in the order in which they end, and the last digit depends on it.
            self.model.n_jobs = 1
        return np.asarray(self.model.predict_proba(features)[:, 1], dtype=np.float64)


def is_scale_free(classifier: StudyClassifier) -> bool:
    """Whether scaling every feature changes nothing: a tree asks for the order of values alone."""
    return classifier == "forest"


def make_classifier(classifier: StudyClassifier, seed: int) -> Any:
    """Make a classifier with the published settings, those that are chosen from left as they are."""
    if classifier == "forest":
        return RandomForestClassifier(criterion="entropy", max_samples=0.8, random_state=seed, n_jobs=_CORES)
    if classifier == "logistic":
        # Of many rows and few columns this solver finds the same optimum in a fraction of the time.
        return LogisticRegression(solver="newton-cholesky", max_iter=150)
    if classifier == "bayes":
        return GaussianNB()
    if classifier == "neighbours":
        return KNeighborsClassifier(weights="distance", n_jobs=_CORES)
    vectors = SVC(kernel="rbf", gamma="scale", C=3, cache_size=500)
    return BaggingClassifier(vectors, n_estimators=5, max_samples=0.5, random_state=seed, n_jobs=_CORES)


def fit_classifier(
    classifier: StudyClassifier,
    features: Floats,
    happened: Labels,
    seed: int,
    setting: Any = None,
    context: JobContext | None = None,
) -> Fitted:
    """Fit a classifier; its setting is chosen by five-fold cross-validation where none is given.

    Parameters
    ----------
    features : ndarray, shape (n, features)
    happened : ndarray of bool, shape (n,)
    """
    context = context or JobContext()
    model, f1 = make_classifier(classifier, seed), float("nan")
    if classifier in CHOICES:
        name, values = CHOICES[classifier]
        if setting is None:
            scores = _cross_validate(classifier, model, features, happened, context)
            best = int(np.argmax(scores))
            setting, f1 = values[best], float(scores[best])
        model.set_params(**{name: setting})
    return Fitted(_fit(model, features, happened, context), setting, f1)


def _fit(model: Any, features: Floats, happened: Labels, context: JobContext) -> Any:
    if not isinstance(model, RandomForestClassifier):
        context.check_cancelled()
        return model.fit(features, happened)
    total = model.n_estimators
    model.set_params(warm_start=True)
    for number in range(_TREES_AT_A_TIME, total + _TREES_AT_A_TIME, _TREES_AT_A_TIME):
        context.check_cancelled()
        model.set_params(n_estimators=min(number, total)).fit(features, happened)
    return model


def _cross_validate(
    classifier: StudyClassifier, model: Any, features: Floats, happened: Labels, context: JobContext
) -> NDArray[np.float64]:
    """Mean weighted F1 of each setting over the folds."""
    name, values = CHOICES[classifier]
    scores = np.zeros(len(values))
    for learn, test in StratifiedKFold(_FOLDS).split(features, happened):
        if isinstance(model, RandomForestClassifier):
            # The first trees of a larger forest are the smaller one.
            grown = _fit(clone(model).set_params(n_estimators=max(values)), features[learn], happened[learn], context)
            votes = np.cumsum([tree.predict_proba(features[test])[:, 1] for tree in grown.estimators_], axis=0)
            scores += [compute_f1(happened[test], votes[trees - 1] / trees > 0.5) for trees in values]
            continue
        for number, value in enumerate(values):
            fitted = _fit(clone(model).set_params(**{name: value}), features[learn], happened[learn], context)
            scores[number] += compute_f1(happened[test], fitted.predict(features[test]))
    return scores / _FOLDS


def compute_f1(happened: Labels, predicted: Labels) -> float:
    """Compute the F1 of both classes, weighted by how often each is the true one."""
    return float(f1_score(happened, predicted, average="weighted", zero_division=0))
