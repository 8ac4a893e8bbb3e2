"""Small things done to XML elements of SDF."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmrobot.errors import UnsupportedSdfError


def parse(text: str) -> ET.Element:
    """SDF text; raises UnsupportedSdfError when it is no XML."""
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        raise UnsupportedSdfError(f"SDF text is no XML: {error}", "mend the file") from error


def child(element: ET.Element, tag: str) -> ET.Element:
    """The first child of that tag; raises UnsupportedSdfError when there is none."""
    found = element.find(tag)
    if found is None:
        raise UnsupportedSdfError(f"<{element.tag}> has no <{tag}>", f"add a <{tag}>")
    return found


def named(parent: ET.Element, tag: str, name: str) -> ET.Element:
    """The child of that tag and name; raises UnsupportedSdfError when there is none."""
    for element in parent.findall(tag):
        if element.get("name") == name:
            return element
    raise UnsupportedSdfError(f"<{parent.tag}> has no <{tag} name='{name}'>", f"add a <{tag}> of that name")


def set_text(parent: ET.Element, tag: str, text: str) -> None:
    """The child's text, the child made where there was none."""
    element = parent.find(tag)
    if element is None:
        element = ET.SubElement(parent, tag)
    element.text = text


def numbers(values: Iterable[float]) -> str:
    """As SDF writes them; rounding noise becomes 0."""
    return " ".join(f"{round(float(v), 9) + 0.0:.9g}" for v in values)


def read_pose(text: str | None) -> NDArray[np.float64]:
    """`x y z roll pitch yaw` as (4, 4); nothing is the identity."""
    pose = np.eye(4)
    if text:
        values = [float(v) for v in text.split()]
        pose[:3, 3] = values[:3]
        pose[:3, :3] = Rotation.from_euler("xyz", values[3:]).as_matrix()
    return pose


def write_pose(pose: NDArray[np.float64]) -> str:
    """(4, 4) as `x y z roll pitch yaw`."""
    return numbers([*pose[:3, 3], *Rotation.from_matrix(pose[:3, :3]).as_euler("xyz")])
