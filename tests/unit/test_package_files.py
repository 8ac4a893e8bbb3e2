"""The package's own files agree with each other."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EMAIL = re.compile(r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$")


def setup_arguments() -> dict[str, object]:
    """What setup.py hands to setuptools, read in a process of its own."""
    code = (
        "import json, setuptools\n"
        "setuptools.setup = lambda **arguments: print(json.dumps(arguments))\n"
        "exec(compile(open('setup.py').read(), 'setup.py', 'exec'), {'__file__': 'setup.py'})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True, timeout=60
    )
    arguments = json.loads(result.stdout)
    assert isinstance(arguments, dict)
    return arguments


@pytest.fixture(scope="module")
def arguments() -> dict:
    return setup_arguments()


@pytest.mark.parametrize("path", ["package.xml", "mmrobot_msgs/package.xml", "compat/tf2_msgs/package.xml"])
def test_manifest_is_well_formed(path: str) -> None:
    package = ET.parse(ROOT / path).getroot()
    assert package.get("format") == "3"
    assert [child.tag for child in package[:5]] == ["name", "version", "description", "maintainer", "license"]
    maintainer = package.find("maintainer")
    assert maintainer is not None and EMAIL.match(maintainer.get("email", ""))
    assert package.findtext("license") == "Apache-2.0"
    names = [child.text for child in package if child.tag == "exec_depend"]
    assert len(names) == len(set(names))


def test_versions_agree(arguments: dict) -> None:
    versions = {
        ET.parse(ROOT / p).getroot().findtext("version") for p in ("package.xml", "mmrobot_msgs/package.xml")
    }
    assert versions == {arguments["version"]}
    assert f"## {arguments['version']}" in (ROOT / "CHANGELOG.md").read_text()


def test_every_ros_import_is_a_declared_dependency() -> None:
    declared = {
        child.text for child in ET.parse(ROOT / "package.xml").getroot() if child.tag.endswith("depend")
    }
    text = "\n".join(
        path.read_text() for path in [*(ROOT / "mmrobot/ros").rglob("*.py"), *(ROOT / "launch").glob("*.py")]
    )
    used = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.MULTILINE))
    ros = {
        n
        for n in used
        if n.endswith(("_msgs", "_srvs", "_interfaces")) or n in ("rclpy", "launch", "launch_ros")
    }
    assert ros <= declared, f"package.xml lacks {sorted(ros - declared)}"


def test_shared_files_are_installed_with_their_nesting(arguments: dict) -> None:
    installed = {
        f"{place}/{Path(file).name}": file for place, files in arguments["data_files"] for file in files
    }
    for folder in ("launch", "config", "sim"):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                relative = path.relative_to(ROOT).as_posix()
                assert installed.get(f"share/mmrobot/{relative}") == relative
    assert "share/ament_index/resource_index/packages/mmrobot" in installed
    assert "share/mmrobot/package.xml" in installed


def test_every_package_folder_is_installed(arguments: dict) -> None:
    folders = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for path in (ROOT / "mmrobot").rglob("*.py")
    }
    assert folders <= set(arguments["packages"]), "a folder with code has no __init__.py"


def test_every_data_file_of_the_package_is_installed(arguments: dict) -> None:
    endings = {pattern.rpartition(".")[2] for pattern in arguments["package_data"]["mmrobot"]}
    others = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mmrobot").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and path.suffix.lstrip(".") not in endings
    }
    assert not others, f"setup.py installs no such files: {sorted(others)}"


def test_executables_exist(arguments: dict) -> None:
    for entry in arguments["entry_points"]["console_scripts"]:
        module, function = entry.partition(" = ")[2].split(":")
        place = ROOT / module.replace(".", "/")
        path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        assert path.is_file(), f"{entry}: no {path.name}"
        defined = rf"^def {function}\b|^{function} = |^from .* import .*\b{function}\b"
        assert re.search(defined, path.read_text(), re.MULTILINE), entry


def test_every_node_is_an_executable(arguments: dict) -> None:
    nodes = {path.stem for path in (ROOT / "mmrobot/ros").glob("*_node.py")}
    commands = {entry.partition(" = ")[0] for entry in arguments["entry_points"]["console_scripts"]}
    assert nodes == commands - {"mmrobot"}


def test_every_requirement_is_pinned_once() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.!]+", line) for line in lines), "a local version or a loose pin"
    pins = [line.partition("==")[0] for line in lines]
    assert len(pins) == len(set(pins))
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith("#"):
                assert re.fullmatch(r"[a-z0-9-]+(\[\w+\])?", line), f"{name}: '{line}' is more than a name"
                assert line.partition("[")[0] in pins, f"constraints.txt lacks {line}"


def test_every_imported_library_is_required() -> None:
    # What is used where it is there, and not needed.
    optional = {"launch", "launch_ros", "tensorrt", "tensorrt_bindings", "onnxruntime", "onnx"}
    optional |= {"faster_whisper", "sherpa_onnx"}
    ours = {"mmrobot", "tests", "run_command", "debian_packages", "setup_environment"}
    providers = packages_distributions()
    for requirements, folders in (
        ("requirements.txt", ["mmrobot"]),
        ("requirements-dev.txt", ["tests", "scripts"]),
    ):
        named = {line.partition("[")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
        named |= {line.partition("[")[0] for line in (ROOT / requirements).read_text().splitlines()}
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
        used = {name for path in paths for name in top_level_imports(path)}
        for name in sorted(used - optional - ours - sys.stdlib_module_names):
            if name == "rclpy" or name.endswith(("_msgs", "_srvs", "_interfaces", "_index_python")):
                continue  # declared in package.xml
            packages = {package.lower().replace("_", "-") for package in providers.get(name, [])}
            assert packages & named, f"{name} ({packages or 'not installed'}) is not in {requirements}"


def top_level_imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_executables_of_the_pip_path_are_those_of_setup_py(arguments: dict) -> None:
    text = (ROOT / "scripts/setup_environment.py").read_text()
    for entry in arguments["entry_points"]["console_scripts"]:
        assert f'"{entry.partition(" = ")[0]}"' in text


@pytest.mark.parametrize("target", ["help", "setup", "demo", "test", "lint", "clean", "train", "eval"])
def test_make_knows(target: str) -> None:
    result = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True)
    assert re.search(rf"make {target}\b", result.stdout)


def test_make_without_a_python_tells_the_fix() -> None:
    result = subprocess.run(
        ["make", "setup", "PYTHON="], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert result.returncode != 0
    assert "fix:" in result.stderr and "PYTHON=" in result.stderr


def test_the_tutorials_template_is_the_one_that_is_run() -> None:
    """docs/your_robot.md shows the file that tests/integration/test_other_robots.py runs."""
    file = (ROOT / "examples/my_robot.py").read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(.*?)```", (ROOT / "docs/your_robot.md").read_text(), re.S)
    assert len(shown) == 1
    for block in shown[0].strip().split("\n\n"):
        assert block.strip() in file, block
    code = [line for line in file.splitlines() if line.strip() and not line.strip().startswith(("#", '"""'))]
    assert len(code) <= 38, "the template is to stay short"
    called = {node.attr for node in ast.walk(ast.parse(file)) if isinstance(node, ast.Attribute)}
    assert {"phase", "wait"} <= called


@pytest.mark.parametrize("name", ["desktop-cuda", "jetson-jp6", "jetson-jp7"])
def test_dockerfiles_name_files_that_exist_and_say_that_they_were_not_run(name: str) -> None:
    text = (ROOT / "docker" / name / "Dockerfile").read_text(encoding="utf-8")
    assert "NOT RUN so far" in text.split("FROM", 1)[0]
    joined = text.replace("\\\n", " ")
    words = {line.split()[0] for line in joined.splitlines() if line.strip() and line[0] not in "# "}
    assert words <= {"FROM", "ENV", "RUN", "USER", "WORKDIR", "COPY", "ENTRYPOINT", "CMD"}
    assert "USER robot" in text and "ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST" in text
    assert 'ENTRYPOINT [".venv/bin/mmrobot"]' in text
    assert ".venv" in (ROOT / ".dockerignore").read_text().splitlines()


def test_links_in_documents_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"
