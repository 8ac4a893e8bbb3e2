"""An emergency stop that stays: a file that exists while it is latched, so that no new start forgets it.

In doubt it is latched: what cannot be read counts, and what cannot be removed stays.
"""

from __future__ import annotations

import os
from pathlib import Path

from mmrobot.errors import StoppedError

HOW_TO_RESET = "see that nothing can be harmed, then: mmrobot estop --reset"


def latch_file(name: str) -> Path:
    """Where the latch of that name is kept: in the person's own data folder."""
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(data) / "mmrobot" / "emergency_stop" / name


class EmergencyLatch:
    """`reason` is why it is latched, "" while it is not. Read it from any thread; change it from one."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.reason = self._kept()

    def check(self) -> None:
        """Raises StoppedError while it is latched."""
        if self.reason:
            raise StoppedError(f"the emergency stop is latched: {self.reason}", HOW_TO_RESET)

    def latch(self, reason: str) -> None:
        """Latched from now on; `keep` it once the robot was told to stop."""
        self.reason = reason

    def keep(self) -> None:
        """Over a new start, from now on. Raises OSError where that cannot be done."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("w", encoding="utf-8") as file:  # from here on it exists, on a full disk too
            file.write(self.reason)
            file.flush()
            os.fsync(file.fileno())
        self._keep_folder()

    def reset(self) -> None:
        """Free from now on. Raises OSError, and stays latched, where the file cannot be removed."""
        self._file.unlink(missing_ok=True)
        self._keep_folder()
        self.reason = ""

    def _kept(self) -> str:
        try:
            return self._file.read_text(encoding="utf-8") or "by whom is not known"
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            return f"{self._file} cannot be read ({error})"

    def _keep_folder(self) -> None:
        """That the file is there, or not, must itself reach the disk."""
        if not self._file.parent.is_dir():
            return
        folder = os.open(self._file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
