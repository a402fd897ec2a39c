"""Who may take how much of a machine: a pure function from its memory and cores to a plan."""

from dataclasses import dataclass

from aecore.memory import MEGABYTE

# Below this, one worker process serves both lanes: each takes 350 MB before it does anything.
SMALL = 2_000 * MEGABYTE
# The server's share; of this, `aecore.memory.server_share` is what visitors may have it hold.
SERVER = 0.25
LEAST_SERVER, MOST_SERVER = 300 * MEGABYTE, 4_000 * MEGABYTE
# The scheduler and the nannies hold nothing of a visitor's.
HUB = 110 * MEGABYTE
MOST_CHILDREN = 8

# A worker takes this with torch loaded.
IDLE_WORKER = 400 * MEGABYTE
# The share of what a worker has beyond that, for tables that wait in it.
HELD_SHARE = 0.5
LEAST_HELD = 100 * MEGABYTE
# The share of a worker's limit, where nobody has made a plan for the whole machine.
CHILD_SHARE = 0.5
# A child gets this on top of what it starts with.
LEAST_CHILD = 200 * MEGABYTE


@dataclass(frozen=True, kw_only=True)
class WorkerPlan:
    """One worker process."""

    name: str
    slots: dict[str, int]  # by lane: how many tasks at once
    memory: int  # bytes; beyond it, the worker is killed and its work begins again
    nice: int  # steps back behind the pages
    threads: int  # of a computation


@dataclass(frozen=True, kw_only=True)
class MachinePlan:
    """A whole machine."""

    server: int  # bytes that the pages' process is expected to take
    hub: int
    workers: tuple[WorkerPlan, ...]
    child: int  # bytes that a child may take on top of what it starts with

    def slots(self, lane: str) -> int:
        """Return how many tasks of a lane run at once."""
        return sum(worker.slots.get(lane, 0) for worker in self.workers)


def plan(memory: int, cores: int) -> MachinePlan:
    """Share out a machine.

    One child at its limit fits in beside everything else at its own. On a small machine, children take what the worker
    has left. Where there is too little all the same, the system ends a child first (`oom_score_adj`), and its visitor
    reads a sentence.
    """
    server = int(min(MOST_SERVER, max(LEAST_SERVER, SERVER * memory)))
    rest = max(0, memory - server - HUB)
    files = max(2, min(MOST_CHILDREN, cores))  # at once, so that a slow one does not stand in the way of a quick one
    threads = max(1, cores - 1)
    if memory < SMALL:
        slots = {"long": 1, "short": files}
        both = WorkerPlan(name="both", slots=slots, memory=max(IDLE_WORKER, rest), nice=10, threads=threads)
        return MachinePlan(server=server, hub=HUB, workers=(both,), child=max(LEAST_CHILD, int(0.25 * rest)))
    long = WorkerPlan(name="long", slots={"long": 1}, memory=int(0.45 * rest), nice=10, threads=threads)
    short = WorkerPlan(name="short", slots={"short": files}, memory=int(0.3 * rest), nice=5, threads=1)
    return MachinePlan(server=server, hub=HUB, workers=(long, short), child=int(0.25 * rest))


def held_share(worker_memory: int) -> int:
    """Return how many bytes of tables a worker with such a limit may hold."""
    return int(max(LEAST_HELD, HELD_SHARE * (worker_memory - IDLE_WORKER)))


def child_share(worker_memory: int) -> int:
    """Return how many bytes a child of a worker with such a limit may take."""
    return int(max(LEAST_CHILD, CHILD_SHARE * worker_memory))
