"""The field guide: the decisions around an autoencoder, each measured small enough to be measured again."""
