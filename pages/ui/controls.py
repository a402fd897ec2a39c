"""Widgets whose value lives in the link: each checks what a link brought before it reads it."""

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.ui import link


def slider(
    label: str, key: str, *, low: float, high: float, default: float, step: float, help: str | None = None
) -> float:
    """Slider over low..high; numbers in a link that lie between two steps are moved to the nearest."""
    _check_numbers(key, 1, low, high, default)
    value = st.slider(label, low, high, default, step, key=key, help=help, bind="query-params", persist_state="session")
    return _snap(value, low, step)


def range_slider(
    label: str,
    key: str,
    *,
    low: float,
    high: float,
    default: tuple[float, float],
    step: float,
    help: str | None = None,
    format: str | None = None,
) -> tuple[float, float]:
    """Slider with two handles over low..high."""
    _check_numbers(key, 2, low, high, default)
    first, last = st.slider(
        label, low, high, default, step, key=key, help=help, format=format,
        bind="query-params", persist_state="session",
    )  # fmt: skip
    return _snap(first, low, step), _snap(last, low, step)


def choice(
    label: str, key: str, options: Sequence[str], *, default: str, help: str | None = None, labelled: bool = True
) -> str:
    """One of a few named options, side by side; not `labelled` (but for a reader) where they speak for themselves."""
    _check_option(key, options, default)
    value = st.segmented_control(
        label, options, default=default, key=key, help=help, required=True,
        label_visibility="visible" if labelled else "collapsed", bind="query-params", persist_state="session",
    )  # fmt: skip
    return value or default


def select(label: str, key: str, options: Sequence[str], *, default: str, help: str | None = None) -> str:
    """One of many named options, from a list."""
    _check_option(key, options, default)
    return st.selectbox(
        label, options, index=list(options).index(default), key=key, help=help,
        bind="query-params", persist_state="session",
    )  # fmt: skip


def number(label: str, key: str, *, low: float, high: float, default: float, help: str | None = None) -> float:
    """A number typed in, within low..high."""
    _check_numbers(key, 1, low, high, default)
    return st.number_input(
        label, low, high, default, key=key, help=help, format="%g", bind="query-params", persist_state="session"
    )


def several(label: str, key: str, options: Sequence[str], *, help: str | None = None) -> list[str]:
    """Any number of named options; none to begin with."""
    allowed = "these are not all among the options"
    link.check(key, lambda texts: set(texts) <= set(options), default="none chosen", allowed=allowed)
    return st.multiselect(label, options, key=key, help=help, bind="query-params", persist_state="session")


def try_this(prompts: dict[str, dict[str, Any]]) -> None:
    """Prompts as buttons; each sets the controls that it names."""
    st.subheader("Try this", divider="gray")
    for column, (prompt, settings) in zip(st.columns(len(prompts)), prompts.items(), strict=True):
        column.button(prompt, on_click=put, args=(settings,), width="stretch")


def put(settings: dict[str, Any]) -> None:
    """Set controls by their keys: a button's callback. A scrubber's value is a position, whether it is shown or not."""
    from pages.ui import latent_pad, player  # here: most pages have one of them, and none waits for the other

    for key, value in settings.items():
        if latent_pad.holds(key):
            latent_pad.move(key, value)
        elif player.holds(key):
            player.put_one(key, value)
        else:
            st.session_state[key] = value


def _check_numbers(key: str, count: int, low: float, high: float, default: object) -> None:
    def accepts(texts: list[str]) -> bool:
        try:
            numbers = [float(text) for text in texts]
        except ValueError:
            return False
        inside = all(math.isfinite(n) and low <= n <= high for n in numbers)
        return len(numbers) == count and inside and numbers == sorted(numbers)

    kind = "it takes a number from" if count == 1 else "it takes two rising numbers from"
    shown = default if count == 1 else " to ".join(f"{d:g}" for d in default)
    link.check(key, accepts, default=shown, allowed=f"{kind} {low:g} to {high:g}")


def _check_option(key: str, options: Sequence[str], default: str) -> None:
    allowed = f"it is one of {', '.join(options)}"
    link.check(key, lambda texts: len(texts) == 1 and texts[0] in options, default=default, allowed=allowed)


def _snap(value: float, low: float, step: float) -> float:
    snapped = low + round((value - low) / step) * step
    return type(value)(round(snapped, 10))
