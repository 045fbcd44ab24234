"""The machine under this process, as far as its system tells: cores, memory, C's functions. Linux tells all of it."""

from __future__ import annotations

import ctypes
import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows has no limits of a process
    resource = None  # type: ignore[assignment]

UNBOUNDED = 1 << 62  # bytes, where no bound is known
_GROUP = Path("/sys/fs/cgroup")
_PROCESS = Path("/proc/self/statm")
_FIRST_TO_END = Path("/proc/self/oom_score_adj")


def cores() -> int:
    """How many this process may use; all of the machine where its system does not say."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def threads() -> int:
    """How many shall compute: OMP_NUM_THREADS, else `cores`."""
    return int(os.environ.get("OMP_NUM_THREADS", 0)) or cores()


def processor() -> str:
    """The name of its model, else of its kind."""
    named = [line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    return named[0].split(":", 1)[1].strip() if named else platform.machine()


def physical_memory() -> int:
    """Bytes that the machine has; UNBOUNDED where its system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, others not these two
        return UNBOUNDED


def memory_limit() -> int:
    """Bytes that this process can have at most: of the machine, its container and its own limit."""
    return min(_machine().get("MemTotal", physical_memory()), _group("memory.max"), _process_limit())


def memory_left() -> int:
    """Bytes that it can still have; `memory_limit` where its system does not say what is used."""
    machine, taken = _machine(), _lines(_PROCESS)
    free = machine["MemAvailable"] + machine["SwapFree"] if machine else physical_memory()
    group = _group("memory.max") - _group("memory.current", 0) + _reclaimable()
    used = int(taken[0].split()[0]) * os.sysconf("SC_PAGE_SIZE") if taken else 0
    return max(0, min(free, group, _process_limit() - used))


def confine(more_bytes: int) -> None:
    """This process may take `more_bytes` of memory besides what it has, write no file and leave no dump of itself; where memory
    ends all the same, it is the first that is ended. Of each, as much as its system has."""
    with suppress(OSError):
        _FIRST_TO_END.write_text("1000")
    if resource:
        now = int(taken[0].split()[0]) * os.sysconf("SC_PAGE_SIZE") if (taken := _lines(_PROCESS)) else 0
        for what, most in ((resource.RLIMIT_AS, now + more_bytes), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
            most = min([most, *(limit for limit in resource.getrlimit(what) if limit != resource.RLIM_INFINITY)])
            with suppress(OSError, ValueError):  # macOS has the first by name alone
                resource.setrlimit(what, (most, most))


def c_function(name: str) -> Any | None:
    """A function of the system's C library; None where there is no such function, or no such library."""
    with suppress(OSError, TypeError):  # Windows has no library that goes without a name
        return getattr(ctypes.CDLL(None), name, None)
    return None


def _lines(path: Path) -> list[str]:
    """Of a file by which Linux tells something; none elsewhere."""
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _machine() -> dict[str, int]:
    """Bytes by the names of /proc/meminfo; empty where there is none."""
    return {line.split(":")[0]: int(line.split()[1]) << 10 for line in _lines(Path("/proc/meminfo"))}


def _group(what: str, otherwise: int = UNBOUNDED) -> int:
    text = "".join(_lines(_GROUP / what)).strip()
    return int(text) if text.isdigit() else otherwise


def _reclaimable() -> int:
    """Of the container's memory, what the kernel drops when it needs it: files that were read."""
    words = " ".join(_lines(_GROUP / "memory.stat")).split()
    return int(words[words.index("inactive_file") + 1]) if "inactive_file" in words else 0


def _process_limit() -> int:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0] if resource else UNBOUNDED
    return UNBOUNDED if resource and limit == resource.RLIM_INFINITY else limit
