"""How a stage went, as CSV beside its checkpoint and as a picture of it.

One row a figure: `step,part,figure,value`; `part` is train (running means of batches) or validation.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

COLUMNS = ("step", "part", "figure", "value")
TRAIN, VALIDATION = "train", "validation"
_COLORS = {TRAIN: "#8fa3b8", VALIDATION: "#c2410c"}

Row = tuple[int, str, str, float]


def read_curves(path: Path) -> list[Row]:
    """All rows; a last one that was cut off by a crash is left out."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        lines = list(csv.reader(file))[1:]
    return [(int(r[0]), r[1], r[2], float(r[3])) for r in lines if len(r) == len(COLUMNS) and r[3]]


class Curves:
    """Appends to `path`. Rows after `step`, the one that training resumes from, are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        kept = [row for row in read_curves(path) if row[0] <= step] if step else []
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".csv.part")
        with part.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(kept)
        part.replace(path)

    def add(self, step: int, part: str, figures: Mapping[str, float]) -> None:
        """One row for each figure."""
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerows((step, part, name, f"{value:.6g}") for name, value in figures.items())

    def draw(self) -> None:
        """A PNG beside the CSV."""
        draw_curves(self._path, self._path.with_suffix(".png"))


def draw_curves(source: Path, target: Path) -> None:
    """Every figure of a CSV in a small plot of its own, to a PNG. Nothing where there are no rows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for step, part, name, value in read_curves(source):
        lines[name][part].append((step, value))
    if not lines:
        return
    columns = min(4, len(lines))
    rows = -(-len(lines) // columns)
    figure = Figure(figsize=(3.2 * columns, 2.2 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for i, (name, parts) in enumerate(lines.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        for part, points in parts.items():
            steps, values = zip(*points, strict=True)
            axes.plot(steps, values, color=_COLORS.get(part), marker=".", markersize=3, label=part)
        if i == 0:
            axes.legend(fontsize=7)
    figure.savefig(target, dpi=110)
