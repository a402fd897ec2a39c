"""Home: what an autoencoder is, on one screen, with digits that are squeezed while the handle is dragged."""

import streamlit as st

import aecore
from aecore.concepts import home
from aecore.figures.home import kept_against_code_size
from pages.ui.components.scrubber import Bars, Images, scrubber
from pages.ui.components.share import share
from pages.ui.frame import narration
from pages.ui.frame.page import existing, fragment, frame, why
from pages.ui.frame.theme import palette
from pages.ui.inputs import controls

NAME = "home"


@st.cache_data(show_spinner=False)
def load() -> home.DigitsByCodeSize:
    return home.load()


@fragment
def squeeze() -> None:
    digits = load()
    digit = int(controls.choice("Digit", "digit", [str(d) for d in range(10)], default="5"))
    image, rebuilt, code = digits.images[digit], digits.rebuilt[digit], digits.codes[digit]
    panels = [
        Images(title="In: 64 pixels", frames=image[None], role="input"),
        Bars(title="Code: k numbers", values=[[*code[:k], *[0.0] * (len(code) - k)] for k in range(len(rebuilt))]),
        Images(title="Out: rebuilt from the code", frames=rebuilt, role="reconstruction"),
        Images(title="Lost on the way", frames=abs(rebuilt - image), role="lost"),
    ]
    k = scrubber(panels, label="k", key="k", default=4, columns=4, autoplay=True)
    words, curve = st.columns(2, gap="large")
    with words:
        narration.say(NAME, "what-to-notice")
        narration.say(NAME, "what-it-is")
    with curve:
        chart, caption = kept_against_code_size(digits.kept, digits.kept_by_pca, k, palette())
        st.vega_lite_chart(None, chart.whole, width="stretch", alt=caption)
        st.caption(caption)


with frame(NAME):
    squeeze()
    controls.try_this(
        {
            "Squeeze an 8 through 2 numbers": {"digit": "8", "k": 2},
            "Give a 4 ten numbers": {"digit": "4", "k": 10},
            "Send nothing: k = 0": {"k": 0},
        }
    )
    why(NAME)
    st.subheader(narration.text(NAME, "pages"), divider="gray")
    for page in existing()[1:]:
        st.page_link(page.file, label=narration.text(page.name, "title"), icon=page.icon)
        st.caption(narration.text(page.name, "map"))
    share()
    st.caption(f"Version {aecore.__version__}")
