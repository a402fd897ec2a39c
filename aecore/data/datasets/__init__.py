"""Data to train on: digits that come along, MNIST, drawn shapes, sums of sinusoids, speech."""
