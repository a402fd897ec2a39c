"""Text from outside (file names, cells, columns, links), made safe to show."""


def plain(text: str) -> str:
    """Return text from outside as Markdown that shows it as it is."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]()<>#+-.!|$~:" else c for c in text if c.isprintable())
