"""Under which conditions episodes are played beside the whole robot: controls, which take something from it
or put something perfect in its place, and stress, which makes its world harder. All of them, as data.

Names go after `--ablate`; the whole robot in the plain world is the condition "".
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError
from mmrobot.evals import minds, views
from mmrobot.evals.minds import MakeMind
from mmrobot.evals.views import MakeView, each, seed_of
from mmrobot.evals.words import gibberish, shuffled, silence
from mmrobot.simulator.looks import Look, look_of_seed
from mmrobot.simulator.noise import NoiseModel
from mmrobot.tabletop.episode import Episode
from mmrobot.tabletop.levels import add_distractors
from mmrobot.tabletop.objects import DISTRACTORS


@dataclass(frozen=True)
class Condition:
    """What is otherwise than with the whole robot. `says` goes into reports; `axis` groups rows of stress.

    `words` changes what is heard, `view` what is seen, `mind` the model, `scene` what stands on the table,
    `look` light and camera, `noise` the camera's errors, `config` settings; with `true_lift` places are
    true, without `relook` no second look is taken before contact, pictures are `delay_s` old.
    """

    name: str
    says: str
    axis: str = ""
    words: Callable[[str], str] | None = None
    view: MakeView | None = None
    mind: MakeMind | None = None
    scene: Callable[[Episode], Episode] | None = None
    look: Callable[[Look, Episode], Look] | None = None
    noise: NoiseModel | None = None
    config: Callable[[Config], Config] | None = None
    true_lift: bool = False
    relook: bool = True
    delay_s: float = 0.0


def _without_verification(config: Config) -> Config:
    return config.model_copy(update={"runner": config.runner.model_copy(update={"verify_place": False})})


def _distractors(count: int) -> Callable[[Episode], Episode]:
    def change(episode: Episode) -> Episode:
        rng = np.random.default_rng([seed_of(episode), count])
        return replace(episode, scene=add_distractors(rng, episode.scene, count, tuple(DISTRACTORS)))

    return change


def _moved_camera(shift_m: float, turn_rad: float) -> Callable[[Look, Episode], Look]:
    """The camera elsewhere, so far in a random direction and turned so much about a random axis."""

    def change(look: Look, episode: Episode) -> Look:
        shift, axis = np.random.default_rng([seed_of(episode), 0xCA3E]).standard_normal((2, 3))
        x, y, z = (shift_m * shift / np.linalg.norm(shift)).tolist()
        a, b, c = (turn_rad * axis / np.linalg.norm(axis)).tolist()
        return replace(look, camera_shift_m=(x, y, z), camera_turn_rad=(a, b, c))

    return change


def _light(**values: float | bool | tuple[float, float, float]) -> Callable[[Look, Episode], Look]:
    return lambda look, episode: replace(look, **values)  # type: ignore[arg-type]


CONTROLS = (
    Condition("blind", "sees a grey picture", view=each(views.grey)),
    Condition("other_picture", "sees another scene's picture", view=views.another_scene),
    Condition("text", "hears gibberish", words=gibberish),
    Condition("blank", "hears nothing", words=silence),
    Condition("shuffled", "hears its words in another order", words=shuffled),
    Condition("random_object", "takes any object for what is named", mind=minds.AnyObject),
    Condition("always_act", "never asks nor refuses, takes the best guess", mind=minds.AlwaysActs),
    Condition("always_ask", "always asks back", mind=minds.AlwaysAsks),
    Condition("true_sight", "true sight, its own language", mind=minds.true_sight, true_lift=True),
    Condition("true_plan", "its own sight, the right plan", mind=minds.TruePlan),
    Condition("both_true", "true sight, the right plan: the arm's ceiling (nothing left out)",
              mind=minds.all_knowing, true_lift=True),
    Condition("no_relook", "takes no second look before contact", relook=False),
    Condition("no_verify", "does not look at what it placed", config=_without_verification),
    Condition("half_size", "half as many pixels each way", view=each(views.half_size)),
)  # fmt: skip

STRESS = (
    Condition("camera_near", "moved 4 cm, turned 3 degrees", "camera", look=_moved_camera(0.04, 0.05)),
    Condition("camera_far", "moved 8 cm, turned 6 degrees", "camera", look=_moved_camera(0.08, 0.10)),
    Condition("dim", "dim", "light", look=_light(sun=0.35, fill=0.5, ambient=0.55)),
    Condition("bright", "glaring", "light", look=_light(sun=1.7, fill=2.2, ambient=1.5)),
    Condition("warm", "lamplight, hard shadows", "light",
              look=_light(tint=(1.16, 1.0, 0.80), fill=0.0, sun_lean_rad=0.5)),
    Condition("grain_8", "grain of 8 of 255", "picture noise", noise=NoiseModel(color_sigma=8.0)),
    Condition("grain_20", "grain of 20 of 255", "picture noise", noise=NoiseModel(color_sigma=20.0)),
    Condition("distractors_5", "5 things without a name", "distractors", scene=_distractors(5)),
    Condition("distractors_10", "10 things without a name", "distractors", scene=_distractors(10)),
    Condition("distractors_15", "15 things without a name, as room allows", "distractors",
              scene=_distractors(15)),
    Condition("hidden_20", "20 % of the target", "occlusion", view=views.hidden(0.2)),
    Condition("hidden_40", "40 % of the target", "occlusion", view=views.hidden(0.4)),
    Condition("hidden_60", "60 % of the target", "occlusion", view=views.hidden(0.6)),
    Condition("depth_noise", "4 times the noise", "depth", noise=NoiseModel(depth_sigma_m=0.006)),
    Condition("depth_holes", "holes, 5 % speckle", "depth", view=views.holes_in_depth,
              noise=NoiseModel(speckle=0.05)),
    Condition("depth", "off: places from outlines", "depth", view=each(views.without_depth)),
    Condition("no_rgb", "off: must ask or stop", "colour", view=each(views.black)),
    Condition("old_100", "100 ms", "age of pictures", delay_s=0.1),
    Condition("old_250", "250 ms", "age of pictures", delay_s=0.25),
    Condition("old_500", "500 ms", "age of pictures", delay_s=0.5),
    Condition("print", "a sentence on the table", "text in the scene", view=views.printed_table),
)  # fmt: skip

MUST_STOP = ("no_rgb",)
"""Stress under which success is not asked for: the robot must ask or stop."""

CONDITIONS: dict[str, Condition] = {c.name: c for c in (Condition("", "the whole robot"), *CONTROLS, *STRESS)}


def check_conditions(names: Iterable[str]) -> None:
    """Raises InvalidConfigError for one that is unknown."""
    for name in names:
        if name not in CONDITIONS:
            known = [n for n in CONDITIONS if n]
            near = difflib.get_close_matches(name, known, 1, 0.5)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise InvalidConfigError(f"--ablate '{name}' is unknown", f"{meant}known: {', '.join(known)}")


def staged(episode: Episode, condition: Condition) -> Episode:
    """The episode as it is played under a condition."""
    return episode if condition.scene is None else condition.scene(episode)


def look_of(episode: Episode, condition: Condition) -> Look:
    """How its scene is lit and seen under a condition."""
    look = look_of_seed(episode.scene.seed)
    return look if condition.look is None else condition.look(look, episode)
