"""For all tests: torch on one thread, as in the workers; two that wait for each other cost minutes when it is busy."""

import torch

torch.set_num_threads(1)
