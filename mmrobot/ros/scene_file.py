"""A scene from a YAML file: a scene, one episode, or a list of episodes of which the first counts."""

from __future__ import annotations

from pathlib import Path

import yaml

from mmrobot.errors import InvalidSceneError
from mmrobot.tabletop.episode import Episode, load_episodes
from mmrobot.tabletop.scene import Scene


def load_scene(path: str | Path, name: str = "") -> tuple[Scene, Episode | None]:
    """The scene and, when the file holds episodes, the one named `name` (default: the first).

    Raises InvalidSceneError naming file, field, value and fix.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidSceneError(
            f"cannot read scene '{path}': {error.strerror}", "give a readable YAML file, as in sim/scenes/"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidSceneError(
            f"scene '{path}' is not YAML: {' '.join(str(error).split())}", "see sim/scenes/ for the form"
        ) from error
    if isinstance(content, list):
        episodes = load_episodes(path)
        if not episodes:
            raise InvalidSceneError(f"'{path}' holds no episode", "write at least one, as in sim/scenes/")
        chosen = next((e for e in episodes if not name or e.name == name), None)
        if chosen is None:
            raise InvalidSceneError(
                f"'{path}' holds no episode '{name}'", f"choose one of {', '.join(e.name for e in episodes)}"
            )
        return chosen.scene, chosen
    if not isinstance(content, dict):
        raise InvalidSceneError(
            f"scene '{path}' holds {type(content).__name__} {str(content)[:40]!r}, not a mapping",
            "write `seed:` and `objects:`, or a list of episodes",
        )
    return Scene.from_dict(content, str(path)), None
