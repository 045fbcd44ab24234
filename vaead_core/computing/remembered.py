"""What a function made of a content, kept for whoever asks the same again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")


def remembered(
    content: Callable[[Given], bytes],
    most: int,
    find: Callable[[bytes], Any] | None = None,
    keep: Callable[[bytes, Any], None] | None = None,
) -> Callable[[Callable[[Given], Result]], Callable[[Given], Result]]:
    """A function of one argument that keeps its last `most` results by a digest of what it was given, which it does not keep.

    For results that are small and that nobody writes to. Of a call that raises nothing is kept. find: what was made elsewhere;
    keep: told what was made here. `inspect.unwrap` gives the function that computes every time.

    >>> @remembered(str.encode, most=1)
    ... def length(text: str) -> int:
    ...     print("counting")
    ...     return len(text)
    >>> length("four") + length("four")
    counting
    8
    """

    def keeping(function: Callable[[Given], Result]) -> Callable[[Given], Result]:
        kept: OrderedDict[bytes, Result] = OrderedDict()
        lock = threading.Lock()

        @wraps(function)
        def asked(given: Given) -> Result:
            key = content(given)
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            result: Result | None = find(key) if find else None
            if result is None:
                result = function(given)
                if keep:
                    keep(key, result)
            with lock:
                kept[key] = result
                while len(kept) > most:
                    kept.popitem(last=False)
            return result

        return asked

    return keeping
