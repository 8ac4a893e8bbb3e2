"""Print on cubes and trays: legible, one picture for each text and colour, only where asked for."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from PIL import Image

from mmrobot.tabletop.labels import PIXELS, draw_label
from mmrobot.tabletop.meshes import LABEL_MESH, MODELS_DIR, label_obj_text
from mmrobot.tabletop.objects import COLORS
from mmrobot.tabletop.scene import SceneObject
from mmrobot.tabletop.scene_sdf import object_sdf


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("text", ["A", "A7", "WWWW"])
def test_text_fits_and_contrasts(text: str, color: str) -> None:
    pixels = np.asarray(draw_label(text, color), dtype=float)
    ink = np.abs(pixels - pixels[0, 0]).sum(-1) > 150
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert rows[0] >= 3 and columns[0] >= 3 and rows[-1] < PIXELS - 3 and columns[-1] < PIXELS - 3
    assert ink.mean() > 0.03


def test_texts_differ() -> None:
    a, b = (np.asarray(draw_label(t, "red"), dtype=float) for t in ("A7", "B2"))
    assert np.abs(a - b).max() > 100


@pytest.mark.parametrize(("shape", "height"), [("cube", 0.02), ("tray", -0.01)])
def test_labelled_object_carries_its_texture(
    shape: str, height: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmrobot.tabletop.labels.folder", lambda: tmp_path / "labels")
    obj = SceneObject("x", shape, "red", "small", (0.4, 0.0), label="A7")
    for _ in range(2):
        model = ET.fromstring(object_sdf(obj))
    visual = next(v for v in model.iterfind("link/visual") if v.get("name") == "label")
    picture = Path(unquote(urlparse(visual.findtext("material/pbr/metal/albedo_map", "")).path))
    assert Image.open(picture).size == (PIXELS, PIXELS)
    assert [p.name for p in picture.parent.iterdir()] == ["red_A7.png"]
    z = float(visual.findtext("pose", "").split()[2])
    expected = obj.dims.surface_height_m - obj.dims.height_m / 2
    assert expected < z < expected + 0.001
    assert z == pytest.approx(height, abs=0.004)


def test_no_label_no_plate() -> None:
    model = ET.fromstring(object_sdf(SceneObject("x", "cube", "red")))
    assert "label" not in [v.get("name") for v in model.iterfind("link/visual")]


def test_committed_mesh_is_that_of_the_code() -> None:
    assert (MODELS_DIR / LABEL_MESH).read_text(encoding="utf-8") == label_obj_text()
