"""Run one task to its end, its failure or its cancellation: the same in a worker, in its child and inline."""

import contextlib
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aecore.errors import AecoreError, JobError
from aecore.jobs.held import Handle, Held, gone
from aecore.jobs.serialization import Packed, pack, unseal
from aecore.memory import Charge

# A task that goes on yielding so long after its cancellation is closed; `dispatch.STOP_SECONDS` is longer.
CLOSE_SECONDS = 8.0

Keep = Callable[[Any], tuple[str, int]]  # puts a value on the store; its id and size


class Cancelled(BaseException):
    """Thrown into a task's generator, at its ``yield``, when nobody waits for its result or its time is over.

    The task may catch it and return what it has made so far. It is no `Exception`, so that a task which goes on after
    the failure of one part of its work (``except Exception``) does not take it for one.
    """


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a task ended. What a visitor may have put in stays out of its repr, which logs may show."""

    state: Literal["done", "failed", "cancelled"]
    value: Packed | None = field(default=None, repr=False)  # the result, or what a cancelled task had made
    held: Packed | None = field(default=None, repr=False)  # the value that a child's worker is to keep
    handle: tuple[str, int] | None = None  # id and size of the value that is kept
    error: str = ""  # the class in `aecore.errors`
    message: str = field(default="", repr=False)
    log: str = field(default="", repr=False)  # for the server's log
    charge: Charge | None = None  # of the server's budget, for the value

    @property
    def words(self) -> dict[str, str]:
        """What travels of it beside the values: plain text."""
        return {name: getattr(self, name) for name in ("state", "error", "message", "log")}


def execute(
    task: Packed,
    private: bool,
    report: Callable[[Packed], None],
    stopped: Callable[[], bool],
    given: Mapping[str, Any] | None = None,
    keep: Keep | None = None,
) -> Outcome:
    """Run a sealed task.

    ``report`` takes its progress, ``stopped`` says whether to cancel it, ``given`` holds the values of the handles
    among its arguments, and ``keep`` puts the value of a `Held` result in the store, else the outcome carries it.
    """
    try:
        function, args = unseal(task)
        generator = function(*(_find(arg, given or {}) for arg in args))
        value, cancelled = _drive(generator, lambda entry: report(pack(entry, private)), stopped)
        return _make_outcome("cancelled" if cancelled else "done", value, private, keep)
    except Cancelled:
        return Outcome(state="cancelled")
    except AecoreError as error:
        return make_failure(str(error), type(error).__name__)
    except MemoryError as error:
        message = "The work needs more memory than there is: use fewer data or a smaller model."
        return make_failure(message, log=_describe(error, private))
    # The edge of the process: anything a task may raise becomes one sentence and a log entry.
    except (Exception, SystemExit) as error:
        message = f"The work stopped on an unexpected {type(error).__name__}: start it again or change its settings."
        return make_failure(message, log=_describe(error, private))


def make_failure(message: str, error: str = "JobError", log: str = "") -> Outcome:
    """Return the outcome of work that failed."""
    return Outcome(state="failed", error=error, message=message, log=log)


def _find(arg: Any, given: Mapping[str, Any]) -> Any:
    if not isinstance(arg, Handle):
        return arg
    if arg.id not in given:
        raise gone()
    return given[arg.id]


def _drive(
    generator: Generator[Any, None, Any], report: Callable[[Any], None], stopped: Callable[[], bool]
) -> tuple[Any, bool]:
    """Run a generator; returns what it returned, and whether it had been cancelled by then."""
    cancelled: float | None = None
    with contextlib.closing(generator):  # its finally blocks run here, not when memory is tidied
        while cancelled is None or time.monotonic() - cancelled < CLOSE_SECONDS:
            try:
                if cancelled is None and stopped():
                    cancelled = time.monotonic()
                    entry = generator.throw(Cancelled())
                else:
                    entry = next(generator)
            except StopIteration as end:
                return end.value, cancelled is not None
            report(entry)
    raise Cancelled


def _make_outcome(state: Literal["done", "cancelled"], value: Any, private: bool, keep: Keep | None) -> Outcome:
    if not isinstance(value, Held):
        nothing = state == "cancelled" and value is None
        return Outcome(state=state, value=None if nothing else pack(value, private))
    if not private:
        raise JobError("Only a private task may keep its value in its process.")
    summary = pack(value.summary, private=True)
    if keep is None:
        return Outcome(state=state, value=summary, held=pack(value.value, private=True))
    return Outcome(state=state, value=summary, handle=keep(value.value))


def _describe(error: BaseException, private: bool) -> str:
    if private:  # where it happened, but not the message, which may quote the visitor's data
        return "".join(traceback.format_tb(error.__traceback__)) + type(error).__name__
    return "".join(traceback.format_exception(error))
