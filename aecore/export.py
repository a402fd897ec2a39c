"""Results to bytes that people take away; knows no domain."""

from __future__ import annotations

import html
import io
import numbers
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # half a second, and nobody takes anything away before a page is drawn
    import pandas as pd

# What makes a spreadsheet take a cell for a formula, in all the forms that Unicode holds equal (NFKC), and what may end
# a cell: any separator that some locale uses, whatever this file is separated by.
_LEADS = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207a\u207c\u208a\u208c\u2212\u207b\u208b"
_FORMULA = re.compile(rf"(^|[;,|\t\r\n\v\f\x1c-\x1f\x85\u2028\u2029])([\s\"']*)(?=[{_LEADS}])")
_BREAK = re.compile(r"^(?=[\t\n])")


def csv(frame: pd.DataFrame) -> bytes:
    """Return a table as UTF-8 CSV; text that a spreadsheet would run as a formula is led by an apostrophe.

    So is what follows a separator of other locales inside a text: a spreadsheet there begins a new cell at it.
    """
    import pandas as pd

    safe = frame.rename(columns=lambda name: _inert(str(name)))
    for position, kind in enumerate(safe.dtypes):
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind)):
            safe.isetitem(position, [_inert(str(cell)) for cell in safe.iloc[:, position]])
    return safe.to_csv(index=False, lineterminator="\n").encode()


def parquet(frame: pd.DataFrame) -> bytes:
    """Parquet of a table, types kept."""
    return frame.to_parquet(index=False)


class SvgDrawing(NamedTuple):
    """A picture made by this program as SVG source, and what it shows in words."""

    svg: str
    words: str


class Section(NamedTuple):
    """A heading, and below it paragraphs, tables and pictures."""

    heading: str
    parts: Sequence[str | pd.DataFrame | SvgDrawing]


def report(title: str, sections: Sequence[Section]) -> bytes:
    """One HTML file that needs no network: pictures inside, no script, and a policy that lets it load nothing.

    Texts and cells are shown as they are, whatever they hold; only ``Drawing.svg`` is taken for markup.
    """
    body = "".join(
        f"<section><h2>{html.escape(section.heading)}</h2>{''.join(map(_part, section.parts))}</section>\n"
        for section in sections
    )
    shown = html.escape(title)
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{shown}</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head>\n<body><h1>{shown}</h1>\n{body}</body></html>\n"
    )
    return page.encode()


_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #262730; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid #ddd }
svg { width: 100%; height: auto } .wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 13px }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #e5e5e5; text-align: left; vertical-align: top }
td.number { text-align: right; font-variant-numeric: tabular-nums }
@media print { section { break-inside: avoid } }
"""


def _part(part: str | pd.DataFrame | SvgDrawing) -> str:
    if isinstance(part, SvgDrawing):
        return f'<figure role="img" aria-label="{html.escape(part.words)}">{part.svg}</figure>'
    if isinstance(part, str):
        return f"<p>{html.escape(part)}</p>"
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in part.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in part.itertuples(index=False))
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="number">{value:.6g}</td>'
    kind = ' class="number"' if isinstance(value, numbers.Number) else ""
    return f"<td{kind}>{html.escape(str(value))}</td>"


def png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of pixels [H, W] grey, [H, W, 3] or [H, W, 4] with opacity."""
    return _save(_pictures([pixels])[0], "PNG")


def gif(frames: NDArray[np.uint8], *, seconds: float) -> bytes:
    """Endless GIF of grey frames [K, H, W], ``seconds`` for one turn of all of them."""
    first, *others = _pictures(list(frames))
    duration = round(1000 * seconds / len(frames))  # ms a frame
    return _save(first, "GIF", save_all=True, append_images=others, duration=duration, loop=0)


def _pictures(frames: list[NDArray[np.uint8]]) -> list[Any]:
    from PIL import Image  # a tenth of a second to import: only when a picture is asked for

    return [Image.fromarray(np.ascontiguousarray(frame)) for frame in frames]


def _save(picture: Any, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _inert(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")  # a lone one is left bare by the writer, and begins a row
    return _BREAK.sub("'", _FORMULA.sub(r"\1\2'", text))


def wav(samples: NDArray[Any], sample_rate: int) -> bytes:
    """16-bit WAV of samples [T, C]: int16 as they are, floats with full scale at 1 and what lies beyond it cut."""
    import soundfile

    file = io.BytesIO()
    whole = samples if samples.dtype == np.int16 else np.clip(samples, -1, 1)
    soundfile.write(file, whole, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """Zip archive of files by their names; the same files give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packing:
        for name, data in files.items():
            packing.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return archive.getvalue()
