"""Files: whole or not at all, and read without running code."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from riskengine.contract.owners import make_owner
from riskengine.ground.artefacts import (
    compute_fingerprint,
    make_partial_name,
    read_bundle,
    whole_file,
    write_bundle,
)
from riskengine.ground.errors import Cancelled, FormatError, OutputError

KIND = "crimerisk.test"
#: What a description may hold: half a character or NUL cannot be written everywhere.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def test_whole_file_replaces_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "año uno.txt"
    path.write_text("old")
    with whole_file(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("no"), Cancelled(), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(error)), whole_file(path) as temporary:  # noqa: PT012 - both lines belong to the failure
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"does not exist.*Create") as caught, whole_file(tmp_path / "no" / "a.txt"):
        pass
    assert caught.value.parameter == "output"
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="could not be written"), whole_file(tmp_path / "folder") as temporary:
        temporary.write_text("a")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]


def test_the_partial_name_tells_its_writer() -> None:
    assert make_partial_name(Path("a") / "b.tif", 7) == Path("a") / f".b.{make_owner(7)}.partial.tif"
    assert str(os.getpid()) in make_partial_name(Path("b.tif")).name


@settings(max_examples=25)
@given(
    hnp.arrays(st.sampled_from([np.float64, np.int64, np.uint8]), hnp.array_shapes(min_side=0)),
    st.dictionaries(TEXT.filter(lambda key: key not in ("", "kind", "format", "checksum")), TEXT, max_size=4),
)
def test_bundle_round_trip(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, meta: dict[str, str]) -> None:
    path = tmp_path_factory.mktemp("bundle") / "a.bin"
    write_bundle(path, KIND, 1, meta, {"values": array})
    head, arrays, _ = read_bundle(path, KIND, 1)
    assert len(head.pop("checksum")) == 64
    assert head == {"kind": KIND, "format": 1, **meta}
    assert arrays["values"].dtype == array.dtype
    assert np.array_equal(arrays["values"], array, equal_nan=array.dtype.kind == "f")


def test_blobs(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"\x00\x01")
    write_bundle(tmp_path / "a.bin", KIND, 1, {}, {}, {"blob.ann": tmp_path / "blob"})
    _, _, others = read_bundle(tmp_path / "a.bin", KIND, 1)
    assert others["blob.ann"].tobytes() == b"\x00\x01"


@pytest.mark.parametrize(
    ("head", "sentence"),
    [
        ({"kind": "other", "format": 1}, "is not a test file of Crime Risk"),
        ({"kind": KIND, "format": 3}, r"newer Crime Risk \(format 3, this one reads up to 2\)"),
        ({"kind": KIND, "format": "new"}, "is damaged: the number of its format is none"),
        ({"kind": KIND}, "is damaged: the number of its format is none"),
        ([KIND], "is not a test file"),
    ],
)
def test_another_kind_or_newer(head: object, sentence: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as bundle:
        bundle.writestr("meta.json", json.dumps(head))
    with pytest.raises(FormatError, match=sentence) as caught:
        read_bundle(tmp_path / "a.bin", KIND, 2, "index")
    assert caught.value.parameter == "index"
    assert caught.value.remedy


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as bundle:
        bundle.writestr("meta.json", json.dumps({"kind": KIND, "format": 1}))
        bundle.writestr("values.npy", buffer.getvalue())
    with pytest.raises(FormatError, match=r"its part 'values\.npy' cannot be read"):
        read_bundle(tmp_path / "a.bin", KIND, 1)


def test_fingerprint() -> None:
    numbers = np.arange(6.0)
    assert compute_fingerprint(numbers) == compute_fingerprint(numbers.copy())
    assert compute_fingerprint(numbers) == compute_fingerprint(np.arange(12.0)[::2] / 2), "strides do not matter"
    different = [numbers[::-1], numbers.reshape(2, 3), numbers.astype(np.float32), numbers[:5]]
    assert len({compute_fingerprint(array) for array in [numbers, *different]}) == 5
