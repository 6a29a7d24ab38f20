"""Large tensors that come again and again: memory that is kept for the next one."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def keep_memory() -> None:
    """Tell glibc to keep what is freed. Else each large tensor of a training step is asked of the kernel anew.

    Where there is another C library nothing happens.
    """
    if sys.platform.startswith("linux"):
        library = ctypes.CDLL(None)
        if hasattr(library, "mallopt"):
            for name in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
                library.mallopt(name, 2**31 - 1)
