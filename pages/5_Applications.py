"""Applications: eight things that autoencoders are used for; only the section that is chosen or linked is loaded."""

from pages.ui.applications import shell
from pages.ui.frame.page import frame
from pages.ui.inputs import controls

NAME = "applications"

with frame(NAME):
    shell.open_section(controls.choice("Hired for", "application", shell.SECTIONS, default=next(iter(shell.SECTIONS))))
