"""SHA-256 of a model's files, beside them, in the form of `sha256sum`: what was released is what is loaded.

python -m mmrobot.vlm.sums FOLDER    # after a training of your own
"""

from __future__ import annotations

import sys
from pathlib import Path

from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import file_digest

SUMS = "sha256sums.txt"
_SUMMED = ("*.safetensors", "*config.json")


def write_sums(folder: Path) -> Path:
    """Writes the sums of a folder's weights and settings; the file's path."""
    files = sorted(p for pattern in _SUMMED for p in folder.glob(pattern))
    path = folder / SUMS
    path.write_text("".join(f"{file_digest(p)}  {p.name}\n" for p in files), encoding="utf-8")
    return path


def check_sums(folder: Path) -> int:
    """How many files are as released. Raises ModelUnavailableError naming the first that is not."""
    sums = folder / SUMS
    if not sums.is_file():
        raise ModelUnavailableError(f"no {SUMS} in {folder.name}", "restore it: git checkout")
    lines = [line.partition("  ") for line in sums.read_text(encoding="utf-8").splitlines() if line.strip()]
    for digest, _, name in lines:
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise ModelUnavailableError(f"{name} is missing", "restore the weights: git checkout")
        found = file_digest(path)
        if found != digest:
            raise ModelUnavailableError(
                f"{name} has SHA-256 {found[:12]}..., released was {digest[:12]}...",
                "restore the weights: git checkout; or train anew",
            )
    return len(lines)


if __name__ == "__main__":
    print(write_sums(Path(sys.argv[1])))
