"""Commands for files on disk; ``aecore.__main__`` reads their arguments."""
