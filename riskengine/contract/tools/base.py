"""How a tool is declared: an annotated class, from which everything else that knows its parameters is made.

A declaration is a subclass of `Tool`. Each annotated attribute is a parameter: its type is what the job gets, its value
the default, and markers in ``Annotated`` say the rest. From it follow the pydantic model of the job, the parameters,
outputs and help of the Processing algorithm, the tables in the docs and the tests of bad values::

    class UpsampleRisk(Tool):
        ID = "upsamplerisk"
        ...
        factor: Annotated[int, Limits(2, 20), Shown(tr("Factor"), tr("5 turns cells of 500 m into 100 m."))] = 5

A parameter without `Shown` is one of the job alone, one marked `QGIS_ONLY` is one of Processing alone.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from . import kinds as kind_of

#: Nothing was given as a default: the parameter is needed.
NEEDED: Any = object()
#: The largest whole number that a Processing parameter holds.
LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True)
class Limits:
    """The values that a number may have, or the numbers of a list; both ends are allowed.

    Attributes
    ----------
    low, high : float or None
    above : bool
        `low` itself is refused: "greater than".
    fewest, most : int or None
        How many items a list may hold.
    """

    low: float | None = None
    high: float | None = None
    above: bool = False
    fewest: int | None = None
    most: int | None = None

    def allow(self, value: float) -> bool:
        """Whether a number lies within."""
        if self.low is not None and (value <= self.low if self.above else value < self.low):
            return False
        return self.high is None or value <= self.high


@dataclass(frozen=True)
class Shown:
    """How people see a parameter.

    Attributes
    ----------
    title : str
    help : str
        One or two sentences.
    name : str
        Of the Processing parameter; by default the attribute's in capitals.
    unit : str
        Behind the title, in brackets.
    advanced : bool
        Under Advanced Parameters.
    percent : bool
        The share is shown as so many per cent.
    usual : str
        A value that mostly serves, for the sentence of a refusal.
    optional : bool or None
        Whether Processing lets it be left empty, where that differs from what the type says.
    """

    title: str
    help: str = ""
    name: str = ""
    unit: str = ""
    advanced: bool = False
    percent: bool = False
    usual: str = ""
    optional: bool | None = None


@dataclass(frozen=True)
class Where:
    """A parameter that is of use only where a choice has a value; elsewhere it is not read.

    A destination is not written elsewhere: one of the user's naming is refused.

    Attributes
    ----------
    key : str
        Of the choice.
    value : object
    also : object
        Another value with which it is of use.
    """

    key: str
    value: Any
    also: Any = None

    def allows(self, chosen: Any) -> bool:
        """Whether the parameter is of use where the choice is `chosen`."""
        return chosen == self.value or (self.also is not None and chosen == self.also)


#: Marks a parameter of Processing that no job gets: a field's name, for instance, which QGIS itself reads.
QGIS_ONLY = "qgis only"


@dataclass(frozen=True)
class Problem:
    """Why values cannot work together.

    Attributes
    ----------
    key : str
        The parameter at fault.
    text : str
        Sentences in which ``{key}`` of any parameter stands for its name, and ``{value}`` for the value at fault.
    """

    key: str
    text: str


@dataclass(frozen=True)
class Output:
    """A number or text that a tool returns beside its layers and files.

    Attributes
    ----------
    name : str
        In Processing.
    key : str
        Where the job's result holds it; ``a.b`` for an entry of an entry, ``{model}`` for another value of the result.
    title : str
    kind : {"number", "text"}
    """

    name: str
    key: str
    title: str
    kind: Literal["number", "text"] = "number"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool, as its declaration says it.

    Attributes
    ----------
    key : str
        Of the job.
    name : str
        Of the Processing parameter.
    type : type
        What the job gets, without None.
    default : object
        `NEEDED` where there is none.
    kind : Kind
        What it is in Processing; see `contract.tools.kinds`.
    limits : Limits
    shown : Shown or None
        None for a parameter of the job alone.
    job : bool
        Whether the job gets it.
    nullable : bool
        Whether the job takes None.
    owner : str
        The class that declares it: the context of its texts in translations.
    group : str
        Key of the object that holds it in the job's parameters; empty for most.
    where : Where or None
        The choice that it belongs to.
    """

    key: str
    name: str
    type: Any
    default: Any
    kind: kind_of.Kind
    limits: Limits
    shown: Shown | None
    job: bool
    nullable: bool
    owner: str
    group: str = ""
    where: Where | None = None
    members: type[Group] | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """Title with its unit."""
        assert self.shown is not None
        return f"{self.shown.title} [{self.shown.unit}]" if self.shown.unit else self.shown.title

    @property
    def optional(self) -> bool:
        """Whether Processing lets it be left empty."""
        if self.shown is not None and self.shown.optional is not None:
            return self.shown.optional
        return self.nullable or self.default in ([], {}, "")

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return self.type is int


class Group:
    """Parameters that a job gets as one object; Processing shows them one by one."""


class Tool(Group):
    """The declaration of a tool.

    Attributes
    ----------
    ID : str
        Of the algorithm and of its icon; stays for ever.
    JOB : str
        The job that does the work.
    TITLE, GROUP : str
        In the toolbox.
    TAGS : str
        Search words, with commas between them.
    SUMMARY : str
        One sentence.
    HELP : str
        Paragraphs with empty lines between them.
    OUTPUTS : tuple of Output
    PROGRESS : tuple of float
        The part of the progress bar that the job covers, per cent.
    """

    ID: ClassVar[str] = ""
    JOB: ClassVar[str] = ""
    TITLE: ClassVar[str] = ""
    GROUP: ClassVar[str] = ""
    TAGS: ClassVar[str] = ""
    SUMMARY: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    OUTPUTS: ClassVar[tuple[Output, ...]] = ()
    PROGRESS: ClassVar[tuple[float, float]] = (0.0, 98.0)

    @classmethod
    def list_problems(cls, given: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield what makes values that are right by themselves impossible together.

        Parameters
        ----------
        given : mapping
            Value by key: a job's as it gets them; of a layer or file only whether there is one can be relied on.
        """
        yield from ()


#: What has been listed once; a dialog asks for it at every key.
_LISTED: dict[type[Group], tuple[Parameter, ...]] = {}


def parameters_of(declaration: type[Group]) -> tuple[Parameter, ...]:
    """List the parameters of a declaration, groups unfolded.

    What is needed comes first, then what its bases declare, then its own; destinations come last, its own first.

    Returns
    -------
    tuple of Parameter
    """
    if declaration not in _LISTED:
        _LISTED[declaration] = tuple(_listed(declaration))
    return _LISTED[declaration]


def fields_of(declaration: type[Group], key: str) -> kind_of.Fields:
    """Find the fields of a vector destination by its key."""
    kind = next(each.kind for each in parameters_of(declaration) if each.key == key)
    assert isinstance(kind, kind_of.VectorDestination)
    return kind.fields


def _listed(declaration: type[Group]) -> list[Parameter]:
    inputs: list[Parameter] = []
    destinations: list[list[Parameter]] = []
    for owner in reversed(declaration.__mro__):
        own = list(_own(declaration, owner))
        inputs += [each for each in own if not isinstance(each.kind, kind_of.Destination)]
        destinations.append([each for each in own if isinstance(each.kind, kind_of.Destination)])
    # The CRS is chosen where it is left empty.
    inputs.sort(key=lambda each: each.default is not NEEDED or isinstance(each.kind, kind_of.Crs))
    ordered = [*inputs, *(one for own in reversed(destinations) for one in own)]
    unique = {(each.group, each.key): each for each in ordered}
    return list(unique.values())


def _own(declaration: type, owner: type) -> Iterator[Parameter]:
    # Evaluated in the owner's module; only what is annotated there.
    if "__annotations__" not in vars(owner):
        return
    hints = typing.get_type_hints(owner, include_extras=True)
    for key in vars(owner)["__annotations__"]:
        hint = hints[key]
        if typing.get_origin(hint) is ClassVar:
            continue
        base, _ = _without_none(hint)
        if isinstance(base, type) and issubclass(base, Group):
            for member in parameters_of(base):
                yield _in_group(member, key, base)
            continue
        yield _parameter(key, hint, getattr(declaration, key, NEEDED), owner.__name__)


def _in_group(member: Parameter, group: str, members: type[Group]) -> Parameter:
    return replace(member, group=group, members=members)


def _parameter(key: str, hint: Any, default: Any, owner: str) -> Parameter:
    markers: tuple[Any, ...] = getattr(hint, "__metadata__", ())
    base, nullable = _without_none(typing.get_args(hint)[0] if markers else hint)
    shown = next((marker for marker in markers if isinstance(marker, Shown)), None)
    kind = next((marker for marker in markers if isinstance(marker, kind_of.Kind)), None)
    limits = next((marker for marker in markers if isinstance(marker, Limits)), Limits())
    return Parameter(
        key=key,
        name=(shown.name if shown and shown.name else key.upper()),
        type=base,
        default=default,
        kind=kind or kind_of.make_kind(base),
        limits=limits,
        shown=shown,
        job=QGIS_ONLY not in markers,
        nullable=nullable,
        owner=owner,
        where=next((marker for marker in markers if isinstance(marker, Where)), None),
    )


def _without_none(hint: Any) -> tuple[Any, bool]:
    """A type without None, and whether None was among it."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [each for each in typing.get_args(hint) if each is not type(None)]
        if len(rest) == 1:
            return rest[0], True
    return hint, False
