"""The forecasters by name: what a user may choose, and what each is called."""

from __future__ import annotations

import importlib
import json
import typing
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ..ground.errors import ParameterError
from .base import Forecaster


@dataclass(frozen=True)
class Entry:
    """One forecaster that can be chosen.

    Attributes
    ----------
    name : str
        In files and parameters.
    title : str
        For people.
    place : str
        ``module:Class`` within this package, imported on demand so that plain counts do not wait for torch.
    simple : bool
        A baseline that every other model must beat.
    network : bool
        Trained with torch; takes minutes.
    summary : str
        What it is, in a sentence.
    """

    name: str
    title: str
    place: str
    simple: bool
    network: bool
    summary: str


_ALL = (
    Entry("constant", "Constant", "baselines:ConstantForecaster", True, False, "The same probability everywhere."),
    Entry("prior_counts", "Prior counts", "baselines:PriorCounts", True, False, "Mean count of all history per cell."),
    Entry("prior_share", "Prior share", "baselines:PriorShare", True, False, "Share of past bins with an incident."),
    Entry(
        "recent_counts", "Recent counts", "recent:RecentCounts", True, False, "Mean count of the last bins per cell."
    ),
    Entry(
        "weekday_trend",
        "Weekday and trend",
        "weekday:WeekdayTrend",
        True,
        False,
        "Mean of the last 365 days per cell, times weekday (and hour), times the study area's trend.",
    ),
    Entry("kde", "Space-time KDE", "kde:SpaceTimeKDE", True, False, "Kernel density; bandwidths by likelihood."),
    Entry(
        "etas",
        "Self-exciting",
        "selfexciting.etas:SelfExciting",
        False,
        False,
        "Background plus triggering, fitted by EM.",
    ),
    Entry("logistic", "Logistic", "cellwise:Logistic", False, False, "Regularised logistic regression per cell."),
    Entry("boosting", "Boosting", "cellwise:Boosting", False, False, "Gradient-boosted trees on the same features."),
    Entry(
        "convlstm",
        "ConvLSTM",
        "networks.convlstm:ConvLSTMForecaster",
        False,
        True,
        "ConvLSTM over a causal running mean.",
    ),
    Entry(
        "convlstm_published",
        "ConvLSTM (published)",
        "networks.convlstm_published:PublishedConvLSTM",
        False,
        True,
        "ConvLSTM layers with 3-D max pooling and weighted cross-entropy.",
    ),
    Entry(
        "st_resnet",
        "ST-ResNet",
        "networks.st_resnet:STResNet",
        False,
        True,
        "Closeness, period and trend; residual units.",
    ),
    Entry("sftt", "SFTT", "networks.sftt:SFTT", False, True, "Spatial features by a CNN, then an LSTM over time."),
    Entry("ensemble", "Ensemble", "ensemble:Ensemble", False, False, "Several forecasters, weighted on past folds."),
)
CATALOGUE: dict[str, Entry] = {entry.name: entry for entry in _ALL}
#: What a user gets without choosing.
DEFAULT = "ensemble"
#: What stands beside every model in a backtest.
BASELINES = ("constant", "prior_counts", "recent_counts", "weekday_trend", "kde")


def forecaster_class(name: str) -> type[Forecaster]:
    """The class of a forecaster, imported now.

    Raises
    ------
    ParameterError
        For an unknown name.
    """
    if name not in CATALOGUE:
        raise ParameterError(
            f"There is no forecaster {name!r}",
            parameter="models",
            value=name,
            remedy="Use one of " + ", ".join(CATALOGUE),
        )
    module, _, kind = CATALOGUE[name].place.partition(":")
    cls: type[Forecaster] = getattr(importlib.import_module(f".{module}", __package__), kind)
    return cls


def make(name: str, **settings: Any) -> Forecaster:
    """An unfitted forecaster.

    Parameters
    ----------
    name : str
        One of `CATALOGUE`.
    **settings
        Arguments of its class; `threshold` and `seed` are left out where it has no such argument.

    Raises
    ------
    ParameterError
        For an unknown name or setting.
    """
    cls = forecaster_class(name)
    known = cls.__init__.__code__.co_varnames[: cls.__init__.__code__.co_argcount]
    given = {key: value for key, value in settings.items() if key in known or key not in ("threshold", "seed")}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ParameterError(
            f"{CATALOGUE[name].title} has no setting {unknown[0]!r}",
            parameter=f"settings.{name}",
            value=given[unknown[0]],
            remedy="It has " + ", ".join(known[1:]),
        )
    _check_types(name, cls, given)
    forecaster: Forecaster = cls(**given)
    return forecaster


def _check_types(name: str, cls: type[Forecaster], given: dict[str, Any]) -> None:
    """Refuse a text for a number and the like: settings come from users, as JSON.

    Raises
    ------
    ParameterError
    """
    try:
        types = typing.get_type_hints(cls.__init__)
    except NameError:
        # A type that only checkers import: such a class checks its arguments itself.
        return
    for key, value in given.items():
        try:
            text = json.dumps(value)
        except TypeError:
            # Not from JSON: a caller's own object, a schedule for example.
            continue
        try:
            # As JSON, so that a list may stand for a tuple, but no text for a number.
            TypeAdapter(types.get(key, Any)).validate_json(text, strict=True)
        except ValidationError as error:
            raise ParameterError(
                f"{CATALOGUE[name].title}'s setting {key} is {value!r}: {error.errors()[0]['msg'].lower()}",
                parameter=f"settings.{name}",
                value=value,
                remedy=f"Give {key} such a value, or leave it out",
            ) from error
