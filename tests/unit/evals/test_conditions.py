"""Controls and stress: each takes or changes what it says, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError, OperationUnsupportedError
from mmrobot.evals import minds, views
from mmrobot.evals.bumps import BumpWatch
from mmrobot.evals.conditions import CONDITIONS, CONTROLS, STRESS, check_conditions, look_of, staged
from mmrobot.evals.words import gibberish, shuffled, silence
from mmrobot.simulator.contacts import Contact
from mmrobot.tabletop.episode import Episode, Expect
from mmrobot.tabletop.families import generate_episode
from mmrobot.tabletop.goals import initial_world
from mmrobot.tabletop.scene import Scene, SceneObject, check_scene
from mmrobot.types import PlanDraft, ScoredBox
from tests.support.fake_world import frame

EPISODE = generate_episode("put_in", "L0", 500_001)
WORDS = "put the red cube in the bowl"


def test_every_condition_has_its_own_name_and_says_what_it_is():
    assert len(CONDITIONS) == 1 + len(CONTROLS) + len(STRESS)
    assert all(c.says for c in CONDITIONS.values())
    assert all(c.axis for c in STRESS)


def test_an_unknown_condition_is_named_with_the_nearest():
    with pytest.raises(InvalidConfigError, match="'blond' is unknown") as caught:
        check_conditions(["text", "blond"])
    assert "did you mean 'blind'" in caught.value.fix


def test_words():
    deaf = gibberish(WORDS)
    assert len(deaf.split()) == 7
    assert not set(WORDS.split()) & set(deaf.split())
    assert deaf == gibberish(WORDS) != gibberish(WORDS + " please")
    assert sorted(shuffled(WORDS).split()) == sorted(WORDS.split())
    assert shuffled(WORDS) != WORDS
    assert shuffled("stop") == "stop"
    assert shuffled("no no no") == "no no no"
    assert silence(WORDS) == ""


def test_pictures_lose_what_is_taken():
    looked = frame()
    looked.rgb[0, 0] = 7
    assert (views.grey(looked).rgb == views.GREY).all()
    assert views.grey(looked).depth_m is looked.depth_m
    assert not views.black(looked).rgb.any()
    assert views.without_depth(looked).depth_m is None
    assert (looked.rgb[0, 0] == 7).all(), "the frame itself stays as it was"


def test_half_the_pixels_show_the_same_rays():
    small = views.half_size(frame())
    assert small.rgb.shape == (240, 320, 3)
    assert small.depth_m is not None and small.depth_m.shape == (240, 320)
    whole, half = frame().camera, small.camera
    # The pixel in the middle of the first four of the large picture is the first of the small one.
    assert (0.5 - whole.cx) / whole.fx == pytest.approx((0 - half.cx) / half.fx)


def test_holes_take_depth_and_leave_the_rest():
    view = views.holes_in_depth(EPISODE, None)  # type: ignore[arg-type]
    first, second = view(frame()), view(frame())
    assert first.depth_m is not None and second.depth_m is not None
    lost = np.isnan(first.depth_m).mean()
    assert 0.02 < lost < 0.3
    assert not np.array_equal(np.isnan(first.depth_m), np.isnan(second.depth_m)), "elsewhere each time"


class _Masks:
    """A simulator of which only the masks are asked for."""

    def __init__(self, mask):
        self._mask = mask

    def segmentation(self):
        return {EPISODE.expect.goal[0].split("(")[1].split(",")[0]: self._mask}


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_card_hides_the_share_that_it_says(share):
    mask = np.zeros((480, 640), np.bool_)
    mask[100:140, 200:260] = True
    view = views.hidden(share)(EPISODE, _Masks(mask))  # type: ignore[arg-type]
    shown = view(replace(frame(), rgb=np.full((480, 640, 3), 9, np.uint8)))
    hidden = (shown.rgb[..., 0] == views.GREY) & mask
    assert hidden.sum() / mask.sum() == pytest.approx(share, abs=0.03)
    assert shown.depth_m is not None and np.isnan(shown.depth_m[hidden]).all()


def test_more_things_stand_on_the_table_and_the_old_ones_stay():
    for count in (5, 10, 15):
        scene = staged(EPISODE, CONDITIONS[f"distractors_{count}"]).scene
        check_scene(scene)
        assert scene.objects[: len(EPISODE.scene.objects)] == EPISODE.scene.objects
        more = scene.objects[len(EPISODE.scene.objects) :]
        assert 0 < len(more) <= count
        assert not any(o.named for o in more)
    assert staged(EPISODE, CONDITIONS["dim"]) is EPISODE


def test_the_camera_moves_by_what_is_said_and_the_light_stays():
    plain, moved = look_of(EPISODE, CONDITIONS[""]), look_of(EPISODE, CONDITIONS["camera_far"])
    assert np.linalg.norm(moved.camera_shift_m) == pytest.approx(0.08)
    assert np.linalg.norm(moved.camera_turn_rad) == pytest.approx(0.10)
    assert replace(moved, camera_shift_m=plain.camera_shift_m, camera_turn_rad=plain.camera_turn_rad) == plain
    assert look_of(EPISODE, CONDITIONS["dim"]).sun < plain.sun


def test_no_verification_is_a_setting():
    change = CONDITIONS["no_verify"].config
    assert change is not None
    changed = change(Config())
    assert not changed.runner.verify_place
    assert changed.grounding == Config().grounding


class Seeing:
    """Three things; phrases fit none of them surely."""

    name = "seeing"
    operations = frozenset({"ground", "plan", "describe", "answer"})
    boxes = tuple(
        ScoredBox(name, (10.0 * i, 0.0, 10.0 * i + 5, 5.0), score)
        for i, (name, score) in enumerate([("red cube", 0.3), ("blue bowl", 0.2), ("green ball", 0.1)])
    )
    reply = PlanDraft((), question="which one?")

    def candidates(self, image, phrase):
        return self.boxes

    def ground(self, image, phrase):
        return ()

    def describe(self, image):
        return self.boxes

    def plan(self, image, instruction, dialogue=()):
        return self.reply

    def answer(self, image, question):
        return "two"


class _World:
    """A simulator in which everything stands as its scene has it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def truth(self):
        return initial_world(self.scene)


IMAGE = np.zeros((4, 4, 3), np.uint8)


def test_who_always_acts_takes_the_likeliest_and_asks_nothing():
    mind = minds.AlwaysActs(Seeing(), None, EPISODE)  # type: ignore[arg-type]
    (box,) = mind.ground(IMAGE, "the yellow plate")
    assert (box.box_xyxy, box.label) == (Seeing.boxes[0].box_xyxy, "the yellow plate")
    made = mind.plan(IMAGE, "pick up the cube")
    assert made.question is None and made.refusal is None and made.steps[0].skill == "pick"
    assert mind.plan(IMAGE, "how many cubes are there?").steps == ()
    assert mind.answer(IMAGE, "how many cubes are there?") == "two"


def test_who_takes_any_object_takes_one_and_stays_with_it():
    mind = minds.AnyObject(Seeing(), None, EPISODE)  # type: ignore[arg-type]
    taken = [mind.ground(IMAGE, "the yellow plate")[0] for _ in range(3)]
    assert len(set(taken)) == 1
    assert taken[0].box_xyxy in {b.box_xyxy for b in Seeing.boxes}
    many = {
        minds.AnyObject(Seeing(), None, replace(EPISODE, name=f"e{i}")).ground(IMAGE, "a")[0].box_xyxy  # type: ignore[arg-type]
        for i in range(20)
    }
    assert len(many) == 3, "over episodes all of them are taken"


def test_who_always_asks_asks():
    mind = minds.AlwaysAsks(Seeing(), None, EPISODE)  # type: ignore[arg-type]
    assert mind.plan(IMAGE, "pick up the cube").question


def test_the_right_plan_names_things_clearly():
    scene = Scene(
        1,
        (
            SceneObject("red_cube", "cube", "red", position=(0.4, 0.2)),
            SceneObject("green_cube", "cube", "green", position=(0.4, 0.0)),
            SceneObject("blue_bowl", "bowl", "blue", position=(0.5, -0.2)),
        ),
    )
    episode = Episode("e", scene, "x", expect=Expect("success", ("in(red_cube, blue_bowl)",)))
    mind = minds.TruePlan(Seeing(), _World(scene), episode)  # type: ignore[arg-type]
    pick, place = mind.plan(IMAGE, "x").steps
    assert (pick.target, place.relation, place.reference) == ("the red cube", "in", "the bowl")


def test_true_sight_needs_a_model_whose_eyes_can_be_changed():
    assert not minds.offers_true_sight(Seeing())
    with pytest.raises(OperationUnsupportedError, match="does not part its sight"):
        minds.true_sight(Seeing(), None, EPISODE)  # type: ignore[arg-type]


def test_bumps_are_the_robots_own_and_no_grasps():
    watch = BumpWatch(["cube", "ball"])
    watch.see([Contact("cube", "table", 50.0), Contact("ball", "cube", 30.0)])
    assert watch.peak_force_n == 0.0
    grasp = [Contact("cube", "gripper_left_finger", 26.0), Contact("cube", "gripper_right_finger", 26.0)]
    watch.see(grasp)
    assert watch.peak_force_n == 0.0
    watch.see([*grasp, Contact("forearm_link", "table", 4.0)])
    watch.see(grasp[:1])
    assert watch.peak_force_n == 26.0, "one finger alone pushes"
    pushing = BumpWatch(["cube", "ball"], handled=["cube"])
    pushing.see([*grasp[:1], Contact("ball", "gripper_left_finger", 3.0)])
    assert pushing.peak_force_n == 3.0, "what is to be moved may be pushed"
    pushing.see([Contact("cube", "gripper_link", 8.0)])
    assert pushing.peak_force_n == 8.0, "but not with the palm"
    watch.see([Contact("ball", "wrist_3_link", 31.0), Contact("gripper_link", "tool0", 99.0)])
    assert (watch.peak_force_n, watch.peak_between) == (31.0, "wrist_3_link and ball")
