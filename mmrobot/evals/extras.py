"""What a named suite finds out beside its episodes: whether plans follow words and picture, how good the
threshold of pointing is, and whether the same episode twice is the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmrobot.evals.conformal import conformal
from mmrobot.evals.counterfactuals import counterfactuals
from mmrobot.evals.episode_runner import run_episode
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.suite_plan import SuiteOptions
from mmrobot.tabletop.episode import Episode
from mmrobot.vlm.interface import VisionLanguageModel


class Extras:
    """Of one suite, over the model that played it. `stage` hears (what, done, total)."""

    def __init__(
        self, options: SuiteOptions, vlm: VisionLanguageModel, stage: Callable[[str, int, int], None]
    ) -> None:
        assert options.named is not None
        self._options, self._named, self._vlm, self._stage = options, options.named, vlm, stage

    def figures(
        self, main: Sequence[Episode], results: Mapping[str, EpisodeResult], rests_on: str
    ) -> dict[str, Any]:
        """`counterfactuals`, `pointing`, `repeats`, each only where the suite asks for it. What the folder
        holds of the same manifest and code (`rests_on`) is not done again."""
        named, options = self._named, self._options
        makers: dict[str, tuple[int, Callable[[], dict[str, Any]]]] = {
            "repeats": (named.repeats, lambda: self._repeats(main, results)),
            "counterfactuals": (named.pairs, self._pairs),
            "pointing": (named.scenes, self._pointing),
        }
        file = None if options.out is None else options.out / "extras.json"
        found = _kept(file, rests_on)
        for name, (wanted, make) in makers.items():
            if wanted and name not in found:
                found[name] = make()
                if file is not None:
                    file.write_text(json.dumps({"rests_on": rests_on, "found": found}, indent=1) + "\n")
        return found

    def _pairs(self) -> dict[str, Any]:
        count, seed = self._named.pairs, self._options.seed
        tell = partial(self._stage, "pairs")
        return counterfactuals(self._vlm, self._options.config, count, seed, tell)

    def _pointing(self) -> dict[str, Any]:
        scenes, seed = self._named.scenes, self._options.seed
        tell = partial(self._stage, "pointing")
        return conformal(self._vlm, self._options.config.grounding, scenes, tell, seed)

    def _repeats(self, main: Sequence[Episode], results: Mapping[str, EpisodeResult]) -> dict[str, Any]:
        """Some episodes from all over the suite, played again; `differ` names those that went otherwise."""
        step = max(len(main) // self._named.repeats, 1)
        chosen = main[::step][: self._named.repeats]
        differ = []
        for i, episode in enumerate(chosen):
            again = run_episode(episode, self._vlm, model=self._options.model, config=self._options.config)
            if not alike(again, results[f"|{episode.name}"]):
                differ.append(episode.name)
            self._stage("again", i + 1, len(chosen))
        return {"n": len(chosen), "differ": differ}


def _kept(file: Path | None, rests_on: str) -> dict[str, Any]:
    if file is None or not file.is_file():
        return {}
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return dict(data["found"]) if data["rests_on"] == rests_on else {}
    except (ValueError, KeyError, TypeError):
        return {}


def alike(a: EpisodeResult, b: EpisodeResult) -> bool:
    """Whether two runs went the same way: plan, outcome, reason and simulated time."""
    return (a.plan, a.outcome, a.reason, a.retries, a.simulated_s) == (
        b.plan, b.outcome, b.reason, b.retries, b.simulated_s,
    )  # fmt: skip
