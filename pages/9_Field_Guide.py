"""Field guide: the decisions around an autoencoder, a section each; only the one that is open does any work."""

from pages.ui.field_guide import checklist, generate, glossary, pca, size, wrong
from pages.ui.frame.downloads import take_it_with_you
from pages.ui.frame.page import frame, why
from pages.ui.inputs import controls

NAME = "field_guide"
SECTIONS = {
    "size": "Latent size",
    "pca": "Just PCA?",
    "wrong": "Blurry or wrong?",
    "generate": "Can it generate?",
    "checklist": "Checklist",
    "glossary": "Glossary",
}
MODULES = {
    "size": size, "pca": pca, "wrong": wrong, "generate": generate, "checklist": checklist, "glossary": glossary,
}  # fmt: skip

with frame(NAME):
    section = MODULES[controls.choice("Section", "section", SECTIONS, default="size")]
    downloads = section.show()
    controls.try_this(section.PROMPTS)
    why(NAME)
    take_it_with_you(downloads)
