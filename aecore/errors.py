"""Every error that the core raises on purpose; each message is one sentence fit for the screen.

::

    AecoreError
    ├── SettingError          a setting lies outside its range                  (also a ValueError)
    ├── DataError             the data cannot be used as they are               (also a ValueError)
    │   ├── UnreadableFile    a file cannot be turned into a signal
    │   ├── DatasetMissing    a data set is not on this machine and could not be fetched
    │   └── TooFewRows        there is less data than the smallest model needs
    ├── TrainingError         a training cannot go on
    │   └── TrainingDiverged  the loss became NaN or infinite; the last good weights are kept
    ├── JobError              long work did not end as it should
    │   ├── JobCancelled      somebody asked it to stop
    │   ├── TooBusy           more work is waiting than may, or more bytes are held
    │   ├── TimeExceeded      it took longer than such work may
    │   ├── DataGone          what it was to work on is in no process any more
    │   ├── NoWorkers         no process that does the work could be started or reached
    │   └── WorkerLost        the process that did the work died
    └── StoreError            a stored result is missing, torn or of another make
"""


class AecoreError(Exception):
    """Root of the tree: ``str(error)`` says what is wrong, what came in, and the way out."""


class SettingError(AecoreError, ValueError):
    """A setting lies outside its range; the message names the range and what came in."""


class DataError(AecoreError, ValueError):
    """The data cannot be used as they are."""


class UnreadableFile(DataError):
    """A file cannot be turned into a signal."""


class DatasetMissing(DataError):
    """A data set is not on this machine, and nothing brought it here."""


class TooFewRows(DataError):
    """There is less data than the smallest model needs."""


class TrainingError(AecoreError):
    """A training cannot go on."""


class TrainingDiverged(TrainingError):
    """The loss became NaN or infinite; the model holds its last good weights."""


class JobError(AecoreError):
    """Long work did not end as it should."""


class JobCancelled(JobError):
    """Somebody asked the work to stop."""


class TooBusy(JobError):
    """More work is waiting than may, or more bytes are held; nothing was started."""


class TimeExceeded(JobError):
    """The work took longer than work of its kind may, and was ended."""


class DataGone(JobError):
    """A value that was held in a worker is there no more: make it again."""


class NoWorkers(JobError):
    """No process that does the work could be started or reached; nothing was started."""


class WorkerLost(JobError):
    """The process that did the work died, out of memory or killed, and so did the one after it."""


class StoreError(AecoreError):
    """A stored result is missing, torn or of another make."""
