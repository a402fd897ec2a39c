"""Field guide: the decisions around an autoencoder, a section each; only the one that is open does any work."""

from pages.ui import controls
from pages.ui.downloads import take_it_with_you
from pages.ui.field_guide import checklist, generate, glossary, pca, size, wrong
from pages.ui.page import frame, why

NAME = "field_guide"
SECTIONS = {
    "Latent size": size,
    "Just PCA?": pca,
    "Blurry or wrong?": wrong,
    "Can it generate?": generate,
    "Checklist": checklist,
    "Glossary": glossary,
}

with frame(NAME):
    section = SECTIONS[controls.choice("Section", "section", list(SECTIONS), default="Latent size")]
    downloads = section.show()
    controls.try_this(section.PROMPTS)
    why(NAME)
    take_it_with_you(downloads)
