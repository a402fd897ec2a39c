"""Controls whose values are in the link, and uploads."""
