"""What few labels are worth: a linear probe on raw values, on PCA and on codes; a network from scratch and pre-trained.

    python -m tests.benchmarks.applications_pretraining

Each seed trains its own encoder, without labels, and draws its own labels. The pool, the validation split that tunes
and the test split stay: digits that nobody has learnt from, machines at operating points that nobody has seen.
"""

import functools

from aecore.concepts.applications import comparisons
from aecore.concepts.applications.pretraining import (
    LEVELS,
    PROBES,
    SCRATCH,
    TASKS,
    TUNED,
    Labelling,
    Material,
    PretrainingTask,
    choose_rows,
    extract_features,
    fit_probe,
    load_pretrained,
    score_network,
    train_encoder,
)
from aecore.numerics.dense import DenseNetwork
from aecore.numerics.progress import finish

SCRIPT = "tests/benchmarks/applications_pretraining.py"
SEEDS = (1, 2, 3, 4, 5)
ROWS: dict[str, tuple[PretrainingTask, int]] = {f"{task}, {n} a class": (task, n) for task in TASKS for n in LEVELS}


@functools.cache
def learnt(task: PretrainingTask, seed: int) -> tuple[Material, DenseNetwork]:
    data = load_pretrained()[task].material
    return data, finish(train_encoder(task, data, seed))


def row(condition: str, seed: int) -> dict[str, float]:
    task, per_class = ROWS[condition]
    data, encoder = learnt(task, seed)
    rows = choose_rows(data, Labelling(task=task, per_class=per_class, draw=seed))
    seen = extract_features(data, encoder)
    found = {name: 100 * fit_probe(data, seen[name], rows).accuracy for name in PROBES}
    for name in (SCRATCH, TUNED):
        found[name] = 100 * score_network(data, rows, encoder, pretrained=name == TUNED, seed=seed)
    return found


def tables() -> dict[str, comparisons.ComparisonTable]:
    return {"accuracy": comparisons.measure("test accuracy, %", list(ROWS), row, SEEDS, SCRIPT)}


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)  # as a worker
    comparisons.write("pretraining", tables())
