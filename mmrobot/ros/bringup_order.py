"""Which lifecycle transition is due next: all are configured at once, and activated in their order.

A node is brought up once in each of its lives, and then left alone: whoever deactivates it by hand finds
it so. One that failed is tried again when it starts anew, or when it is told to be worth it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

UNCONFIGURED, INACTIVE, ACTIVE = "unconfigured", "inactive", "active"
CONFIGURE, ACTIVATE = "configure", "activate"
# A request of which the state shows nothing for so long was lost: its node died, or had not connected.
LOST_S = 2.0


@dataclass
class _Charge:
    """One node, as far as it is known."""

    life: str = ""
    settled: bool = False
    failed: bool = False
    asked: str = ""
    """State that it was in when the transition under way was asked for; "" when none is."""
    asked_s: float = 0.0
    refused: bool = False


class BringupOrder:
    """Feed `next` with what is known some times a second; it gives the requests to send."""

    def __init__(self, names: Sequence[str]) -> None:
        self._charges = {name: _Charge() for name in names}

    def next(self, states: Mapping[str, str | None], lives: Mapping[str, str]) -> list[tuple[str, str]]:
        """(node, transition) to ask for now. `states` None: not known; `lives` as heartbeats tell them."""
        requests: list[tuple[str, str]] = []
        earlier_up = True
        for name, charge in self._charges.items():
            state = states.get(name)
            self._notice_life(charge, lives.get(name, ""), state)
            if not charge.settled and state == ACTIVE:
                charge.settled, charge.asked = True, ""
            due = self._due(charge, state, earlier_up)
            if due:
                charge.asked, charge.asked_s, charge.refused = str(state), time.monotonic(), False
                requests.append((name, due))
            earlier_up = earlier_up and charge.settled
        return requests

    def answered(self, name: str, success: bool) -> None:
        """The node answered to the last request. States given to `next` from now on are later ones."""
        charge = self._charges[name]
        charge.asked_s, charge.refused = time.monotonic(), not success

    def failed(self) -> list[str]:
        """Nodes that could not follow a request: it is not repeated."""
        return [name for name, charge in self._charges.items() if charge.failed]

    def try_again(self, name: str) -> bool:
        """Something has changed about a node: one that failed is worth another try. Whether it had."""
        charge = self._charges[name]
        failed = charge.failed
        if failed:
            charge.settled = charge.failed = charge.refused = False
            charge.asked = ""
        return failed

    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return all(charge.settled for charge in self._charges.values())

    def _notice_life(self, charge: _Charge, life: str, state: str | None) -> None:
        reborn = bool(charge.life and life and life != charge.life)
        # Where none of its beats was heard until now, what is not active is another one than that which was
        # brought up: a manager that is itself new may hear the successor's beats first.
        first = not charge.life and state != ACTIVE if life else state == UNCONFIGURED
        unheard = first and charge.settled and not charge.failed
        if reborn or unheard:
            charge.settled = charge.failed = charge.refused = False
            charge.asked = ""
        charge.life = life or charge.life

    def _due(self, charge: _Charge, state: str | None, earlier_up: bool) -> str:
        if charge.settled:
            return ""
        if charge.asked and state in (UNCONFIGURED, INACTIVE):
            if state != charge.asked:
                charge.asked = ""
            elif charge.refused:
                charge.settled = charge.failed = True
                return ""
            elif time.monotonic() - charge.asked_s < LOST_S:
                return ""
        if state == UNCONFIGURED:
            return CONFIGURE
        return ACTIVATE if state == INACTIVE and earlier_up else ""
