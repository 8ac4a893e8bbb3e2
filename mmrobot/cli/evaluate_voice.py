"""`mmrobot eval-voice`: how well the robot hears, on speech made by espeak-ng."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmrobot.cli.output import Output
from mmrobot.config import default_config_file, load_config
from mmrobot.evals.voice_eval import Hearer, VoiceEval
from mmrobot.evals.voice_set import SPEEDS, VOICES


def run_eval_voice(count: int, seed: int, config: Path | None, output: Output) -> None:
    """Commands in quiet and noise, stop words, other speech, silence. Raises VoiceUnavailableError."""
    hearer = Hearer.of(load_config(config or default_config_file()).voice)
    figures = VoiceEval(hearer, count, seed, progress=lambda title: output.log.print(f"  {title} ...")).run()
    output.console.print(table(figures), markup=False, soft_wrap=True)
    output.finish(True, count=count, seed=seed, **figures)


def table(figures: dict[str, Any]) -> str:
    """The figures for people, in Markdown."""
    rows = [
        f"{len(VOICES)} voices, {', '.join(map(str, SPEEDS))} words in a minute\n",
        "| said | noise | n | right | 95 % | read back | wrong commands | ms p50 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for said, cells in (("commands", figures["commands"]), ("stop words", figures["stops"])):
        for noise, cell in cells.items():
            low, high = cell["wilson95"]
            rows.append(
                f"| {said} | {noise} | {cell['n']} | {100 * cell['success']:.1f} % "
                f"| {100 * low:.1f}..{100 * high:.1f} | {cell.get('read_back', '')} "
                f"| {cell.get('wrong_commands', '')} | {cell['ms_p50']} |"
            )
    for name in ("other_speech", "silence_and_noise"):
        cell = figures[name]
        rows.append(
            f"\n{name.replace('_', ' ')}: {cell['minutes']} min, {cell['false_stops']} false stops "
            f"({cell['false_stops_per_hour']} in an hour), {cell['commands']} commands"
        )
    return "\n".join(rows)
