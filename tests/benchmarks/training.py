"""Images a second of ``aecore.training.fit`` beside the loop of PyTorch's VAE example, in turns.

    python -m tests.benchmarks.training --data ../shared/data/mnist [--pairs 3] [--epochs 5]

Both train 784-400-20-400-784 with batch 128, Adam 1e-3, BCE + KL. The reference is our own writing of the example's
loop: a DataLoader over torchvision's MNIST with a per-image ToTensor, and Adam as it comes. Paired runs alternate,
because the machine's speed drifts; the ratio's median counts. Needs MNIST on disk; nothing is downloaded.
"""

import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from aecore.models import VariationalAutoEncoder
from aecore.training import evaluate, fit
from aecore.vision import import_torchvision

BATCH = 128


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


def reference_loss(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x.view(-1, 784), reduction="sum")
    return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def reference_epoch(model, optimizer, loader):
    model.train()
    for batch, _ in loader:
        optimizer.zero_grad()
        loss = reference_loss(*_forward(model, batch))
        loss.backward()
        loss.item()
        optimizer.step()


def _forward(model, batch):
    recon, mu, logvar = model(batch)
    return recon, batch, mu, logvar


def run_reference(train, test, epochs):
    torch.manual_seed(0)  # the example seeds globally
    model = ReferenceVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = torch.utils.data.DataLoader(train, batch_size=BATCH, shuffle=True)
    started = time.perf_counter()
    for _ in range(epochs):
        reference_epoch(model, optimizer, loader)
    seconds = time.perf_counter() - started
    model.eval()
    with torch.no_grad():
        return seconds, reference_loss(*_forward(model, test)).item() / len(test)


def run_ours(train, test, epochs):
    model = VariationalAutoEncoder((1, 28, 28), hidden=(400,), latent_dim=20, seed=0)
    started = time.perf_counter()
    for _ in fit(model, train, epochs=epochs, batch_size=BATCH, learning_rate=1e-3, seed=0):
        pass
    return time.perf_counter() - started, evaluate(model, test)["total"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5)
    args = parser.parse_args()
    tv = import_torchvision()
    sets = [tv.datasets.MNIST(args.data, train=t, transform=tv.transforms.ToTensor()) for t in (True, False)]
    train, test = (s.data[:, None].float() / 255 for s in sets)
    print(f"{torch.get_num_threads()} threads, {args.epochs} epochs, images a second and test loss in nats")
    ratios = []
    for pair in range(1, args.pairs + 1):
        reference, reference_test = run_reference(sets[0], test, args.epochs)
        ours, ours_test = run_ours(train, test, args.epochs)
        images = len(train) * args.epochs
        ratios.append(reference / ours)
        print(
            f"pair {pair}:  example {images / reference:7.0f} /s  {reference_test:6.2f}    "
            f"fit {images / ours:7.0f} /s  {ours_test:6.2f}    ratio {ratios[-1]:.2f}  "
            f"test loss {100 * (ours_test / reference_test - 1):+.2f} %",
            flush=True,
        )
    print(f"median ratio {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
