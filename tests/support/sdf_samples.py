"""SDF text for tests: a smallest arm with two joints and two fingers, and models around a given inside."""

from __future__ import annotations

INERTIAL = (
    "<inertial><mass>1</mass><inertia><ixx>0.01</ixx><iyy>0.01</iyy><izz>0.01</izz></inertia></inertial>"
)
BOX = "<geometry><box><size>0.1 0.1 0.1</size></box></geometry>"


def model(inside: str, name: str = "thing") -> str:
    """A model element around its inside."""
    return f"<sdf version='1.10'><model name='{name}'>{inside}</model></sdf>"


def link(inside: str = "", name: str = "body") -> str:
    """A link with mass."""
    return f"<link name='{name}'>{INERTIAL}{inside}</link>"


def world(inside: str) -> str:
    """A world element around its inside."""
    return f"<sdf version='1.10'><world name='w'>{inside}</world></sdf>"
