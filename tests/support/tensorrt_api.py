"""The true interface of TensorRT's Python bindings: 11.4 read from the installed wheel, 10.3 as recorded.

The wheel `tensorrt_cu13_bindings` imports once three libraries exist; stubs of nine functions, compiled
here, suffice. `tensorrt_10_3.json` was written by `describe_tensorrt.py` from the wheel
`tensorrt_cu12_bindings==10.3.0` (the classes that mmrobot uses), since two versions of one module do not fit
in one environment.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

SUPPORT = Path(__file__).parent
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")


@functools.cache
def stub_folder(major: int = 11) -> Path:
    """A folder with the three libraries as stubs."""
    folder = Path(tempfile.mkdtemp(prefix="tensorrt-stubs-"))
    for name in LIBRARIES:
        file = f"lib{name}.so.{major}"
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-w", f"-Wl,-soname,{file}", "-o", str(folder / file)]
            + [str(SUPPORT / "tensorrt_stubs.c")],
            check=True,
            timeout=60,
        )
    return folder


def run_with_bindings(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process where the true bindings can be imported."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(stub_folder()), "PYTHONPATH": str(SUPPORT.parents[1])}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )


@functools.cache
def bindings_11() -> dict[str, Any]:
    """The interface of the installed bindings."""
    script = (SUPPORT / "describe_tensorrt.py").read_text(encoding="utf-8")
    result = run_with_bindings(script)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


@functools.cache
def bindings_10() -> dict[str, Any]:
    """The interface of TensorRT 10.3, as recorded."""
    return dict(json.loads((SUPPORT / "tensorrt_10_3.json").read_text(encoding="utf-8")))
