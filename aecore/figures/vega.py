"""A figure as plain Vega-Lite: tables by name, and a specification that refers to them.

While a control moves, only rows should change and the specification stay the same: a browser then exchanges the rows of
a figure that it has drawn already, which takes a fraction of the time that building one anew does.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

Spec = dict[str, Any]


class Figure(NamedTuple):
    """Tables by the names under which ``spec`` draws them."""

    tables: Mapping[str, pa.Table]
    spec: Spec

    @property
    def whole(self) -> Spec:
        """Specification and tables in one."""
        return self.spec | {"datasets": dict(self.tables)}


def field(name: str, kind: str = "quantitative", **more: Any) -> Spec:
    """Encode a column."""
    return {"field": name, "type": kind, **more}


def layer(table: str, mark: Spec, encoding: Spec, **more: Any) -> Spec:
    """Draw the rows of one table."""
    return {"data": {"name": table}, "mark": mark, "encoding": encoding, **more}


PADDING = {"left": 5, "top": 5, "right": 40, "bottom": 5}  # legends may be set in a wider font than was measured


def drawings(figures: Sequence[Figure], width: int) -> Generator[dict[str, float], None, list[str]]:
    """Draw figures as SVG of this width in pixels, for a page that has no network; a job's task."""
    import vl_convert  # starts an engine of its own, of some 80 MB: for workers, not for the page's process

    drawn = []
    for i, figure in enumerate(figures):
        yield {"progress": i / len(figures)}
        drawn.append(vl_convert.vegalite_to_svg(_standing_alone(figure, width)))
    return drawn


def _standing_alone(figure: Figure, width: int) -> Spec:
    rows = {name: table.to_pylist() for name, table in figure.tables.items()}
    spec = figure.spec | {
        "datasets": rows,
        "background": "white",
        "padding": {"left": 5, "top": 5, "right": 40, "bottom": 5},
    }
    if "vconcat" in spec:
        return spec | {"vconcat": [part | {"width": width} for part in spec["vconcat"]]}
    return spec | {"width": width}
