"""Where the outline of a thing in a colour picture puts an upright body that stands at a known height.

A body is a prism over a rectangle or a circle, a vessel that widens upwards, or a ball. Its outline in the
picture and that of what was seen are compared by their supports (how far each reaches in every direction),
and the body is fitted by least squares. No depth is needed: the height on which it stands gives the scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.errors import NoDepthError
from mmrobot.grounding.footprint_fit import Rectangle
from mmrobot.perception.camera import project, rays
from mmrobot.types import BoxXyxy, CameraModel, RgbdFrame

DIRECTIONS = 32
_ANGLES = np.arange(DIRECTIONS) * (2 * math.pi / DIRECTIONS)
_TOWARD = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)])
_CIRCLE = np.stack([np.cos(np.arange(16) * math.pi / 8), np.sin(np.arange(16) * math.pi / 8)], 1)
_CORNERS = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) / 2
_MARGIN = 0.3
"""Of a box's longer side: what is around it shows what it stands on."""
_MIN_SHARE = 0.15
_FOOT = {"cup": 0.8, "bowl": 0.5, "plate": 0.6}
"""Of a vessel's rim: the width of its foot."""
_SIZE_M = (0.006, 0.4)
_HEIGHT_OF_WIDTH = {"cup": 1.2, "bowl": 0.35, "plate": 0.1}
_PRIOR_PX = {"cube": 6.0}
_WEAK_PX = 0.4
"""An outline hardly tells a low thing that is deep from a high one that is not: in doubt these proportions
are taken; of a cube there is no doubt."""
_SEARCH: dict[str, Any] = {
    "x_scale": (0.1, 0.1, 0.3, 0.3, 0.3, 0.5),
    "ftol": 1e-3,
    "xtol": 1e-3,
    "max_nfev": 20,
}
_TURNS_RAD = (0.0, math.pi / 6, math.pi / 3)


@dataclass(frozen=True)
class Body:
    """`rectangle` as in `footprint_fit`; `height_m` over what it stands on; `error_px` by which its outline
    misses the one seen (root mean square)."""

    rectangle: Rectangle
    height_m: float
    error_px: float


def outline_px(frame: RgbdFrame, box: BoxXyxy) -> NDArray[np.float64]:
    """Support (DIRECTIONS,) in pixels of the thing that fills a box, told from what is around it by GrabCut
    (Rother et al. 2004). Raises NoDepthError where nothing stands out."""
    x0, y0, x1, y1 = box
    margin = _MARGIN * max(x1 - x0, y1 - y0) + 4
    left, top = max(math.floor(x0 - margin), 0), max(math.floor(y0 - margin), 0)
    right = min(math.ceil(x1 + margin), frame.camera.width)
    bottom = min(math.ceil(y1 + margin), frame.camera.height)
    part = np.ascontiguousarray(frame.rgb[top:bottom, left:right])
    rows, columns = np.mgrid[top:bottom, left:right]
    inside = (columns >= x0 - 1.5) & (columns <= x1 + 1.5) & (rows >= y0 - 1.5) & (rows <= y1 + 1.5)
    mask = np.where(inside, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    if not inside.all() and inside.any():
        cv2.setRNGSeed(1)
        models = np.zeros((2, 1, 65))
        cv2.grabCut(part, mask, (0, 0, 1, 1), models[0], models[1], 3, cv2.GC_INIT_WITH_MASK)
    seen = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    opened = cv2.morphologyEx(seen, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(opened)
    if count < 2 or statistics[1:, cv2.CC_STAT_AREA].max() < _MIN_SHARE * (x1 - x0) * (y1 - y0):
        raise NoDepthError(
            f"without depth the outline at x={(x0 + x1) / 2:.0f}, y={(y0 + y1) / 2:.0f} px cannot be told",
            "start the depth camera, or put the thing where it stands out",
        )
    largest = labels == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())
    points = np.stack([columns[largest], rows[largest]]).astype(np.float64)
    # Pixels are squares: half of one lies beyond its middle.
    return np.asarray((_TOWARD.T @ points).max(1) + 0.5 * np.abs(_TOWARD).sum(0))


def fit_body(frame: RgbdFrame, support_px: NDArray[np.float64], kind: str, stands_at_m: float) -> Body:
    """The body of a `kind` (of _KINDS) whose outline is that. Raises
    NoDepthError where none fits."""
    # Here, not above: it is a third of what the vlm node imports, and most looks have depth.
    from scipy.optimize import least_squares

    make, starts = _KINDS[kind], _TURNS_RAD if kind in ("block", "cube") else (0.0,)
    low_size = math.log(_SIZE_M[0])
    usual, sure_px = math.log(_HEIGHT_OF_WIDTH.get(kind, 1.0)), _PRIOR_PX.get(kind, _WEAK_PX)
    view = _View.of(frame)
    x, y, width = _first_guess(view, support_px, stands_at_m)
    fits = []
    for turn in starts:
        # Logarithms of sizes: none becomes negative, and all errors are relative.
        start = np.array([x, y, *np.log([width, width]), max(math.log(width) + usual, low_size), turn])
        low = [-np.inf, -np.inf, *[low_size - 1e-6] * 3, -np.inf]
        high = [np.inf, np.inf, *[math.log(_SIZE_M[1])] * 3, np.inf]

        def residuals(p: NDArray[np.float64], make: _Make = make) -> NDArray[np.float64]:
            pixels = view.pixels(make(p, stands_at_m, view.eye_m))
            off = (_TOWARD.T @ pixels.T).max(1) - support_px
            alike = sure_px * np.array([p[4] - (p[2] + p[3]) / 2 - usual, p[2] - p[3]])
            return np.nan_to_num(np.concatenate([off, alike]), nan=1e3)

        fits.append(least_squares(residuals, start, bounds=(low, high), **_SEARCH))
    best = min(fits, key=lambda f: float(f.cost))
    x, y = float(best.x[0]), float(best.x[1])
    a, b, height = (float(v) for v in np.exp(best.x[2:5]))
    error = float(np.sqrt(np.mean(best.fun[:DIRECTIONS] ** 2)))
    if not np.isfinite(error) or error > 0.25 * max(_extent(support_px)):
        raise NoDepthError("without depth no body fits the outline", "start the depth camera")
    if kind == "ball":
        return Body(Rectangle((x, y), (a, a), 0.0, True), a, error)
    if kind not in ("block", "cube"):
        return Body(Rectangle((x, y), (a, a), 0.0, True), height, error)
    yaw = float(best.x[5]) + (math.pi / 2 if b > a else 0.0)
    yaw = (yaw + math.pi / 2) % math.pi - math.pi / 2
    return Body(Rectangle((x, y), (max(a, b), min(a, b)), yaw, False), height, error)


@dataclass(frozen=True, eq=False)
class _View:
    camera: CameraModel
    rotation: NDArray[np.float64]
    eye_m: NDArray[np.float64]

    @classmethod
    def of(cls, frame: RgbdFrame) -> _View:
        T = frame.T_base_camera
        assert T is not None
        return cls(frame.camera, T[:3, :3], T[:3, 3])

    def pixels(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points (N, 3) of base to pixels (N, 2)."""
        return project(self.camera, (points_m - self.eye_m) @ self.rotation)

    def on_plane(self, uv: tuple[float, float], z_m: float) -> tuple[NDArray[np.float64], float]:
        """Where a pixel's ray meets a level plane, and how far along the optical axis."""
        ray = self.rotation @ rays(self.camera, np.array(uv))
        if ray[2] > -1e-3:
            raise NoDepthError("without depth the horizon cannot be located", "start the depth camera")
        t = float((z_m - self.eye_m[2]) / ray[2])
        return np.asarray(self.eye_m + t * ray), t


def _extent(support_px: NDArray[np.float64]) -> tuple[float, float]:
    quarter = DIRECTIONS // 4
    return (
        float(support_px[0] + support_px[2 * quarter]),
        float(support_px[quarter] + support_px[3 * quarter]),
    )


def _first_guess(view: _View, support_px: NDArray[np.float64], z_m: float) -> tuple[float, float, float]:
    """x, y and width as if the outline's middle were a point somewhat above what it stands on."""
    quarter = DIRECTIONS // 4
    middle = (
        (support_px[0] - support_px[2 * quarter]) / 2,
        (support_px[quarter] - support_px[3 * quarter]) / 2,
    )
    _, depth_m = view.on_plane(middle, z_m)
    width = min(max(_extent(support_px)[0] / view.camera.fx * depth_m, 2 * _SIZE_M[0]), _SIZE_M[1] / 2)
    at = view.on_plane(middle, z_m + width / 3)[0]
    return float(at[0]), float(at[1]), width


_Make = Callable[[NDArray[np.float64], float, NDArray[np.float64]], NDArray[np.float64]]


def _block(p: NDArray[np.float64], z_m: float, eye_m: NDArray[np.float64]) -> NDArray[np.float64]:
    c, s = math.cos(p[5]), math.sin(p[5])
    flat = (_CORNERS * np.exp(p[2:4])) @ np.array([[c, s], [-s, c]]) + p[:2]
    return _between(flat, flat, z_m, math.exp(p[4]))


def _round(p: NDArray[np.float64], z_m: float, eye_m: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = p[:2] + _CIRCLE * math.exp(p[2]) / 2
    return _between(flat, flat, z_m, math.exp(p[4]))


def _vessel(foot: float) -> _Make:
    def make(p: NDArray[np.float64], z_m: float, eye_m: NDArray[np.float64]) -> NDArray[np.float64]:
        rim = _CIRCLE * math.exp(p[2]) / 2
        return _between(p[:2] + foot * rim, p[:2] + rim, z_m, math.exp(p[4]))

    return make


def _ball(p: NDArray[np.float64], z_m: float, eye_m: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = math.exp(p[2]) / 2
    center = np.array([p[0], p[1], z_m + radius])
    ahead = center - eye_m
    ahead /= np.linalg.norm(ahead)
    side = np.cross(ahead, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side)
    return np.asarray(center + radius * (_CIRCLE @ np.stack([side, np.cross(side, ahead)])))


def _between(
    foot: NDArray[np.float64], rim: NDArray[np.float64], z_m: float, height_m: float
) -> NDArray[np.float64]:
    low = np.column_stack([foot, np.full(len(foot), z_m)])
    return np.concatenate([low, np.column_stack([rim, np.full(len(rim), z_m + height_m)])])


_KINDS: dict[str, _Make] = {
    "cube": _block,
    "block": _block,
    "round": _round,
    "ball": _ball,
    **{kind: _vessel(foot) for kind, foot in _FOOT.items()},
}
