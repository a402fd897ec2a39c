"""Pre-computed results of the field guide: every section's in one small file, rebuilt by `pretrain`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aecore import store
from aecore.concepts.field_guide import checklist, curved, generation, latent_size
from aecore.concepts.field_guide.diagnosis import Diagnosis, confusion
from aecore.concepts.field_guide.trials import HEALTHY, KINDS, History, Trial, TrialOutcome, read_outcome, run
from aecore.paths import MODELS

ASSET = MODELS / "field_guide.safetensors"
# Data whose trials train the diagnosis.
LEARNT = ("digits", "sinusoids")
# Data whose trials test it.
OTHERS = ("shapes", "inverter")
LEARNT_SEEDS, UNSEEN_SEEDS = range(6), range(100, 104)
# Seed of the trials that the page opens with, one of the test set.
SHOWN_SEED = 100

Steps = Generator[dict[str, Any], None, dict[str, Any]]


class Diagnosed(NamedTuple):
    """The diagnosis, and its confusion matrices on test trials: [kinds, kinds + unclear] each."""

    diagnosis: Diagnosis
    unseen_seeds: NDArray[np.int64]
    other_data: NDArray[np.int64]
    without_units: NDArray[np.int64]  # the same two together, the share of silent units withheld
    exemplars: dict[str, dict[str, Any]]  # by data, then kind: what `run` returned


@functools.cache
def _tree() -> dict[str, Any]:
    return dict(store.read(ASSET))


def load_sizing(data: str) -> latent_size.Sizing:
    """Read latent sizes for the digits or the sinusoids."""
    return latent_size.from_tree(_tree()["sizes"][data])


def load_bends() -> curved.Bent:
    """Read points on a line at every bend."""
    return curved.from_tree(_tree()["bent"])


def load_samples() -> generation.Generated:
    """Read samples at every code size."""
    return generation.from_tree(_tree()["generated"])


def load_checklist() -> list[checklist.Measured]:
    """Read every item of the checklist."""
    return checklist.from_tree(_tree()["checklist"])


def load_diagnosis() -> Diagnosed:
    """Read the diagnosis and its confusion matrices."""
    tree = _tree()["diagnosis"]
    return Diagnosed(
        Diagnosis.from_tree(tree["gaussians"]), tree["unseen_seeds"], tree["other_data"], tree["without_units"],
        tree["exemplars"],
    )  # fmt: skip


def load_exemplar(trial: Trial) -> TrialOutcome | None:
    """Read a trial that ships: one fault or none, at the seed that the page opens with; None for all others."""
    if trial.seed != SHOWN_SEED or len(trial.faults) > 1:
        return None
    return read_outcome(load_diagnosis().exemplars[trial.data][trial.faults[0] if trial.faults else HEALTHY])


# ---------------------------------------------------------------------- rebuilding
def make_trial(data: str, kind: str, seed: int) -> Trial:
    """Make a trial of one kind."""
    return Trial(data=data, faults=() if kind == HEALTHY else (kind,), seed=seed)


def sizes() -> Steps:
    """Ask every rule about both data sets."""
    found = {}
    for data in latent_size.DATA:
        found[data] = yield from latent_size.size(latent_size.draw(data))
    return found


def diagnose() -> Steps:
    """Run trials of every kind, fit the diagnosis to some, and test it on the others."""
    learnt = yield from _trials("learnt", LEARNT, LEARNT_SEEDS)
    diagnosis = Diagnosis.fit([h for _, h in learnt], [kind for kind, _ in learnt])
    exemplars: dict[str, dict[str, Any]] = {data: {} for data in (*LEARNT, *OTHERS)}
    unseen = yield from _trials("unseen seeds", LEARNT, UNSEEN_SEEDS, exemplars)
    others = yield from _trials("other data", OTHERS, UNSEEN_SEEDS, exemplars)
    blind = [(kind, history._replace(active=None)) for kind, history in (*unseen, *others)]
    judged = {"unseen_seeds": unseen, "other_data": others, "without_units": blind}
    tables = {name: confusion(diagnosis, [h for _, h in t], [k for k, _ in t]) for name, t in judged.items()}
    return {"gaussians": diagnosis.to_tree(), "exemplars": exemplars} | tables


def _trials(
    part: str, data: Iterable[str], seeds: range, keep: dict[str, dict[str, Any]] | None = None
) -> Generator[dict[str, Any], None, list[tuple[str, History]]]:
    found = []
    for name in data:
        for kind in KINDS:
            for seed in seeds:
                tree = yield from run(make_trial(name, kind, seed))
                found.append((kind, read_outcome(tree).history))
                if keep is not None and seed == SHOWN_SEED:
                    keep[name][kind] = tree | {n: tree[n].astype(np.float16) for n in ("inputs", "rebuilt")}
    return found


PARTS: dict[str, Callable[[], Steps]] = {
    "sizes": sizes,
    "bent": curved.bend,
    "diagnosis": diagnose,
    "generated": generation.generate,
    "checklist": checklist.measure,
}


def pretrain() -> Generator[dict[str, Any], None, None]:
    """Train and measure what every section opens on."""
    tree = {}
    for name, part in PARTS.items():
        tree[name] = yield from part()
    store.write(ASSET, tree)
