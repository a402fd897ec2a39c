"""Images a second of ``aecore.training.fit`` beside the loop of PyTorch's VAE example, and beside what is possible.

    python -m tests.benchmarks.training --data ../shared/data/mnist [--network conv] [--pairs 5] [--epochs 5]
        [--batches N] [--keep FILE] [--emulate] [--cpu]

Columns, in every pair one after the other because the machine's speed drifts; medians of the pairs' ratios count:

- ``example``: our own writing of the example's loop: a DataLoader over torchvision's MNIST with a per-image ToTensor,
  and Adam as it comes. Dense: its own network, 784-400-20-400-784; conv: our convolutional one.
- ``float32``: ``fit``; ``bfloat16``: ``fit`` where the processor has it natively (``--emulate``: everywhere).
- ``shapes``: the matrix products and convolutions of one of our steps, recorded and then done alone, over and over.

All with batch 128, Adam 1e-3, binary cross-entropy (+ KL). Then: what reports four times a second cost, with ten digits
rebuilt and the report packed as the jobs do it. ``--batches`` shortens epochs (test losses then say little); ``--keep``
adds the pairs to a file and sums up all that it holds; ``--cpu`` counts the processor's seconds on one thread, for
machines that others use at the same time. Needs MNIST on disk; nothing is downloaded.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from aecore import store
from aecore.models import VariationalAutoEncoder
from aecore.training import evaluate, fit, hardware, state
from aecore.vision import import_torchvision

BATCH = 128
clock = time.perf_counter
PRODUCTS = {"addmm", "mm", "bmm", "convolution", "convolution_backward"}


class ReferenceVAE(nn.Module):
    """The example's network."""

    def __init__(self):
        super().__init__()
        self.into, self.mu, self.logvar = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.out, self.pixels = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x):
        h = F.relu(self.into(x.view(-1, 784)))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.pixels(F.relu(self.out(z)))), mu, logvar

    def loss(self, x):
        """Summed over the batch."""
        recon, mu, logvar = self(x)
        bce = F.binary_cross_entropy(recon, x.view(-1, 784), reduction="sum")
        return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


class ReferenceConv(nn.Module):
    """Our convolutional network in the example's loop."""

    def __init__(self):
        super().__init__()
        self.network = ours("conv")

    def loss(self, x):
        return self.network.losses(x)["total"] * len(x)


def ours(network):
    if network == "dense":
        return VariationalAutoEncoder((1, 28, 28), hidden=(400,), latent_dim=20, seed=0)
    from aecore.models import ConvAutoEncoder2d

    return ConvAutoEncoder2d((1, 28, 28), hidden=(16, 32), latent_dim=32, reconstruction="bce", seed=0)


def run_reference(network, train, test, epochs):
    torch.manual_seed(0)  # the example seeds globally
    model = ReferenceVAE() if network == "dense" else ReferenceConv()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = torch.utils.data.DataLoader(train, batch_size=BATCH, shuffle=True)
    started = clock()
    model.train()
    for _ in range(epochs):
        for batch, _ in loader:
            optimizer.zero_grad()
            loss = model.loss(batch)
            loss.backward()
            loss.item()
            optimizer.step()
    seconds = clock() - started
    model.eval()
    with torch.no_grad():
        return seconds, sum(model.loss(part).item() for part in test.split(1000)) / len(test)


def run_ours(network, train, test, epochs, precision="float32", **settings):
    model = ours(network)
    started = clock()
    for report in fit(model, train, epochs=epochs, batch_size=BATCH, seed=0, precision=precision, **settings):
        used = report.hardware
    return clock() - started, evaluate(model, test)["total"], used


class Products(TorchDispatchMode):
    """Records every matrix product and convolution, with what went in."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func.overloadpacket.__name__ in PRODUCTS:
            self.calls.append((func, args, kwargs or {}))
        return func(*args, **(kwargs or {}))


def products_alone(network, batch, steps, dtype):
    """Seconds of the products of ``steps`` steps, and nothing else."""
    hardware.keep_freed_memory()
    model = hardware.place(ours(network), torch.device("cpu"))
    with Products() as recorded, hardware.computing_in(dtype):
        total = model.losses(batch)["total"]
        total.backward()
    with torch.no_grad():
        started = clock()
        for _ in range(steps):
            for func, args, kwargs in recorded.calls:
                func(*args, **kwargs)
        return clock() - started


def reporting(network, train):
    """Mean seconds that a report costs, with what a page's job does with it, and how many there were."""
    spent, make = [0.0], state.TrainingState.report

    def timed(*args):
        started = clock()
        report = make(*args)
        spent[0] += clock() - started
        return report

    model, ten, count = ours(network), train[:10], 0
    state.TrainingState.report = timed
    for report in fit(model, train, epochs=1, batch_size=BATCH, report_every=0.25):
        mine = clock()
        with torch.inference_mode():
            store.dumps({"losses": report.losses, "rebuilt": model(ten).numpy()})
        spent[0] += clock() - mine
        count += 1
    state.TrainingState.report = make
    return spent[0] / count, count


def pair(args, sets, train, test, native):
    """One row: images a second and test losses by column."""
    images = len(train) * args.epochs
    seconds, loss = run_reference(args.network, sets, test, args.epochs)
    row = {"example": images / seconds, "example_loss": loss}
    for precision in ("float32", "bfloat16") if native or args.emulate else ("float32",):
        setting = "float32" if precision == "float32" else "fastest"
        seconds, loss, used = run_ours(args.network, train, test, args.epochs, setting)
        row |= {precision: images / seconds, f"{precision}_loss": loss, f"{precision}_used": used}
        steps = len(train) // BATCH
        seconds = products_alone(args.network, train[:BATCH], steps, getattr(torch, precision))
        row[f"{precision}_shapes"] = steps * BATCH / seconds
    return row


def table(rows):
    print("images a second, test loss in nats, ratio to the example's loop, share of the products' own rate")
    columns = [c for c in ("float32", "bfloat16") if any(c in row for row in rows)]
    for row in rows:
        print(f"example {row['example']:8.0f} {row['example_loss']:7.2f}")
        for c in columns:
            ratio, share = row[c] / row["example"], 100 * row[c] / row[f"{c}_shapes"]
            worse = 100 * (row[f"{c}_loss"] / row["example_loss"] - 1)
            print(
                f"  {c:8s} {row[c]:7.0f} {row[f'{c}_loss']:7.2f} ({worse:+.2f} %)   x {ratio:.2f}   "
                f"{share:.0f} % of {row[f'{c}_shapes']:.0f}   ran in {row[f'{c}_used']}"
            )
    for c in columns:
        ratio = statistics.median(row[c] / row["example"] for row in rows)
        share = statistics.median(row[c] / row[f"{c}_shapes"] for row in rows)
        print(f"{c}: median of {len(rows)} pairs x {ratio:.2f} the example's loop, {100 * share:.0f} % of its shapes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--network", choices=("dense", "conv"), default="dense")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batches", type=int, default=60000 // BATCH + 1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--emulate", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    args = parser.parse_args()
    if args.cpu:
        global clock
        clock = time.process_time
        torch.set_num_threads(1)
    native, tv = hardware.has_bfloat16(), import_torchvision()
    if args.emulate:
        hardware.has_bfloat16, hardware.MARGIN = lambda: True, 0.0
    sets = [tv.datasets.MNIST(args.data, train=t, transform=tv.transforms.ToTensor()) for t in (True, False)]
    train, test = (s.data[:, None].float() / 255 for s in sets)
    train = train[: args.batches * BATCH]
    sets = torch.utils.data.Subset(sets[0], range(len(train))) if len(train) < 60000 else sets[0]
    print(f"{torch.get_num_threads()} threads, {args.network}, bfloat16 {'native' if native else 'not native here'}")
    rows = [json.loads(line) for line in args.keep.open()] if args.keep and args.keep.exists() else []
    for _ in range(args.pairs):
        rows.append(pair(args, sets, train, test, native))
        print(json.dumps(rows[-1]), flush=True)
        if args.keep:
            args.keep.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table(rows)
    cost, count = reporting(args.network, train)
    print(f"reports: {1000 * cost:.2f} ms each (mean of {count}): {100 * 4 * cost:.2f} % of the time at four a second")


if __name__ == "__main__":
    main()
