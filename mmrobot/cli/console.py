"""`mmrobot console`: the browser's page, joined to a running graph."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from mmrobot.config import default_config_file, load_config
from mmrobot.ros.graph import NodeSpec


def run_console(config: Path | None, namespace: str) -> int:
    """Serve the page until Ctrl-C; its address, with its secret, is printed."""
    load_config(config or default_config_file())
    node = NodeSpec("console", "mmrobot.ros.console_node", {"config": str(config or "")}, namespace)
    try:
        return subprocess.run([sys.executable, "-m", node.module, *node.arguments()], check=False).returncode
    except KeyboardInterrupt:
        return 0
