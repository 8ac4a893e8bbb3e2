"""The task suite: many episodes over processes, resumed where it stopped, summed up with intervals."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError, MmrobotError
from mmrobot.evals.ablations import ABLATIONS
from mmrobot.evals.episode_runner import ORACLES, run_episode
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.summary import summarize
from mmrobot.tabletop.episode import Episode, load_episodes
from mmrobot.tabletop.families import EVALUATION_SEED, FAMILIES, LEVELS, generate_episode, offers
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.registry import load_model

Progress = Callable[[EpisodeResult, int, int], None]


@dataclass(frozen=True)
class SuiteOptions:
    """What is run. `ablate` are runs of their own, each over all episodes; none is the whole robot."""

    families: tuple[str, ...] = tuple(FAMILIES)
    levels: tuple[str, ...] = ("L0",)
    episodes: int = 25
    seed: int = EVALUATION_SEED
    ablate: tuple[str, ...] = ()
    jobs: int = 1
    model: str = "mmrobot-nano"
    out: Path | None = None
    episodes_file: Path | None = None
    config: Config = field(default_factory=Config)

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise InvalidConfigError(f"--episodes {self.episodes}", "give 1 or more")
        if self.jobs < 1:
            raise InvalidConfigError(f"--jobs {self.jobs}", "give 1 or more")
        for name in self.ablate:
            if name not in ABLATIONS:
                raise InvalidConfigError(f"--ablate '{name}' is unknown", f"known: {', '.join(ABLATIONS)}")


@dataclass(frozen=True)
class Task:
    """One episode under one ablation ("" for none)."""

    episode: Episode
    ablation: str
    model: str
    config: Config
    pictures: Path | None

    @property
    def key(self) -> str:
        return f"{self.ablation}|{self.episode.name}"


def run_suite(options: SuiteOptions, progress: Progress | None = None) -> dict[str, Any]:
    """Runs all episodes and answers the suite's JSON (CONTRACT.md): `families`, `episodes`, `overall`, ...

    With `out`, results are written to `episodes.jsonl` as they come, and a suite that was broken off goes
    on where it stopped; `report.html` and `result.json` follow at the end. Raises InvalidConfigError,
    InvalidSceneError, ModelUnavailableError before anything runs.
    """
    begin = time.perf_counter()
    tasks = _tasks(options)
    if options.model not in ORACLES:
        # Named errors before processes are started; workers load their own.
        _model(options.model, options.config)
    done = _resume(options)
    results: dict[str, EpisodeResult] = {t.key: done[t.key] for t in tasks if t.key in done}
    missing = [t for t in tasks if t.key not in results]
    with _Journal(options.out) as journal:
        for task, result in _run_all(missing, options.jobs):
            results[task.key] = result
            journal.write(task.key, result)
            if progress is not None:
                progress(result, len(results), len(tasks))
    return _finish(options, tasks, results, time.perf_counter() - begin)


def _finish(
    options: SuiteOptions, tasks: Sequence[Task], results: dict[str, EpisodeResult], wall_s: float
) -> dict[str, Any]:
    # Imported here: a report is made once, at the end.
    from mmrobot.evals.report import write_report

    runs = {name: [results[t.key] for t in tasks if t.ablation == name] for name in options.ablate or ("",)}
    first = next(iter(runs))
    summary: dict[str, Any] = {
        "ok": True,
        "model": options.model,
        "seed": options.seed,
        "ablate": list(options.ablate),
        "wall_s": round(wall_s, 1),
        **summarize(runs[first]),
    }
    if len(runs) > 1:
        summary["ablations"] = {name: summarize(found) for name, found in runs.items()}
    if options.out is not None:
        (options.out / "result.json").write_text(json.dumps(summary, indent=1) + "\n")
        summary["report"] = str(write_report(options.out, summary, runs, options.out / "pictures"))
    return summary


def _tasks(options: SuiteOptions) -> list[Task]:
    episodes = list(_episodes(options))
    pictures = None if options.out is None else options.out / "pictures"
    return [
        Task(
            episode,
            ablation,
            options.model,
            options.config,
            None if pictures is None else pictures / (ablation or "full"),
        )
        for ablation in options.ablate or ("",)
        for episode in episodes
    ]


def _episodes(options: SuiteOptions) -> Iterator[Episode]:
    if options.episodes_file is not None:
        yield from load_episodes(options.episodes_file)
        return
    for kind, names, known in (("family", options.families, FAMILIES), ("level", options.levels, LEVELS)):
        for name in names:
            if name not in known:
                raise InvalidConfigError(f"'{name}' is no known {kind}", f"known: {', '.join(known)}")
    for family in options.families:
        for level in (name for name in options.levels if offers(family, name)):
            for i in range(options.episodes):
                yield generate_episode(family, level, options.seed + i)


def _resume(options: SuiteOptions) -> dict[str, EpisodeResult]:
    """What an earlier run of the same suite has written; {} without one.

    Raises InvalidConfigError when the folder holds another suite's results.
    """
    if options.out is None:
        return {}
    options.out.mkdir(parents=True, exist_ok=True)
    settings, journal = options.out / "settings.json", options.out / "episodes.jsonl"
    mine = json.dumps(_settings(options), indent=1, sort_keys=True)
    if settings.exists() and settings.read_text() != mine:
        raise InvalidConfigError(
            f"'{options.out}' holds the results of other settings",
            "choose another --out, or remove that folder",
        )
    settings.write_text(mine)
    if not journal.exists():
        return {}
    done = {}
    for line in journal.read_text().splitlines():
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except json.JSONDecodeError:
            continue  # the line that was being written when the suite was broken off
        key = data.pop("key")
        done[key] = EpisodeResult.from_dict(data)
    return done


def _settings(options: SuiteOptions) -> dict[str, Any]:
    """What makes results comparable; more episodes or other families may be added to the same folder."""
    return {
        "model": options.model,
        "seed": options.seed,
        "config": hashlib.sha256(json.dumps(options.config.model_dump()).encode()).hexdigest(),
        "episodes_file": None if options.episodes_file is None else str(options.episodes_file),
    }


class _Journal:
    """Appends results as lines of JSON, each flushed; nothing without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._file = None if folder is None else (folder / "episodes.jsonl").open("a+", encoding="utf-8")
        if self._file is not None and self._file.tell() > 0:
            # A line that was broken off must not swallow the next one.
            self._file.write("\n")

    def write(self, key: str, result: EpisodeResult) -> None:
        if self._file is not None:
            self._file.write(json.dumps({"key": key, **result.as_dict()}) + "\n")
            self._file.flush()

    def __enter__(self) -> _Journal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _run_all(tasks: Sequence[Task], jobs: int) -> Iterable[tuple[Task, EpisodeResult]]:
    if jobs == 1 or len(tasks) < 2:
        for task in tasks:
            yield task, _run_task(task)
        return
    # Spawned, not forked: graphics contexts and thread pools do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker) as pool:
        futures: dict[Future[EpisodeResult], Task] = {pool.submit(_run_task, t): t for t in tasks}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """One core a worker: more threads than cores only wait for each other."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _run_task(task: Task) -> EpisodeResult:
    vlm = None if task.model in ORACLES else _model(task.model, task.config)
    result = run_episode(
        task.episode,
        vlm,
        model=task.model,
        config=task.config,
        ablation=task.ablation,
        pictures=task.pictures,
    )
    if result.picture and task.pictures is not None:
        result = replace(result, picture=f"{task.pictures.name}/{result.picture}")
    return result


_models: dict[str, VisionLanguageModel] = {}


def _model(name: str, config: Config) -> VisionLanguageModel:
    """Loaded once a process."""
    if name not in _models:
        _models[name] = load_model(name, config=config)
    return _models[name]


def error_json(error: MmrobotError) -> dict[str, Any]:
    """The JSON of a suite that could not run."""
    return {"ok": False, "error": error.as_dict()}
