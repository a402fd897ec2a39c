"""What all tests share."""

import os

# One thread a library, as in the jobs' workers: the models are small, and threads that outnumber free cores spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")
