"""How a process that publishes pictures is to be started, so that they arrive: variables for Fast DDS.

Messages on one machine pass through shared memory of the sender, by default 0.5 MB. What is larger overruns
it, and of 12 MP pictures most are lost; config/fastdds_pictures.xml makes it 80 MB. How many arrive with
both: scripts/bench_picture_transport.py, docs/LOG.md.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

PROFILES = "FASTRTPS_DEFAULT_PROFILES_FILE"
CHOSEN = (PROFILES, "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
"""Who sets one of these has chosen how to send."""
SEGMENT_BYTES = 83_886_080
"""Of the file; a test holds them together."""
ROOM = 4
"""A full /dev/shm ends programs with a bus error: so many segments must be free."""


def picture_environment(
    config_folder: Path, variables: Mapping[str, str] = os.environ, memory: Path = Path("/dev/shm")
) -> dict[str, str]:
    """Variables for such a process; none where the user has chosen, with another middleware, without room."""
    if any(variables.get(name) for name in CHOSEN):
        return {}
    if "fastrtps" not in (variables.get("RMW_IMPLEMENTATION") or "rmw_fastrtps_cpp"):
        return {}
    if not memory.is_dir() or shutil.disk_usage(memory).free < ROOM * SEGMENT_BYTES:
        return {}
    return {PROFILES: str(config_folder / "fastdds_pictures.xml")}
