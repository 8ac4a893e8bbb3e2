"""A record drawn over its picture: what each phrase was taken for, and what else it might have been."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_TARGET, _REFERENCE, _RIVAL = (255, 176, 32), (64, 170, 255), (190, 196, 204)
_INK, _PAPER, _DIM, _REFUSED = (17, 24, 32), (245, 247, 250), (150, 160, 172), (240, 80, 70)
_BAR, _LINE, _WIDTH = 62, 22, 960
_DASH = 6
_WARM, _HOT = (70, 20, 120), (255, 190, 40)
_LEAST_LOSS = 0.02
"""Less than this is noise, and does not glow."""


def draw_record(
    record: dict[str, Any],
    picture: Path | None,
    heat: NDArray[np.float64] | None = None,
    step: int = -1,
) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: the picture, or a plain field where none is kept, under the words and above the
    steps. `heat` (of the picture's height and width, in [0, 1]) glows over it, for step `step`, whose things
    alone are boxed then."""
    base = Image.open(picture).convert("RGB") if picture else Image.new("RGB", (640, 200), _INK)
    scale = _WIDTH / base.width
    if heat is not None:
        base = _glowing(base, heat)
    shown = base.resize((_WIDTH, round(base.height * scale)), Image.Resampling.LANCZOS)
    lines = _lines(record)
    canvas = Image.new("RGB", (_WIDTH, _BAR + shown.height + _LINE * len(lines) + 20), _INK)
    canvas.paste(shown, (0, _BAR))
    draw = ImageDraw.Draw(canvas)
    draw.text((18, 8), _fit(draw, f"\u201c{record['instruction']}\u201d", 21), font=_font(21), fill=_PAPER)
    under = f"{record['model']}, read with {record['reading_confidence']:.0%}"
    if heat is not None:
        under += f"; step {step + 1}: hidden from the model, the glowing parts cost most of its sureness"
    draw.text((18, 37), _fit(draw, under, 15), font=_font(15), fill=_DIM)
    steps = record["steps"] if step < 0 else [s for s in record["steps"] if s["index"] == step]
    _things(draw, steps, scale)
    for i, (text, shade) in enumerate(lines):
        at = (18, _BAR + shown.height + 10 + i * _LINE)
        draw.text(at, _fit(draw, text, 15), font=_font(15), fill=shade)
    return np.asarray(canvas)


def png_of(image: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 RGB as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def _glowing(base: Image.Image, heat: NDArray[np.float64]) -> Image.Image:
    """The picture, greyed, with what the model leans on in warm colours; of its own highest loss, if any."""
    grey = np.asarray(base.convert("L"), dtype=np.float64)[..., None] * np.ones(3)
    share = (heat / max(float(heat.max()), _LEAST_LOSS))[..., None]
    low, high = np.array(_WARM, dtype=np.float64), np.array(_HOT, dtype=np.float64)
    colour = low + (high - low) * share
    mixed = grey * (1 - 0.75 * share) + colour * 0.75 * share
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))


def _things(draw: ImageDraw.ImageDraw, steps: Sequence[dict[str, Any]], scale: float) -> None:
    drawn: set[tuple[float, ...]] = set()
    tags: list[tuple[tuple[float, float, float, float], str, tuple[int, int, int]]] = []
    chosen = [
        (thing, shade)
        for step in steps
        for thing, shade in ((step["target"], _TARGET), (step["reference"], _REFERENCE))
        if thing is not None
    ]
    taken = {tuple(thing["box_xyxy"]) for thing, _ in chosen}
    for thing, _ in chosen:
        for rival in thing["rivals"]:
            if tuple(rival["box_xyxy"]) not in taken | drawn:
                drawn.add(tuple(rival["box_xyxy"]))
                box = _scaled(rival["box_xyxy"], scale)
                _dashed(draw, box)
                tags.append((box, f"{thing['phrase']}? {rival['score']:.0%}", _RIVAL))
    for thing, shade in chosen:
        if tuple(thing["box_xyxy"]) not in drawn:
            drawn.add(tuple(thing["box_xyxy"]))
            box = _scaled(thing["box_xyxy"], scale)
            draw.rectangle(box, outline=shade, width=3)
            tags.append((box, f"{thing['phrase']}  {thing['score']:.0%}", shade))
    for box, text, shade in tags:
        _tag(draw, box, text, shade)


def _lines(record: dict[str, Any]) -> list[tuple[str, tuple[int, int, int]]]:
    lines = [(f"{s['index'] + 1}.  {s['says']}   {s['confidence']:.0%}", _PAPER) for s in record["steps"]]
    if record["answer"]:
        lines.append((f"answered: {record['answer']}", _PAPER))
    if record["refused"]:
        lines.append((f"{record['refused']['code']}: {record['refused']['message']}", _REFUSED))
    rules = len(record["gate"])
    broken = [v for v in record["gate"] if v["refusal"]]
    if rules:
        lines.append((f"gate: {rules - len(broken)} of {rules} checks hold", _DIM))
    return lines


def _scaled(box: list[float], scale: float) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = ((v + 0.5) * scale for v in box)
    return (x0, y0 + _BAR, x1, y1 + _BAR)


def _dashed(draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = box
    for y in (y0, y1):
        for x in np.arange(x0, x1, 2 * _DASH):
            draw.line((x, y, min(x + _DASH, x1), y), fill=_RIVAL, width=2)
    for x in (x0, x1):
        for y in np.arange(y0, y1, 2 * _DASH):
            draw.line((x, y, x, min(y + _DASH, y1)), fill=_RIVAL, width=2)


def _tag(
    draw: ImageDraw.ImageDraw, box: tuple[float, float, float, float], text: str, shade: tuple[int, int, int]
) -> None:
    width = draw.textlength(text, font=_font(14)) + 12
    x = min(max(box[0], 0), _WIDTH - width)
    y = max(box[1] - 22, _BAR)
    draw.rectangle((x, y, x + width, y + 20), fill=shade)
    draw.text((x + 6, y + 2), text, font=_font(14), fill=_INK)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fit(draw: ImageDraw.ImageDraw, text: str, size: int) -> str:
    while text and draw.textlength(text, font=_font(size)) > _WIDTH - 36:
        text = text[:-4] + "..."
    return text
