"""A short film of an episode for the report: what the robot saw on the left, the robot on the right."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmrobot.config import Config
from mmrobot.evals.episode_runner import EpisodeRun
from mmrobot.evals.pictures import annotate
from mmrobot.evals.results import EpisodeResult
from mmrobot.ros.video_file import VideoFile
from mmrobot.tabletop.episode import Episode
from mmrobot.vlm.interface import VisionLanguageModel

_HEIGHT, _EVERY_S, _FRAMES_PER_S, _MAX_FRAMES = 240, 0.25, 10, 160
SPEED = _EVERY_S * _FRAMES_PER_S
"""So many times as fast as it was."""


def film(
    path: Path,
    episode: Episode,
    vlm: VisionLanguageModel | None,
    *,
    model: str,
    config: Config,
    ablation: str = "",
) -> EpisodeResult:
    """Plays the episode once more and films it; the result tells whether it went as before."""
    video = VideoFile(path, _FRAMES_PER_S)
    last_s = -1.0

    def watch(run: EpisodeRun) -> None:
        nonlocal last_s
        if run.simulator.time_s - last_s >= _EVERY_S and video.frames < _MAX_FRAMES:
            last_s = run.simulator.time_s
            # Without noise: a draw of it would change what the robot sees later on.
            seen = run.seen if run.seen is not None else run.simulator.render_true().rgb
            video.write(np.hstack([_fitted(annotate(seen, run.plan)), _fitted(run.simulator.spectator())]))

    run = EpisodeRun(episode, vlm, model=model, config=config, ablation=ablation, watch=watch)
    try:
        return run.run()
    finally:
        run.close()
        video.close()


def _fitted(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    width = round(rgb.shape[1] * _HEIGHT / rgb.shape[0] / 2) * 2
    return np.asarray(cv2.resize(rgb, (width, _HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
