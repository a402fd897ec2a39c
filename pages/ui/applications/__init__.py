"""The Applications page's sections, a module each; `shell` is what they share."""
