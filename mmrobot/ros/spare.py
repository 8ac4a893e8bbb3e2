"""A node's process that is ready to take a dead one's place: its libraries are loaded, ROS is not begun.

    python -m mmrobot.ros.spare mmrobot.vlm.families.nano_parts mmrobot.ros.vlm_node --ros-args ...

Imports the first module, waits for the line "go" on standard input, then runs the second as its own
program. It ends when its input does. Importing the model's libraries takes most of a vlm node's start
(on two cores some 10 to 20 s); a spare of it costs their memory once more.
"""

from __future__ import annotations

import importlib
import runpy
import sys

GO = "go"


def main(argv: list[str]) -> int:
    """Exit status 0 where it was never needed; else that of the node."""
    heavy, module, *arguments = argv
    importlib.import_module(heavy)
    if sys.stdin.readline().strip() != GO:
        return 0
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
