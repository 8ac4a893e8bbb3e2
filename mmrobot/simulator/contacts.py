"""Who touches whom, and what the hand holds: read from MuJoCo's contacts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import mujoco
import numpy as np


@dataclass(frozen=True)
class Contact:
    """Two bodies that touch, by name in order, with the normal forces between them summed, in newtons."""

    first: str
    second: str
    force_n: float


class ContactReader:
    """Reads the contacts of one model. Bodies go by their name in MuJoCo: an object's is its id."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self._model, self._data = model, data
        self._names = [model.body(i).name for i in range(model.nbody)]

    def pairs(self) -> tuple[Contact, ...]:
        """All touching pairs, sorted by names."""
        forces: dict[tuple[str, str], float] = {}
        wrench = np.zeros(6)
        for i in range(self._data.ncon):
            contact = self._data.contact[i]
            if contact.efc_address < 0:
                continue
            bodies = self._model.geom_bodyid[contact.geom]
            first, second = sorted((self._names[bodies[0]], self._names[bodies[1]]))
            mujoco.mj_contactForce(self._model, self._data, i, wrench)
            forces[first, second] = forces.get((first, second), 0.0) + float(wrench[0])
        return tuple(Contact(*pair, force) for pair, force in sorted(forces.items()))

    def held(self, objects: Collection[str], fingers: Collection[str], hand: Collection[str]) -> str | None:
        """The object that every finger touches and nothing outside of the hand does."""
        touching: dict[str, set[str]] = {}
        for contact in self.pairs():
            touching.setdefault(contact.first, set()).add(contact.second)
            touching.setdefault(contact.second, set()).add(contact.first)
        for name in objects:
            others = touching.get(name, set())
            if others >= set(fingers) and others <= set(hand):
                return name
        return None
