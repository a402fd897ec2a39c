"""Native widgets over the settings mechanism: each shows what a link, a prompt or the visitor has set."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st

from pages.ui.frame import settings
from pages.ui.frame.foreign import plain
from pages.ui.frame.settings import Setting, Unfit

T = TypeVar("T")
Options = Mapping[str, str] | Sequence[str]  # ids with their labels; of a sequence, each is both


def slider(
    label: str, key: str, *, low: float, high: float, default: float, step: float, help: str | None = None
) -> float:
    """Draw a slider over low..high and return its value."""
    setting = number_setting(label, key, low=low, high=high, default=default, step=step)
    settings.widget_value(setting)
    found = st.slider(label, low, high, default, step, key=key, help=help)
    return settings.keep(setting, _nearest_step(found, low, step))


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
    """Draw a slider with two thumbs over low..high and return both values, the lower one first."""
    setting = range_setting(label, key, low=low, high=high, default=default, step=step)
    settings.widget_value(setting)
    first, last = st.slider(label, low, high, default, step, key=key, help=help, format=format)
    return settings.keep(setting, (_nearest_step(first, low, step), _nearest_step(last, low, step)))


def choice(
    label: str, key: str, options: Options, *, default: str, help: str | None = None, labelled: bool = True
) -> str:
    """Draw a few options side by side and return the chosen one's id.

    ``options`` are ids with their labels; ids stand in links and stay, labels may be reworded. Not ``labelled`` (but
    for a screen reader) where the options speak for themselves.
    """
    names = _name_options(options)
    setting = choice_setting(label, key, names, default=default)
    settings.widget_value(setting)
    found = st.segmented_control(
        label, list(names), default=default, format_func=names.__getitem__, key=key, help=help, required=True,
        label_visibility="visible" if labelled else "collapsed",
    )  # fmt: skip
    return settings.keep(setting, found or default)


def select(label: str, key: str, options: Options, *, default: str, help: str | None = None) -> str:
    """Draw a list of options and return the chosen one's id, as `choice` does."""
    names = _name_options(options)
    setting = choice_setting(label, key, names, default=default)
    settings.widget_value(setting)
    found = st.selectbox(
        label, list(names), index=list(names).index(default), format_func=names.__getitem__, key=key, help=help
    )
    return settings.keep(setting, found)


def number(label: str, key: str, *, low: float, high: float, default: float, help: str | None = None) -> float:
    """Draw a field for a number within low..high and return it."""
    step = 1 if isinstance(default, int) else None
    setting = number_setting(label, key, low=low, high=high, default=default, step=step)
    settings.widget_value(setting)
    return settings.keep(setting, st.number_input(label, low, high, default, key=key, help=help, format="%g"))


def several(label: str, key: str, options: Options, *, help: str | None = None) -> list[str]:
    """Draw options of which any number may be chosen and return the chosen ids; none to begin with."""
    names = _name_options(options)

    def read(texts: list[str]) -> list[str]:
        known = [text for text in texts if text in names]
        if len(known) < len(texts):
            raise Unfit(f"it takes {_list_names(names)}", known)
        return [name for name in names if name in known]

    setting = Setting[list[str]](
        key=key, label=label, default=[], read=read, write=list,
        fit=lambda found: [name for name in found if name in names],
        show=lambda found: ", ".join(names[name] for name in found),
    )  # fmt: skip
    settings.widget_value(setting)
    found = st.multiselect(label, list(names), format_func=names.__getitem__, key=key, help=help)
    return settings.keep(setting, found)


def text(label: str, key: str, *, longest: int, help: str | None = None) -> str:
    """Draw a field for a short text and return it; empty to begin with."""
    setting = text_setting(label, key, longest=longest)
    settings.widget_value(setting)
    return settings.keep(setting, st.text_input(label, key=key, max_chars=longest, help=help))


def try_this(prompts: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw prompts as buttons; each sets the settings that it names, whether they are shown at that moment or not."""
    st.subheader("Try this", divider="gray")
    for column, (prompt, values) in zip(st.columns(len(prompts)), prompts.items(), strict=True):
        column.button(prompt, on_click=settings.put, args=(values,), width="stretch")


# ---------------------------------------------------------------------- settings, also of browser components
def number_setting(
    label: str, key: str, *, low: float, high: float, default: T, step: float | None = None
) -> Setting[T]:
    """Return the setting of one number within low..high, of the type that ``default`` has."""
    kind: Callable[[Any], Any] = type(default)

    def read(texts: list[str]) -> T:
        (found,) = _numbers(texts, 1, low, high)
        return _on_a_step(found)

    def _on_a_step(found: float) -> T:
        if kind is int and step is None and found != round(found):
            raise Unfit("it takes a whole number", kind(round(found)))
        if step is None:
            return kind(found)
        nearest = kind(_nearest_step(found, low, step))
        if abs(nearest - found) > 1e-6 * step:
            raise Unfit(f"it moves in steps of {step:g}", nearest)
        return nearest

    return Setting(
        key=key, label=label, default=default, read=read, write=_number_text,
        fit=lambda found: kind(min(max(found, low), high)) if isinstance(found, int | float) else default,
    )  # fmt: skip


def range_setting(
    label: str, key: str, *, low: float, high: float, default: tuple[float, float], step: float
) -> Setting[tuple[float, float]]:
    """Return the setting of two rising numbers within low..high."""

    def read(texts: list[str]) -> tuple[float, float]:
        asked = tuple(_numbers(texts, 2, low, high))
        first, last = (_nearest_step(found, low, step) for found in asked)
        if max(abs(first - asked[0]), abs(last - asked[1])) > 1e-6 * step:
            raise Unfit(f"it moves in steps of {step:g}", (first, last))
        return first, last

    def fit(found: tuple[float, float]) -> tuple[float, float]:
        first, last = (min(max(float(each), low), high) for each in found)
        return first, last

    return Setting(
        key=key, label=label, default=default, read=read, write=lambda found: [_number_text(each) for each in found],
        fit=fit,
    )  # fmt: skip


def choice_setting(label: str, key: str, names: Mapping[str, str], *, default: str) -> Setting[str]:
    """Return the setting of one of several named options, ids with their labels."""

    def read(texts: list[str]) -> str:
        (found,) = _once(texts)
        if found not in names:
            raise Unfit(f"it is one of {_list_names(names)}")
        return found

    return Setting(
        key=key, label=label, default=default, read=read, write=str,
        fit=lambda found: found if found in names else default, show=lambda found: names.get(found, found),
    )  # fmt: skip


def text_setting(label: str, key: str, *, longest: int) -> Setting[str]:
    """Return the setting of a text; empty by default."""

    def read(texts: list[str]) -> str:
        (found,) = _once(texts)
        return found[:longest]

    return Setting(key=key, label=label, default="", read=read, write=str)


# ---------------------------------------------------------------------- inside
def _name_options(options: Options) -> Mapping[str, str]:
    return options if isinstance(options, Mapping) else {option: option for option in options}


def _list_names(names: Mapping[str, str]) -> str:
    return ", ".join(plain(label) for label in names.values())


def _once(texts: list[str]) -> list[str]:
    if len(texts) != 1:
        raise Unfit("it takes one value")
    return texts


def _numbers(texts: list[str], count: int, low: float, high: float) -> list[float]:
    kind = "a number from" if count == 1 else "two rising numbers from"
    reason = f"it takes {kind} {low:g} to {high:g}"
    try:
        found = [float(text) for text in texts]
    except ValueError:
        raise Unfit(reason) from None
    if len(found) != count or found != sorted(found) or not all(math.isfinite(n) and low <= n <= high for n in found):
        raise Unfit(reason)
    return found


def _number_text(value: Any) -> str:
    return f"{value:.10g}"


def _nearest_step(value: float, low: float, step: float) -> float:
    nearest = low + round((value - low) / step) * step
    return type(value)(round(nearest, 10))
