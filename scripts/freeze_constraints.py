"""Write constraints.txt from what is installed in the environment that runs this.

    .venv/bin/python scripts/freeze_constraints.py

Local versions (torch's +cpu) are cut off, so that each machine gets the build that it can use.
"""

from importlib.metadata import distributions
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "constraints.txt"
HEADER = """\
# Every version, pinned. Written by scripts/freeze_constraints.py from a tested environment.
"""
# pip itself is the installer's own; the .egg-info of the ROS wheels' contents are no packages of an index.
LEFT_OUT = {"mmrobot", "pip"}


def pinned() -> list[str]:
    """`name==version` of each package that pip installed, in order of name."""
    versions = {}
    for distribution in distributions():
        name = distribution.metadata["Name"].lower().replace("_", "-").replace(".", "-")
        if distribution.read_text("WHEEL") is not None and name not in LEFT_OUT:
            versions[name] = distribution.version.split("+")[0]
    return [f"{name}=={versions[name]}" for name in sorted(versions)]


if __name__ == "__main__":
    lines = pinned()
    TARGET.write_text(HEADER + "\n".join(lines) + "\n")
    print(f"{TARGET.name}: {len(lines)} packages pinned")
