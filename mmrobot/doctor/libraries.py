"""The libraries that see, render and infer: each does its work once, and what a GPU brings."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from mmrobot.doctor.findings import SETUP_FIX, Fault, probe
from mmrobot.errors import ModelUnavailableError
from mmrobot.vlm.engines.cache import cache_folder
from mmrobot.vlm.sums import check_sums

MODEL_TIMEOUT_S = 180.0
WEIGHTS = Path(__file__).resolve().parents[1] / "vlm" / "models" / "nano" / "weights"


def check_mujoco() -> str:
    return probe("import mujoco; print(mujoco.__version__)", SETUP_FIX)


def check_rendering() -> str:
    """A lit box on a dark ground must show as bright and dark."""
    return probe(
        "import os; os.environ.setdefault('MUJOCO_GL', 'egl')\n"
        "import time, mujoco\n"
        'xml = \'<mujoco><visual><quality shadowsize="512" offsamples="0"/></visual><worldbody>'
        '<light pos="0 0 3"/><geom type="box" size=".3 .3 .3" rgba="1 1 1 1"/>'
        '<camera name="c" pos="0 0 2"/></worldbody></mujoco>\'\n'
        "model = mujoco.MjModel.from_xml_string(xml); data = mujoco.MjData(model)\n"
        "mujoco.mj_forward(model, data)\n"
        "renderer = mujoco.Renderer(model, 480, 640)\n"
        "renderer.update_scene(data, camera='c'); picture = renderer.render()\n"
        "assert picture.max() > 60 and picture.min() < 20, 'the picture is empty'\n"
        "start = time.monotonic()\n"
        "[renderer.render() for _ in range(10)]\n"
        "rate = 10 / (time.monotonic() - start)\n"
        "print(os.environ['MUJOCO_GL'] + f', {rate:.0f} pictures of 640x480 a second')",
        "run: sudo apt-get install libegl1 libegl-mesa0 libgl1-mesa-dri; "
        "in a container without a GPU keep MUJOCO_GL=egl",
    )


def check_opencv() -> str:
    return probe(
        "import cv2, numpy as np\n"
        "ok, data = cv2.imencode('.png', np.full((4, 5, 3), 7, np.uint8))\n"
        "assert (cv2.imdecode(data, cv2.IMREAD_COLOR) == 7).all(), 'a PNG does not survive'\n"
        "print(cv2.__version__)",
        f"{SETUP_FIX}; keep one of opencv-python and opencv-python-headless, never both",
    )


def check_torch() -> str:
    return probe(
        "import torch\n"
        "assert torch.ones(3, 4).matmul(torch.ones(4, 2)).eq(4).all(), 'wrong product'\n"
        "cuda = torch.cuda.is_available()\n"
        "print(torch.__version__, '-', torch.cuda.get_device_name(0) if cuda else 'CPU only')",
        SETUP_FIX,
    )


def check_onnxruntime() -> str:
    """It multiplies, and says on what it can."""
    return probe(
        "import numpy as np, onnx, onnxruntime as ort\n"
        "from onnx import TensorProto as T, helper as h\n"
        "ends = [h.make_tensor_value_info(n, T.FLOAT, [2]) for n in 'xy']\n"
        "graph = h.make_graph([h.make_node('Add', ['x', 'x'], ['y'])], 'g', ends[:1], ends[1:])\n"
        "model = h.make_model(graph, opset_imports=[h.make_opsetid('', 17)], ir_version=8)\n"
        "session = ort.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])\n"
        "answer = session.run(None, {'x': np.array([1, 2], np.float32)})[0].tolist()\n"
        "assert answer == [2, 4], f'1 + 1, 2 + 2 = {answer}'\n"
        "print(ort.__version__, 'on', ', '.join(p.removesuffix('ExecutionProvider')"
        " for p in ort.get_available_providers()))",
        f"{SETUP_FIX}; on a Jetson take NVIDIA's wheel of onnxruntime-gpu",
    )


def check_gpu() -> str:
    """The driver, and whether torch can use it: a CPU build beside a GPU wastes it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "no NVIDIA driver (optional: the model runs on the CPU)"
    try:
        said = subprocess.run(
            [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Fault(
            f"{program} does not answer: {error}", "start the machine anew; see: dmesg | grep -i nvrm"
        ) from None
    words = said.stdout.strip() or said.stderr.strip()
    if said.returncode != 0:
        raise Fault(
            f"nvidia-smi: {words.splitlines()[0] if words else 'no words'}",
            "driver and kernel module differ after an update: start the machine anew, or install the driver",
        )
    usable = probe("import torch; print(torch.cuda.is_available())", SETUP_FIX)
    if usable != "True":
        raise Fault(
            f"{words.splitlines()[0]}, but this build of torch cannot use it",
            "install torch's CUDA build (docs/install.md), or set model.device: cpu",
        )
    return words.splitlines()[0]


def check_tensorrt() -> str:
    """Bindings and libraries must both be there, and of one version."""
    try:
        return probe(
            "from mmrobot.vlm.engines.trt_api import load_tensorrt, version_of, check_version\n"
            "trt = load_tensorrt(); check_version(trt); print('.'.join(map(str, version_of(trt))))",
            "see docs/tensorrt.md",
        )
    except Fault as fault:
        if shutil.which("nvidia-smi") is None:
            return "not installed (optional: NVIDIA GPUs only)"
        return f"not usable (optional): {fault.detail}; see docs/tensorrt.md"


def check_engine_cache() -> str:
    """Engines that were left half written, or that others may change, are no use."""
    folder = cache_folder() / "tensorrt"
    if not folder.is_dir():
        return f"none built yet, they will go to {folder}"
    engines = sorted(folder.glob("*.engine"))
    half = [e.name for e in engines if not e.with_suffix(".json").is_file()]
    if half:
        raise Fault(
            f"{len(half)} engines are half written, such as {half[0]}",
            f"remove them: rm {folder / half[0]}; then: mmrobot engine",
        )
    loose = [e.name for e in engines if e.stat().st_mode & 0o022]
    if loose:
        raise Fault(
            f"other users may change {loose[0]}, and engines are executed", f"run: chmod go-w {folder}/*"
        )
    size_mb = sum(e.stat().st_size for e in engines) / 1e6
    return f"{len(engines)} engines, {size_mb:.0f} MB in {folder}"


def check_model_files() -> str:
    """The shipped weights are those that were released: no other file, no changed byte."""
    try:
        count = check_sums(WEIGHTS)
    except ModelUnavailableError as error:
        fix = f"git checkout {WEIGHTS}; after a training of your own: python -m mmrobot.vlm.sums {WEIGHTS}"
        raise Fault(error.message, fix) from None
    return f"{count} files of {WEIGHTS.parent.name} have the SHA-256 that was released"


def check_model() -> str:
    """The configured model loads and looks at a picture; on which rung of its ladder, and why not another."""
    return probe(
        "import time, numpy as np\n"
        "from mmrobot.config import default_config_file, load_config\n"
        "from mmrobot.vlm.registry import load_model\n"
        "start = time.monotonic(); model = load_model(config=load_config(default_config_file()))\n"
        "loaded = time.monotonic()\n"
        "model.ground(np.full((480, 640, 3), 128, np.uint8), 'red cube')\n"
        "looked = time.monotonic()\n"
        "print(f'loads in {loaded - start:.1f} s, looks in {looked - loaded:.2f} s: {model.standing.words}')",
        "the weights are part of the package: run git status, then make setup; "
        "or train them anew: make train",
        MODEL_TIMEOUT_S,
    )
