"""Threads of the operating system, also where gevent has made all others into greenlets.

An event loop belongs to such a thread. A greenlet's would be that of every other greenlet, too, and
each async page of the shop's would find it running.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from typing import TypeVar

T = TypeVar("T")


def is_patched() -> bool:
    """Tell whether gevent has put greenlets in place of threads."""
    monkey: Any = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


def run_in_native_thread(call: Callable[[], T], name: str) -> T:
    """Call a function in a thread without an event loop, and wait for what it returns."""
    if is_patched():
        import gevent

        returned: T = gevent.get_hub().threadpool.apply(call)
        return returned
    with ThreadPoolExecutor(1, name) as thread:
        return thread.submit(call).result()


def start_native_thread(call: Callable[[], object], name: str) -> None:
    """Let a function run in a thread of its own, for as long as the process lives."""
    if is_patched():
        from gevent.monkey import get_original

        # Not one of gevent's own pool, for which a process that ends would wait.
        get_original("_thread", "start_new_thread")(call, ())
    else:
        threading.Thread(target=call, name=name, daemon=True).start()
