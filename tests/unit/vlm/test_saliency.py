"""The heat map is warm where hiding the picture costs the model its sureness, and cold elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from mmrobot.types import ScoredBox
from mmrobot.vlm.saliency import COLUMNS, ROWS, heat_map, saliency_rows

BOX = (100.0, 60.0, 130.0, 90.0)


class Reds:
    """Sure of a box by how much of it is red."""

    name, operations = "reds", frozenset({"ground"})

    def ground(self, image_rgb, phrase):
        x0, y0, x1, y1 = map(int, BOX)
        score = float((image_rgb[y0:y1, x0:x1, 0] > 200).mean())
        return (ScoredBox(phrase, BOX, score),) if score > 0.1 else ()


def test_it_glows_over_the_thing_alone() -> None:
    picture = np.full((120, 160, 3), 40, np.uint8)
    picture[60:90, 100:130] = (255, 0, 0)
    rows = list(saliency_rows(Reds(), picture, "the red cube", BOX))
    assert len(rows) == ROWS and all(r.shape == (COLUMNS,) for r in rows)
    heat = heat_map(rows, 120, 160)
    assert heat.shape == (120, 160) and heat.min() == 0.0 and heat.max() <= 1.0
    assert heat[75, 115] > 0.3
    assert heat[20, 20] == 0.0 and heat[100, 60] == 0.0


def test_a_thing_that_is_not_found_has_a_cold_map() -> None:
    picture = np.full((120, 160, 3), 40, np.uint8)
    heat = heat_map(list(saliency_rows(Reds(), picture, "the red cube", BOX)), 120, 160)
    assert heat == pytest.approx(0.0)
