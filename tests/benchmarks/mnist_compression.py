"""How good a minute of training is on MNIST's test digits, and how soon the first digits can be recognised.

    python -m tests.benchmarks.mnist_compression --data ../shared/data/mnist [--seconds 60] [--sizes 32 16] [--first]

Dense networks as the compression page trains them, on ``--threads`` threads (2). The epochs that fit into the time are
planned from a short stretch before, and whatever is left at its end is cut off. On a busy machine ``--cpu
--threads 1 --seconds 100`` spends what two free cores have in a minute, less what two threads lose. With
``--first``: through the jobs' worker, started and warm, seconds from the press of the button to ten drawn digits with a
mean squared error below 0.03, the page's own settings, three seeds; this leaves nothing in the user's cache.
"""

import argparse
import os
import statistics
import tempfile
import time

LIMITS = {32: 0.0060, 16: 0.0088}
RECOGNISABLE = 0.03
PROBE = 3.0  # s


def minute(k: int, options: argparse.Namespace) -> None:
    """Train one network for so long and print its line."""
    import numpy as np
    import torch

    from aecore.concepts import mnist_compression as page
    from aecore.concepts.mnist_compression import pictures
    from aecore.concepts.mnist_compression.budget import as_pixels, fit_pca
    from aecore.concepts.mnist_compression.budget import rebuild as rebuild_by
    from aecore.concepts.mnist_compression.training import as_tensor, initialise, rebuild
    from aecore.training import fit

    seconds, width, batch, rate = options.seconds, options.width, options.batch, options.rate
    clock = time.process_time if options.cpu else time.perf_counter
    data = pictures.load(pictures.MNIST)
    x = as_tensor(data.train)
    network = page.CompressionNetwork(latent_dim=k, width=width)

    def train(epochs: int, limit: float, *, schedule: str | None) -> tuple[object, float, float]:
        model, started = initialise(network, data.train), clock()
        for report in fit(model, x, epochs=epochs, batch_size=batch, learning_rate=rate, report_every=0.1,
                          schedule=schedule):  # fmt: skip
            spent, done = clock() - started, report.progress * epochs
            if spent >= limit:
                break
        return model, spent, done

    train(50, PROBE / 3, schedule=None)  # the first steps load and compile
    _, spent, done = train(50, PROBE, schedule=None)
    epochs = max(1, int(seconds / (spent / done)))
    model, spent, done = train(epochs, seconds, schedule="cosine")
    truth = as_pixels(data.test)
    error = float(np.square(rebuild(model, data.test) - truth).mean())
    linear = float(np.square(rebuild_by(fit_pca(data.train).keep(k), truth) - truth).mean())
    unit = "processor-s" if options.cpu else "s"
    print(f"{k:3d} numbers: test MSE {error:.5f} (at most {LIMITS.get(k, float('nan')):.4f})  PCA {linear:.4f}  "
          f"{spent:.1f} {unit}, {done:.2f} of {epochs} planned epochs, {done * len(x) / spent:,.0f} images/{unit}, "
          f"{torch.get_num_threads()} threads, 784-{width}-{width // 2}-{k}, batch {batch}, rate {rate:g}",
          flush=True)  # fmt: skip


def first_digits(seed: int) -> float:
    """Seconds from submission to the first recognisable digits."""
    from aecore import jobs
    from aecore.concepts import mnist_compression as page

    started = time.perf_counter()
    job = jobs.submit(page.train, page.CompressionNetwork(seed=seed), page.CompressionTraining(epochs=5))
    try:
        while True:
            errors = [step["error"] for step in job.progress if step["error"] is not None]
            if errors and min(errors) < RECOGNISABLE:
                return time.perf_counter() - started
            if job.state not in ("queued", "running"):
                job.result()
                return float("nan")
            time.sleep(0.02)
    finally:
        job.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder that holds MNIST/raw")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--sizes", type=int, nargs="*", default=[32, 16])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--cpu", action="store_true", help="count the processor's seconds, not the clock's")
    parser.add_argument("--first", action="store_true")
    options = parser.parse_args()
    os.environ["AECORE_DATASETS"] = os.path.abspath(options.data)
    if options.sizes:
        import torch

        torch.set_num_threads(options.threads)
        for k in options.sizes:
            minute(k, options)
    if options.first:
        with tempfile.TemporaryDirectory() as cache:
            os.environ["AECORE_CACHE"] = cache
            from aecore import jobs

            jobs.warm()
            first_digits(99)  # files into the system's cache
            time.sleep(3)
            seconds = [first_digits(seed) for seed in range(3)]
            jobs.shutdown()
        print(f"first recognisable digits after {statistics.median(seconds):.2f} s "
              f"({', '.join(f'{s:.2f}' for s in seconds)}; at most 4)")  # fmt: skip


if __name__ == "__main__":
    main()
