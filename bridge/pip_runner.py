"""pip inside the engine's environment: progress out of its lines, and one sentence when it fails."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from . import processes
from .processes import EngineSetupError

# pip, not uv: uv reads neither pip.conf (find-links, cert, index-url, proxy), on which closed and
# TLS-inspecting networks depend, nor comes with Python; the time goes into downloading torch anyway.

Progress = Callable[[float, str], None]
Log = Callable[[str], None]

_NETWORK = (
    "temporary failure in name resolution",
    "name or service not known",
    "getaddrinfo failed",
    "nodename nor servname",
    "failed to resolve",
    "failed to establish a new connection",
    "network is unreachable",
    "connection refused",
    "connecttimeout",
    "read timed out",
    "readtimeout",
    "connection aborted",
    "connectionreseterror",
    "incompleteread",
)
_COMPILER = (
    "microsoft visual c++",
    "unable to find vcvarsall",
    "python.h: no such file",
    "'python.h' file not found",
    "xcode-select",
    "error: command 'gcc'",
    "error: command 'g++'",
    "error: command 'cc'",
    "error: command 'c++'",
    "error: command 'clang'",
    "linux-gnu-gcc' failed",
    "linux-gnu-g++' failed",
    "error: command '/",
)


class PipError(EngineSetupError):
    """pip failed.

    Attributes
    ----------
    cause : str
        ``disk``, ``tls``, ``proxy``, ``network``, ``permission``, ``compiler``, ``memory``, ``path``,
        ``unavailable`` or ``unknown``.
    """

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class Pip:
    """Runs pip of one environment.

    Parameters
    ----------
    python : path
        The environment's interpreter.
    folder : path
        The engine folder: working folder, and where temporary files go.
    environment : mapping
        Of the child.
    on_log, is_cancelled : callable
    """

    def __init__(
        self,
        python: Path,
        folder: Path,
        environment: Mapping[str, str],
        on_log: Log,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._python = python
        self._folder = folder
        self._environment = dict(environment)
        self._on_log = on_log
        self._is_cancelled = is_cancelled
        if sys.platform != "win32":
            # /tmp is often too small for torch, and what a killed pip leaves here can be found and removed.
            temporary = folder / "tmp"
            temporary.mkdir(exist_ok=True)
            self._environment["TMPDIR"] = str(temporary)
        self._bar = "raw" if self._version() >= (24, 1) else "off"

    def _version(self) -> tuple[int, ...]:
        code = "import importlib.metadata as m; print(m.version('pip'))"
        text = processes.capture([str(self._python), "-c", code], self._environment, self._folder) or "0"
        return tuple(int(part) for part in re.findall(r"\d+", text)[:2])

    def install(self, arguments: Sequence[str], on_progress: Progress) -> None:
        """Run ``pip install``.

        Raises
        ------
        PipError
            With one sentence and a remedy.
        SetupCancelled
        """
        reader = _Reader(on_progress)

        def on_line(line: str) -> None:
            if not reader.read(line):
                self._on_log(line)

        command = processes.make_watched_command(
            self._python,
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--no-warn-script-location",
            # Compiled files go to the engine's own cache folder when the packages are first imported.
            "--no-compile",
            "--progress-bar",
            self._bar,
            *arguments,
        )
        code, tail = processes.run(command, self._environment, self._folder, on_line, self._is_cancelled)
        if code:
            cause, sentence = explain(tail, code, self._folder)
            raise PipError(sentence, cause)

    def uninstall(self, name: str) -> None:
        """Run ``pip uninstall``; not being installed is fine."""
        command = processes.make_watched_command(
            self._python, "pip", "uninstall", "--yes", "--disable-pip-version-check", name
        )
        processes.run(command, self._environment, self._folder, self._on_log, self._is_cancelled)


class _Reader:
    """Turns pip's lines into progress.  How many packages will come is unknown, so the share only nears its end."""

    def __init__(self, on_progress: Progress) -> None:
        self._on_progress = on_progress
        self._seen = 0
        self._text = ""

    def read(self, line: str) -> bool:
        """Note one line; True if it is progress only and not worth logging."""
        raw = re.match(r"\s*Progress (\d+) of (\d+)", line)
        if raw:
            done, total = int(raw.group(1)), int(raw.group(2))
            if total:
                megabytes = f"{done / 1e6:.0f} of {total / 1e6:.0f} MB"
                self._tell(f"{self._text} {megabytes}", done / total)
            return True
        word, _, rest = line.strip().partition(" ")
        if word in ("Collecting", "Downloading", "Using", "Processing", "Requirement", "Building"):
            if word == "Collecting":
                self._seen += 1
                self._text = f"Collecting {rest.split(' ')[0]}"
            elif word in ("Downloading", "Processing"):
                self._text = f"{word} {_short(rest)}"
            self._tell(self._text)
        elif word == "Installing":
            self._on_progress(0.85, "Installing packages")
        elif line.startswith("Successfully"):
            self._on_progress(1.0, "Installed")
        return False

    def _tell(self, text: str, part: float = 0.0) -> None:
        count = self._seen + part
        self._on_progress(0.8 * count / (count + 8), text)


def _short(rest: str) -> str:
    """``https://…/torch-2.13.0-cp311-….whl (191.8 MB)`` becomes ``torch-2.13.0 (191.8 MB)``."""
    file, _, size = rest.partition(" ")
    name = "-".join(file.replace("\\", "/").rsplit("/", 1)[-1].split("-")[:2]).removesuffix(".metadata")
    return f"{name} {size if size.startswith('(') else ''}".strip()


def explain(tail: Sequence[str], code: int, folder: Path) -> tuple[str, str]:
    """Find the known cause of a failure in pip's last lines.

    Returns
    -------
    cause, sentence : str
    """
    text = "\n".join(tail).lower()
    missing = re.search(r"no matching distribution found for (\S+)", text)
    if any(words in text for words in ("no space left on device", "errno 28", "not enough space on the disk")):
        need = "The disk is full: the engine needs about 2 GB (8 GB with CUDA)"
        return "disk", f"{need} in {folder}. Free some space, or set CRIMERISK_ENGINE to a folder on a larger disk."
    if "certificate_verify_failed" in text or "sslerror" in text or "ssl: " in text:
        return "tls", (
            "The secure connection to the package server was not trusted, probably because this network re-signs it. "
            "Set PIP_CERT to your organisation's certificate file, or run: pip config set global.cert FILE."
        )
    if "proxyerror" in text or "407 proxy" in text or "cannot connect to proxy" in text:
        return "proxy", "The proxy refused the connection. Set HTTPS_PROXY, or run: pip config set global.proxy URL."
    if any(words in text for words in _NETWORK):
        return "network", (
            "The package server could not be reached. Check the network and the proxy (HTTPS_PROXY), then install "
            "again: it goes on where it stopped."
        )
    if "long path" in text:
        return "path", "A path is too long for Windows. Enable long paths, or set CRIMERISK_ENGINE to a short folder."
    if any(words in text for words in _COMPILER):
        return "compiler", f"There is no working C++ compiler with Python's headers ({_compiler_remedy()})."
    if missing:
        return "unavailable", (
            f"No build of {missing.group(1)} was found for this Python and computer. Choose another base Python "
            "(3.11 to 3.13, 64 bit), or give pip an index that has one (pip config set global.extra-index-url URL)."
        )
    if "permission denied" in text or "errno 13" in text or "winerror 5]" in text:
        return "permission", (
            f"A file in {folder} may not be written. Close other QGIS windows, and set CRIMERISK_ENGINE to a folder "
            "of your own if that does not help."
        )
    if code == -9 or "memoryerror" in text:
        return "memory", "pip was ended by the system, probably for lack of memory. Close other programs and try again."
    errors = [line for line in tail if line.startswith(("ERROR:", "error:"))] or list(tail)
    last = errors[-1].strip() if errors else f"exit code {code}"
    return "unknown", f"pip failed: {last.rstrip('.')}. Press Repair, and report the log if that does not help."


def _compiler_remedy() -> str:
    if sys.platform == "win32":
        return "install the Microsoft C++ Build Tools"
    if sys.platform == "darwin":
        return "run: xcode-select --install"
    return "install g++ and python3-dev" if Path("/usr/bin/apt-get").exists() else "install g++ and Python's headers"
