"""What no mask on the noisy phase can beat: oracle masks, which know the clean speech, on the mixes of the evaluation.

    python -m tests.benchmarks.denoising_ceiling --evaluation ../shared/bench/denoise_eval.py [--limit 5]

Prints SI-SDR gain, STOI and PESQ-WB of three oracles: phase-sensitive ``|S| cos / |X|`` cut to 0..1 (the best gain in
0..1 for the squared error), the ideal ratio mask, and the magnitude ratio cut to 0..1. Needs pystoi and pesq.
"""

import argparse
import importlib.util
from pathlib import Path

import numpy as np
import torch

from aecore.audio.spectrum import istft, stft


def oracle(kind, clean, noisy):
    s, x = (stft(torch.from_numpy(w)[None]) for w in (clean, noisy))
    power, noise = x.abs().square() + 1e-12, (x - s).abs().square()
    masks = {
        "phase-sensitive": (s * x.conj()).real / power,
        "ratio": (s.abs().square() / (s.abs().square() + noise + 1e-12)).sqrt(),
        "magnitude": s.abs() / power.sqrt(),
    }
    return istft(x * masks[kind].clamp(0, 1), len(noisy))[0].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluation", type=Path, required=True, help="the evaluation script whose mixes are taken")
    parser.add_argument("--limit", type=int, help="only the first N clips")
    args = parser.parse_args()
    spec = importlib.util.spec_from_file_location("evaluation", args.evaluation)
    evaluation = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(evaluation)
    data = args.evaluation.resolve().parents[1] / "data" / "speech"
    mixes = [(clean, noisy) for _, _, noisy, clean in evaluation.mixes(data, args.limit)]
    for kind in ("phase-sensitive", "ratio", "magnitude"):
        scores = [evaluation.measure((clean, noisy, oracle(kind, clean, noisy))) for clean, noisy in mixes]
        gain, stoi, pesq = np.mean(scores, 0)
        print(f"{kind:16s} {len(mixes)} mixes  SI-SDRi {gain:+6.2f}  STOI {stoi:.3f}  PESQ {pesq:.3f}", flush=True)


if __name__ == "__main__":
    main()
