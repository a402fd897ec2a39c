"""Tuning the denoiser to one clip: seconds, the gain on that clip under fresh noise, and on another phrase.

    python -m tests.benchmarks.audio_tuning [--noises fan vacuum hum babble gaussian] [--seeds 2]

Gains are of SI-SDR in dB over mixes at 0, 5 and 10 dB with noises that were not trained on; "tuned" begins with the
network that ships, "scratch" with a fresh one, trained for as long on the same clip. Left of each arrow is the shipped
network, right the trained one. The other phrase is by the same voice and never trained on.
"""

import argparse
import time

import numpy as np

from aecore.concepts.audio_denoising import NoiseSettings, sample
from aecore.concepts.audio_denoising.training import tune
from aecore.numerics.progress import finish


def finished(steps):
    return finish(steps)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--noises", nargs="+", default=["fan", "vacuum", "hum", "babble", "gaussian"])
    parser.add_argument("--seeds", type=int, default=1)
    args = parser.parse_args()
    rows = []
    for noise in args.noises:
        for seed in range(args.seeds):
            for scratch in (False, True):
                started = time.perf_counter()
                result = finished(tune(sample(), NoiseSettings(noise=noise), scratch=scratch, seed=seed))
                before, after = result["before"], result["after"]
                rows.append((scratch, after["clip"] - before["clip"], after["phrase"] - before["phrase"]))
                gains = "   ".join(f"{name} {before[name]:+6.2f} -> {after[name]:+6.2f}" for name in after)
                what, seconds = "scratch" if scratch else "tuned", time.perf_counter() - started
                print(f"{noise:9s} seed {seed}  {what:8s} {seconds:5.1f} s   {gains}", flush=True)
    for scratch in (False, True):
        clip, phrase = np.array([row[1:] for row in rows if row[0] == scratch]).T
        print(f"{'scratch' if scratch else 'tuned'}: clip {clip.mean():+.2f} (least {clip.min():+.2f}), "
              f"other phrase {phrase.mean():+.2f} (least {phrase.min():+.2f})")  # fmt: skip


if __name__ == "__main__":
    main()
