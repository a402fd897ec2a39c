"""Parts of the MNIST compression page."""
