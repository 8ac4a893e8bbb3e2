"""The task suite: many episodes under many conditions, resumed where it stopped, summed up with intervals.

options -> plan (episodes by condition, manifest) -> played, journalled -> filtered -> figures -> report
"""

from __future__ import annotations

import gc
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmrobot.config import Config
from mmrobot.errors import InvalidConfigError, MmrobotError
from mmrobot.evals.conditions import CONTROLS, MUST_STOP, STRESS
from mmrobot.evals.doable import ORACLE, OracleMemory, code_digest, not_doable
from mmrobot.evals.episode_runner import ORACLES, run_episode
from mmrobot.evals.executors import play_all
from mmrobot.evals.extras import Extras
from mmrobot.evals.journal import Journal
from mmrobot.evals.manifest import Manifest
from mmrobot.evals.minds import offers_true_sight
from mmrobot.evals.model_eval import fingerprint
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.standing import conditions_figures, grounding_gap
from mmrobot.evals.suite_plan import SuiteOptions, SuitePlan, Task, plan_suite
from mmrobot.evals.summary import summarize
from mmrobot.vlm.interface import VisionLanguageModel
from mmrobot.vlm.registry import load_model

Progress = Callable[[EpisodeResult, int, int], None]
Stage = Callable[[str, int, int], None]
Results = dict[str, list[EpisodeResult]]

__all__ = ["SuiteOptions", "Task", "error_json", "run_suite"]


def run_suite(
    options: SuiteOptions, progress: Progress | None = None, stage: Stage | None = None
) -> dict[str, Any]:
    """Runs all episodes and answers the suite's JSON (CONTRACT.md): `families`, `episodes`, `overall`, ...

    With `out`, results are written to `episodes.jsonl` as they come, and a suite that was broken off goes
    on where it stopped; `report.html`, `result.json` and `table.md` follow at the end. `stage` hears of what
    is done beside episodes. Raises InvalidConfigError, InvalidSceneError, ModelUnavailableError first of all.
    """
    tell: Stage = stage or (lambda *_: None)
    plan = plan_suite(options, lambda count: tell("made", count, 0))
    manifest = plan.manifest()
    # Named errors before processes are started; workers load their own.
    model = None if options.model in ORACLES else _model(options.model, options.config)
    if options.suite and (model is None or not offers_true_sight(model)):
        plan.runs.pop("true_sight", None)
    tasks = plan.tasks(options)
    answers = "" if model is None else hashlib.sha256(fingerprint(model).encode()).hexdigest()[:12]
    _check_folder(options, manifest, answers)
    begin = time.perf_counter()
    results, journal, played = _play(options, plan, tasks, progress)
    wall_s = time.perf_counter() - begin
    runs: Results = {name: [results[f"{name}|{e.name}"] for e in found] for name, found in plan.runs.items()}
    excluded = not_doable(results[f"{ORACLE}|{e.name}"] for e in plan.oracle)
    summary: dict[str, Any] = {
        "ok": True,
        "model": options.model,
        "answers": answers,
        "seed": options.seed,
        "suite": options.suite,
        "ablate": list(options.ablate),
        "manifest": manifest.sha256,
        "code": sorted(journal.codes),
        "wall_s": round(wall_s, 1),
        "played": played,
        "episodes_per_hour": round(3600 * played / wall_s) if played else None,
        "not_doable": {"judged": len(plan.oracle), "episodes": excluded},
        "left_out": plan.left_out,
        **_figures(options, runs, excluded),
    }
    counted = {name: [r for r in found if r.name not in excluded] for name, found in runs.items()}
    if options.suite and options.model not in ORACLES:
        extras = Extras(options, _model(options.model, options.config), tell)
        summary |= extras.figures(plan.main, results, f"{manifest.sha256} {code_digest()}")
    if options.out is not None:
        _write(options, plan, summary, counted)
    return summary


def _figures(options: SuiteOptions, runs: Results, excluded: dict[str, str]) -> dict[str, Any]:
    counted = {name: [r for r in found if r.name not in excluded] for name, found in runs.items()}
    first = next(iter(counted))
    figures = summarize(counted[first])
    if options.suite:
        figures["grounding_gap"] = grounding_gap(counted)
        # The ceiling would be 100 % by itself where what it fails is left out.
        ceiling = {**counted, ORACLE: runs.get(ORACLE, [])}
        figures["controls"] = conditions_figures(ceiling, CONTROLS)
        figures["stress"] = conditions_figures(counted, STRESS, MUST_STOP)
    elif len(counted) > 1:
        figures["ablations"] = {name: summarize(found) for name, found in counted.items()}
    return figures


def _play(
    options: SuiteOptions, plan: SuitePlan, tasks: list[Task], progress: Progress | None
) -> tuple[dict[str, EpisodeResult], Journal, int]:
    """Results by key, from the folder, from the oracle's memory, and the rest played now: so many."""
    journal, memory = Journal(options.out, code_digest()), OracleMemory(options.config)
    hashes = plan.hashes(tasks)
    results = journal.read(hashes)
    for task in tasks:
        known = memory.known(task.episode) if task.ablation == ORACLE else None
        if known is not None:
            results.setdefault(task.key, known)
    missing = [t for t in tasks if t.key not in results]
    for task, result in play_all(_run_task, missing, options.executor, options.jobs):
        results[task.key] = result
        journal.write(task.key, hashes[task.key], result)
        if task.ablation == ORACLE:
            memory.remember(task.episode, result)
        if progress is not None:
            progress(result, len(results), len(tasks))
    return results, journal, len(missing)


def _write(options: SuiteOptions, plan: SuitePlan, summary: dict[str, Any], counted: Results) -> None:
    # Imported here: a report is made once, at the end.
    from mmrobot.evals.markdown import main_table
    from mmrobot.evals.report import write_report

    assert options.out is not None
    (options.out / "table.md").write_text(main_table(next(iter(counted.values()))))
    vlm = None if options.model in ORACLES else _model(options.model, options.config)
    (options.out / "result.json").write_text(json.dumps(summary, indent=1) + "\n")
    summary["report"] = str(write_report(options, plan, summary, counted, vlm))


def _check_folder(options: SuiteOptions, manifest: Manifest, answers: str) -> None:
    """Raises InvalidConfigError when the folder holds the results of another suite, naming what differs."""
    if options.out is None:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "settings.json"
    mine = {**_settings(options), "answers": answers}
    if file.exists():
        try:
            theirs = json.loads(file.read_text())
        except ValueError:
            theirs = {}
        other = [k for k in mine if theirs.get(k) != mine[k]]
        if other:
            raise InvalidConfigError(
                f"'{options.out}' holds the results of other settings: "
                + ", ".join(f"{k} {theirs.get(k)}, now {mine[k]}" for k in other),
                "choose another --out, or remove that folder",
            )
    kept = options.out / "manifest.json"
    if options.suite and kept.exists():
        manifest.check_same(Manifest.read(kept), str(options.out))
    file.write_text(json.dumps(mine, indent=1, sort_keys=True))
    manifest.write(kept)


def _settings(options: SuiteOptions) -> dict[str, Any]:
    """What makes results comparable; without a named suite more episodes may be added to the same folder."""
    config: Config = options.config
    return {
        "suite": options.suite,
        "model": options.model,
        "seed": options.seed,
        "config": hashlib.sha256(json.dumps(config.model_dump()).encode()).hexdigest()[:16],
        "episodes_file": None if options.episodes_file is None else str(options.episodes_file),
    }


def _run_task(task: Task) -> EpisodeResult:
    # The oracle needs no model: what it puts in the model's place knows everything.
    vlm = None if task.model in ORACLES or task.ablation == ORACLE else _model(task.model, task.config)
    result = run_episode(
        task.episode,
        vlm,
        model=task.model,
        config=task.config,
        ablation=task.ablation,
        pictures=task.pictures,
    )
    # A run's parts know each other, and hold a simulator: memory that the collector does not see.
    gc.collect()
    if result.picture and task.pictures is not None:
        result = replace(result, picture=f"{task.pictures.name}/{result.picture}")
    return result


_models: dict[str, VisionLanguageModel] = {}


def _model(name: str, config: Config) -> VisionLanguageModel:
    """Loaded once a process."""
    if name not in _models:
        _models[name] = load_model(name, config=config)
        # What is loaded stays: to look through it after each episode would take longer than some episodes.
        gc.collect()
        gc.freeze()
    return _models[name]


def error_json(error: MmrobotError) -> dict[str, Any]:
    """The JSON of a suite that could not run."""
    return {"ok": False, "error": error.as_dict()}


def result_of(path: Path) -> dict[str, Any]:
    """A `result.json`. Raises InvalidConfigError for what is none."""
    file = path / "result.json" if path.is_dir() else path
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidConfigError(
            f"{file} is no result: {error}", "name a folder of --out, or its result.json"
        ) from error
    if not isinstance(data, dict) or not isinstance(data.get("episodes"), list):
        raise InvalidConfigError(f"{file} holds no episodes", "name a folder of --out, or its result.json")
    return data
