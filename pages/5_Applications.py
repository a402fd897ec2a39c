"""Applications: eight things that autoencoders are used for; only the section that is chosen or linked is loaded."""

from pages.ui.applications import section
from pages.ui.frame.page import frame
from pages.ui.inputs import controls

NAME = "applications"

with frame(NAME):
    name = controls.choice("Hired for", "application", section.SECTIONS, default=next(iter(section.SECTIONS)))
    section.open_section(name)
