"""Applications: eight jobs an autoencoder is hired for; only the one that is chosen or linked is loaded."""

from pages.ui import controls
from pages.ui.applications import shell
from pages.ui.page import frame

NAME = "applications"

with frame(NAME):
    sections = shell.available()
    shell.open_section(controls.choice("Hired for", "section", sections, default=sections[0]))
