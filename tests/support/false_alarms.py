"""How often the rules about words refuse what people ask for on the table: the project's own sentences.

python -m tests.support.false_alarms 12000
"""

from __future__ import annotations

import random
import sys

from mmrobot.safety.hazards import find_hazard
from mmrobot.tabletop.language import make_command, random_things


def false_alarms(count: int, seed: int = 5) -> tuple[int, list[str]]:
    """How many of `count` random sentences ask for something, and those of them that a rule refuses."""
    rng, asked, refused = random.Random(seed), 0, []
    for _ in range(count):
        command = make_command(rng, random_things(rng), split=rng.choice(["train", "heldout"]), mixed=True)
        if command is not None and command.steps:
            asked += 1
            refused += [command.text] if find_hazard(command.text) else []
    return asked, refused


if __name__ == "__main__":
    total, bad = false_alarms(int(sys.argv[1]) if len(sys.argv) > 1 else 12_000)
    print("\n".join(bad))
    print(f"{len(bad)} of {total} benign sentences refused by the rules")
