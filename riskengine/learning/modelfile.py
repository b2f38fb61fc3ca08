"""Files of trained models: safetensors arrays with a card in the header, JSON with a schema. Reading runs no code.

Forecast models, score models and checkpoints are such files; what each says of itself is its `Card`, and its
`FileKind` reads and writes it. Torch is not needed here: see `weights` for what a network's arrays become.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.numpy import save

from .. import __version__
from ..ground.artefacts import check_head, whole_file
from ..ground.containers import (
    CHECKSUM,
    READING_ERRORS,
    Arrays,
    check_checksum,
    compute_checksum,
    read_json,
    read_safetensors,
)
from ..ground.damage import Damaged, check_plain, describe_fault
from ..ground.errors import FormatError

_KEY = "crimerisk"


class Card(BaseModel):
    """What a file says about itself; every kind of file adds its own fields. Those it does not know are passed over.

    Attributes
    ----------
    kind : str
    format : int
        Version of the format.
    """

    #: Whether its numbers may be infinite or missing.
    ANY_NUMBER: ClassVar[bool] = False

    model_config = ConfigDict(extra="ignore")
    kind: str
    format: int

    def may_hold_any_number(self, name: str) -> bool:
        """Whether infinite or missing numbers are meant in array `name`."""
        return False


C = TypeVar("C", bound=Card)


@dataclass(frozen=True)
class FileKind(Generic[C]):
    """One kind of file.

    Attributes
    ----------
    kind : str
        As it stands in the card.
    format : int
        The newest version of the format that can be read.
    card : type of Card
    title : str
        What errors call it.
    remedy : str
        What to do about a file that cannot be used, as a sentence without its full stop.
    """

    kind: str
    format: int
    card: type[C]
    title: str
    remedy: str

    def write(self, path: str | Path, arrays: Mapping[str, NDArray[Any]], card: C, parameter: str) -> None:
        """Write arrays and card whole or not at all.

        Raises
        ------
        OutputError
        """
        # Not ascontiguousarray: it would turn a number into an array of one.
        plain = {name: np.array(array, order="C") for name, array in arrays.items()}
        with whole_file(path, parameter) as temporary:
            # Not save_file: its files may be read by their owner alone, and it fails with other errors.
            head = json.loads(card.model_dump_json())
            head[CHECKSUM] = compute_checksum(head, plain)
            # One text alone: of several, safetensors writes the order by chance.
            temporary.write_bytes(save(plain, metadata={_KEY: json.dumps(head, ensure_ascii=False)}))

    def read(
        self,
        path: str | Path,
        parameter: str,
        convert: Callable[[dict[str, Any], Arrays], tuple[dict[str, Any], Arrays]] | None = None,
    ) -> tuple[C, Arrays]:
        """Card and arrays of a file.

        Parameters
        ----------
        path : path
        parameter : str
            Job parameter that errors name.
        convert : callable, optional
            Makes of the header and the arrays of an older format those of the newest one.

        Raises
        ------
        FormatError
            If the file is missing, truncated, damaged, of another kind, or of a newer format.
        """
        path = Path(path)
        if not path.is_file():
            raise self.make_error(path, "does not exist", parameter)
        try:
            texts, arrays = read_safetensors(path)
        except READING_ERRORS as error:
            why = f"is not a whole {self.title}: it is truncated or of another kind"
            why += f" ({error})" if isinstance(error, Damaged) else ""
            raise self.make_error(path, why, parameter) from error
        text = texts.get(_KEY)
        try:
            head: Any = read_json(text) if text else None
            check_head(head, self.kind, self.format, path, parameter)
            check_checksum(path, head.get(CHECKSUM), head, arrays)
        except Damaged as error:
            raise self.make_error(path, f"is damaged: {error}", parameter) from error
        try:
            if convert is not None and head["format"] < self.format:
                head, arrays = convert(head, arrays)
            if not self.card.ANY_NUMBER:
                check_plain(head)
            card = self.card.model_validate(head)
        except (ValidationError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
            why = f"is damaged: its description does not hold together ({describe_fault(error)})"
            raise self.make_error(path, why, parameter) from error
        wrong = [name for name, array in arrays.items() if not card.may_hold_any_number(name) and not is_finite(array)]
        if wrong:
            raise self.make_error(path, f"is damaged: it holds weights that are no numbers ({wrong[0]})", parameter)
        return card, arrays

    def make_error(self, path: str | Path, why: str, parameter: str) -> FormatError:
        """Make the error of a file that cannot be used; `why` goes on after its path."""
        return FormatError(f"{path} {why}", parameter=parameter, value=path, remedy=self.remedy)

    def make_misfit_error(self, path: str | Path, parameter: str, error: Exception | None = None) -> FormatError:
        """Make the error of a file whose card and arrays are not of one model; `error` may name the part."""
        named = f" ({error})" if isinstance(error, Damaged) else ""
        return self.make_error(path, f"is damaged: its description does not fit its weights{named}", parameter)


def is_finite(array: NDArray[Any]) -> bool:
    """Whether all its numbers are numbers."""
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def list_versions() -> dict[str, str]:
    """List the versions of what made a result."""
    installed = {"riskengine": __version__}
    for package in ("torch", "numpy", "scipy", "scikit-learn"):
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {**installed, "python": platform.python_version()}
