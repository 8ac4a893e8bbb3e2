"""The worst cases of the report: picture, film, what was wanted, and the command that plays each again."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmrobot.errors import MmrobotError
from mmrobot.evals.extras import alike
from mmrobot.evals.films import SPEED, film
from mmrobot.evals.report_parts import section
from mmrobot.evals.results import EpisodeResult
from mmrobot.evals.suite_plan import SuiteOptions, SuitePlan
from mmrobot.tabletop.episode import Episode
from mmrobot.vlm.interface import VisionLanguageModel

MAX_CASES, MAX_ALIKE = 24, 3


def worst_first(results: Sequence[EpisodeResult]) -> list[EpisodeResult]:
    """Failures: those called done first, then wrong ends, then what ran into something; of a family that
    failed by the same part MAX_ALIKE, the others at the end."""
    failed = sorted(
        (r for r in results if not r.passed),
        key=lambda r: (not r.claimed, r.outcome != "wrong", not r.collided, r.name),
    )
    alike_before: Counter[tuple[str, str]] = Counter()
    early: list[EpisodeResult] = []
    late: list[EpisodeResult] = []
    for r in failed:
        alike_before[r.family, r.part] += 1
        (early if alike_before[r.family, r.part] <= MAX_ALIKE else late).append(r)
    return early + late


def worst_cases(
    options: SuiteOptions,
    plan: SuitePlan,
    condition: str,
    results: Sequence[EpisodeResult],
    vlm: VisionLanguageModel | None,
) -> str:
    """A card each; the first few of a named suite with a film."""
    ordered = worst_first(results)
    shown = ordered[:MAX_CASES]
    if not shown:
        return ""
    episodes = {e.name: e for e in plan.runs[condition]}
    # Of who did nothing there is nothing to see.
    filmed = [r.name for r in shown if r.plan][: options.named.videos if options.named else 0]
    cards = "".join(
        _card(
            options,
            condition,
            r,
            _film(options, episodes[r.name], r, condition, vlm) if r.name in filmed else "",
        )
        for r in shown
    )
    count = f"{len(shown)} of {len(ordered)}" if len(ordered) > len(shown) else str(len(ordered))
    return section(
        f"Worst cases ({count})",
        f"<div class=cards>{cards}</div>",
        "What the robot saw first. Coloured boxes: its plan. Broken boxes: what was wanted, by the truth.",
    )


def command_of(options: SuiteOptions, condition: str, result: EpisodeResult) -> str:
    """The command that plays an episode again."""
    seed = result.name.removeprefix(f"{result.family}_{result.level}_")
    if options.episodes_file is not None or not seed.isdigit():
        words = ["mmrobot eval --episodes-file", str(options.episodes_file)]
    else:
        words = [
            f"mmrobot eval --families {result.family} --levels {result.level} --seed {seed} --episodes 1"
        ]
    if options.model != SuiteOptions.model:
        words.append(f"--model {options.model}")
    if condition:
        words.append(f"--ablate {condition}")
    return " ".join(words)


def _card(options: SuiteOptions, condition: str, r: EpisodeResult, moving: str) -> str:
    plan = "".join(f"<li>{html.escape(step)}</li>" for step in r.plan) or "<li>no plan</li>"
    tags = "".join(f'<em class="tag">{html.escape(t)}</em>' for t in (r.outcome, r.part) if t)
    tags += '<em class="tag bad">said done</em>' if r.claimed else ""
    tags += f'<em class="tag bad">{r.peak_force_n:.0f} N</em>' if r.collided else ""
    assert options.out is not None
    return f"""<article>{_picture(r, options.out / "pictures")}{moving}<div>
<h3>“{html.escape(r.instruction)}”</h3><p>{tags}</p><p>{html.escape(r.reason)}</p><ol>{plan}</ol>
<p><code class=command>{html.escape(command_of(options, condition, r))}</code></p></div></article>"""


def _picture(r: EpisodeResult, pictures: Path) -> str:
    file = pictures / r.picture if r.picture else None
    if file is None or not file.is_file():
        return "<div class=nopic>no picture</div>"
    data = base64.b64encode(file.read_bytes()).decode()
    return f'<img alt="what the robot saw, with its plan" src="data:image/jpeg;base64,{data}">'


def _film(
    options: SuiteOptions,
    episode: Episode,
    before: EpisodeResult,
    condition: str,
    vlm: VisionLanguageModel | None,
) -> str:
    """A failed film is no reason for no report: it says why."""
    assert options.out is not None
    path = options.out / "films" / f"{before.name}.mp4"
    try:
        again = film(path, episode, vlm, model=options.model, config=options.config, ablation=condition)
    except (MmrobotError, OSError) as error:
        return f"<p class=note>no film: {html.escape(str(error))}</p>"
    if not path.is_file() or not path.stat().st_size:
        return ""
    data = base64.b64encode(path.read_bytes()).decode()
    note = "" if alike(before, again) else "<p class=note>filmed again, it went differently</p>"
    return (
        f'<video controls muted playsinline preload="metadata" title="{SPEED:g} times as fast" '
        f'src="data:video/mp4;base64,{data}"></video>{note}'
    )
