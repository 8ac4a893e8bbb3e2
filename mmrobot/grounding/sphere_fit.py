"""Is it a ball? Least-squares sphere through surface points; a ball's top and sides are seen only in part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sphere:
    """`center` is in the points' own coordinates; `rms_m` is the points' mean distance from the surface."""

    center: tuple[float, float, float]
    radius_m: float
    rms_m: float


def fit_sphere(points: NDArray[np.float64], standing: bool = False) -> Sphere | None:
    """The sphere through points (N, 3), fitted twice, then without outliers; None where there is none.

    `standing`: it touches the plane z = 0 from above, which fixes what is hidden of it.
    """
    fit = _standing if standing else _free
    sphere = fit(points)
    if sphere is None:
        return None
    away = np.abs(np.linalg.norm(points - sphere.center, axis=1) - sphere.radius_m)
    near = points[away < max(2.5 * sphere.rms_m, 1e-4)]
    return fit(near) if len(near) >= 12 else sphere


def _free(points: NDArray[np.float64]) -> Sphere | None:
    """|p|^2 = 2 c.p + (r^2 - |c|^2) is linear in c and the last term."""
    middle = points.mean(axis=0)
    p = points - middle
    solution = _solve(np.column_stack([2 * p, np.ones(len(p))]), np.einsum("ij,ij->i", p, p))
    if solution is None:
        return None
    center = solution[:3]
    square = float(solution[3] + center @ center)
    return _sphere(points, center + middle, float(np.sqrt(square))) if square > 0 else None


def _standing(points: NDArray[np.float64]) -> Sphere | None:
    """|p|^2 = 2 c.p + 2 r z - |c|^2 with c = (x, y): linear once the origin is near c."""
    x, y = points[:, :2].mean(axis=0)
    radius = 0.0
    for _ in range(2):
        p = points - (x, y, 0.0)
        solution = _solve(2 * p, np.einsum("ij,ij->i", p, p))
        if solution is None:
            return None
        x, y, radius = x + solution[0], y + solution[1], float(solution[2])
    return _sphere(points, np.array([x, y, radius]), radius) if radius > 0 else None


def _solve(design: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64] | None:
    try:
        solution = np.linalg.solve(design.T @ design, design.T @ right)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(solution) if np.isfinite(solution).all() else None


def _sphere(points: NDArray[np.float64], center: NDArray[np.float64], radius: float) -> Sphere:
    rms = float(np.sqrt(np.mean((np.linalg.norm(points - center, axis=1) - radius) ** 2)))
    x, y, z = center.tolist()
    return Sphere((x, y, z), radius, rms)
