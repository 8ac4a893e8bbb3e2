"""`mmrobot say`, `stop` and `estop`: words to, or an immediate stop of, a running robot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmrobot.cli.output import Output
from mmrobot.cli.plan_table import plan_as_dict, plan_table
from mmrobot.command.stop_words import is_stop
from mmrobot.command.text import clean_instruction
from mmrobot.errors import DeadlineError, InvalidInstructionError
from mmrobot.ros.client import RobotClient
from mmrobot.ros.sound_sender import say_sound
from mmrobot.voice.sound import read_wav


def run_say(
    words: str, wait: bool, plan_only: bool, timeout_s: float, conversation: str, output: Output
) -> None:
    """Send an instruction and, unless told otherwise, wait for its end."""
    if not is_stop(words):
        words = clean_instruction(words)
    with RobotClient() as client:
        client.on_status = lambda status: _tell(status, output)
        follow = client.follow(words, plan_only, conversation=conversation)
        if not wait:
            follow.done.wait(1.0)
            if follow.error is not None:
                output.fail(follow.error)
            output.finish(True, instruction=words)
        if not follow.done.wait(timeout_s):
            raise DeadlineError(
                f"'{words}' is not done after {timeout_s:.0f} s",
                "wait longer with --timeout, or: mmrobot stop",
            )
    content: dict[str, Any] = {"success": follow.error is None, "steps_done": follow.steps_done}
    if follow.plan is not None:
        output.console.print(plan_table(follow.plan))
        content["plan"] = plan_as_dict(follow.plan)
    if follow.report:
        content["report"] = follow.report
    if follow.error is not None:
        output.fail(follow.error, **content)
    if follow.answer:
        content["answer"] = follow.answer
    done = f"[green]{follow.report or 'done'}[/]"
    output.console.print(f"[bold]{follow.answer}[/]" if follow.answer else done)
    output.finish(True, **content)


def run_say_wav(path: Path, words: str, output: Output) -> None:
    """Play a file into the topic `audio`, as a browser's button would, and tell what was heard."""
    if words:
        raise InvalidInstructionError(f"both words ('{words}') and a file are given", "leave one of them out")
    sound = read_wav(path)
    with RobotClient() as client:
        heard = say_sound(client, sound)
    output.console.print(f"heard: [bold]{heard}[/]")
    output.finish(True, heard=heard)


def run_stop(output: Output) -> None:
    """Hold the robot."""
    with RobotClient() as client:
        message = client.stop()
    output.console.print(f"[bold]{message}[/]")
    output.finish(True, message=message)


def run_estop(reset: bool, output: Output) -> None:
    """Hold the robot until it is reset, or reset it."""
    with RobotClient() as client:
        message = client.emergency_stop(latch=not reset)
    output.console.print(f"[bold]{message}[/]")
    output.finish(True, message=message, latched=not reset)


def _tell(status: dict[str, Any], output: Output) -> None:
    output.log.print(f"[dim]{status['node']:>10}[/]  {status['message']}", markup=True)
