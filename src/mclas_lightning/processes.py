"""Work that several processes share."""

import os


def cores() -> int:
    """Cores that this process may use: a cluster's job has fewer than the machine."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
