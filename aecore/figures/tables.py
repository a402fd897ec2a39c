"""Tables of measured numbers as plain HTML, in one look for all pages; a phone shows a small one whole."""

import html
from collections.abc import Sequence

FEW = 6  # columns that a phone has room for; more are moved under the first one
# where long words may break in a narrow column: a browser divides none with a capital
LONG = ("Auto|encoder", "auto|encoder", "condi|tional", "aug|men|tation", "re|peated", "Butter|worth", "kur|tosis",
        "Sa|vitzky")  # fmt: skip
STYLE = """
.measured{container-type:inline-size;overflow-x:auto}
.measured table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;line-height:1.25}
.measured :is(th,td){border-bottom:1px solid #8885;padding:.35rem .6rem;text-align:right;white-space:nowrap}
.measured thead th{font-weight:600;vertical-align:bottom;white-space:normal}
.measured th:first-child{text-align:left}
.measured tbody th{font-weight:400}
.measured small{font-size:.75rem;opacity:.7}
.measured.many table{width:100%}
.measured.many :is(th,td){padding:.3rem .4rem}
.measured.many small{display:block}
.measured.many th:first-child{backdrop-filter:blur(12px);border:0;box-shadow:inset 0 -1px #8885;left:0;position:sticky}
@container (max-width:600px){
.measured.few table{font-size:.8rem;table-layout:fixed;width:100%}
.measured.few :is(th,td){padding:.3rem}
.measured.few thead th{font-size:.7rem;hyphens:auto;overflow-wrap:break-word}
.measured.few th:first-child{white-space:normal;width:27%}
.measured.few small{display:block}
}
""".replace("\n", "")


def table(
    heads: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[str]],
    bold: Sequence[Sequence[bool]] | None = None,
) -> str:
    """Rows under heads (what stands there, what it means) as HTML; the first column names each row.

    ``bold`` [rows][columns] marks cells. Of a spread (``mean ± so much``) the second part is small. Where columns are
    many, or the room is narrow, it stands below its mean; the first column of many stays while the rest is moved.
    """
    bold = bold or [[False] * len(heads)] * len(rows)
    top = "".join(
        f'<th scope="col"{f" title={_quote(means)}" if means else ""}>{_breakable(head)}</th>' for head, means in heads
    )
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{_cell(cell, best)}</td>" for cell, best in zip(row[1:], marks[1:], strict=True)) + "</tr>"
        for row, marks in zip(rows, bold, strict=True)
    )  # fmt: skip
    kind = "few" if len(heads) <= FEW else "many"
    return (
        f'<div class="measured {kind}" lang="en" tabindex="0"><style>{STYLE}</style>'
        f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(text: str, best: bool) -> str:
    mean, sign, spread = text.partition(" ± ")
    said = html.escape(mean) + (f" <small>± {html.escape(spread)}</small>" if sign else "")
    return f"<b>{said}</b>" if best else said


def _breakable(head: str) -> str:
    """Mark in a head where its long words may break."""
    for word in LONG:
        head = head.replace(word.replace("|", ""), word.replace("|", "\u00ad"))
    return html.escape(head)


def _quote(text: str) -> str:
    return f'"{html.escape(text)}"'
