"""How torch uses the cores: one batch is split between threads that each compute alone.

Threads inside every operation, as torch has them by default, wait for each other thousands of times a second by
spinning: beside another busy process on two cores that was measured 47 times slower, against twice for this.

Gradients are computed in bfloat16 on processors that multiply it natively, which is half as fast again (measured with
AVX-512 BF16; channels-last memory gained nothing). Weights, sums and forecasts stay in float32.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch


def count_cores() -> int:
    """Count the cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def prepare_torch(seed: int) -> torch.device:
    """Seed torch and ask for repeatable results; the GPU where there is one, else the CPU."""
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        # Read by cuBLAS when it starts; without it its results may differ from run to run.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        return torch.device("cuda")
    return torch.device("cpu")


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Multiply in bfloat16 within the block, in this thread, where the processor does so natively.

    What decides is the processor and never a stopwatch, so that the same machine gives the same result. On a GPU
    everything stays in float32.
    """
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    if device.type == "cpu" and native is not None and native():
        return torch.autocast("cpu", torch.bfloat16)
    return nullcontext()


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Have torch choose operations that repeat exactly, which on a GPU it does not by itself.

    The gradient of the repeated edge cells is one that differs from run to run otherwise. Torch warns of an operation
    that cannot repeat. On the CPU all that are used here do.
    """
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


@contextmanager
def workers(device: torch.device) -> Iterator[ThreadPoolExecutor]:
    """A pool with a thread per core, each computing alone; a single thread feeds a GPU."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    count = 1 if device.type == "cuda" else count_cores()
    try:
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)
