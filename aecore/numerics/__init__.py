"""Numerics that any part of the core uses: dense networks in numpy, and the number of threads."""
