"""What stands around every page: frame, texts, settings and their address, theme, downloads, limits."""
