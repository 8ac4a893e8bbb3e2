"""`mmrobot train`: makes mmrobot-nano anew, from rendered pictures to the weights that ship.

Stages, in order; all of them if none is named, each resumes from its own checkpoint in --data:
  pictures   renders scenes with the simulator
  sight      trains vision, labels and views at once on pictures rendered meanwhile: for a GPU and many cores;
             only where it is named, in place of those three
  vision     trains the encoder on them
  layout     trains where things stand, on what the encoder sees
  labels     trains the speller on crops of things that may carry a print
  views      trains the recogniser on views of things in the camera's own pictures
  looks      trains the recogniser on the candidates that the encoder proposes
  words      trains reader and writer on what people say
  calibrate  fits temperatures on pictures that nothing was trained on
  export     writes config.json, model.safetensors and the processor to --out
  ear        trains the voice's net of letters on what espeak-ng says; only where it is named

Beside each checkpoint lie its curves, as CSV and PNG. All seeds stay below 1,000,000. More in
docs/training.md.

  mmrobot train
  mmrobot train words calibrate export --data data --word-steps 12000
  torchrun --nproc-per-node 2 -m mmrobot.learn.train --data data
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from mmrobot.errors import MmrobotError
from mmrobot.learn import (
    ear_training,
    label_training,
    language_training,
    layout_training,
    second_looks,
    stages,
    view_training,
    vision_training,
)
from mmrobot.learn.distributed import DEVICES, joined
from mmrobot.learn.release import calibrate_heads, export
from mmrobot.learn.stages import SEED, Options, Training

STAGES: dict[str, Callable[[Training], None]] = {
    "pictures": stages.pictures,
    "sight": stages.sight,
    "vision": stages.vision,
    "layout": stages.layout,
    "labels": stages.labels,
    "views": stages.views,
    "looks": stages.looks,
    "words": stages.words,
    "calibrate": calibrate_heads,
    "export": export,
    "ear": stages.ear,
}
ONLY_WHERE_NAMED = ("sight", "ear")


def report(line: str) -> None:
    """One line of progress, at once."""
    print(line, flush=True)


def silent(line: str) -> None:
    """What every process but the first says."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="mmrobot train",
        usage="%(prog)s [stage ...] [options]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("stages", nargs="*", metavar="stage", help=f"of {', '.join(STAGES)} [all]")

    def option(name: str, kind: Callable[[str], object], default: object, text: str, shown: str = "") -> None:
        made.add_argument(name, type=kind, default=default, metavar=shown or "N", help=f"{text} [{default}]")

    def steps(name: str, default: int, text: str) -> None:
        made.add_argument(name, type=positive, default=None, metavar="N", help=f"{text} [{default}]")

    option("--data", Path, Path("data"), "folder of pictures, checkpoints and curves", "FOLDER")
    option("--out", Path, Path("data/mmrobot-nano"), "folder of the exported model", "FOLDER")
    option("--pictures", positive, 12000, "how many scenes to render")
    option("--minutes", float, 60.0, "how long sight learns")
    option("--ear-minutes", float, None, "how long ear learns, if its steps last longer")
    option("--utterances", positive, ear_training.UTTERANCES, "how many are spoken to ear")
    steps("--vision-steps", vision_training.DEFAULTS.steps, "steps of vision")
    steps("--layout-steps", layout_training.DEFAULTS.steps, "steps of layout")
    steps("--label-steps", label_training.DEFAULTS.steps, "steps of labels")
    steps("--view-steps", view_training.DEFAULTS.steps, "steps of views")
    steps("--look-steps", second_looks.DEFAULTS.steps, "steps of looks")
    steps("--word-steps", language_training.DEFAULTS.steps, "steps of words")
    steps("--ear-steps", ear_training.DEFAULTS.steps, "steps of ear")
    made.add_argument(
        "--batch", type=positive, metavar="N", help="samples a step in each process [the stage's own]"
    )
    made.add_argument(
        "--validate-every", type=positive, metavar="N", help="steps between two validations [500]"
    )
    made.add_argument("--start-from", type=Path, metavar="FOLDER", help="a trained model to go on from")
    made.add_argument(
        "--device", choices=DEVICES, default="auto", help="where to train [auto: a GPU if there is one]"
    )
    option("--threads", positive, 1, "CPU threads of torch")
    option("--workers", positive, 1, "processes that render, or make sentences")
    return made


def positive(text: str) -> int:
    """A whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is not above 0")
    return value


def main(argv: list[str] | None = None) -> int:
    """Runs the stages asked for; 0 when all are done, 1 after an error that it told."""
    command = parser()
    args = command.parse_args(argv)
    asked = args.stages or [stage for stage in STAGES if stage not in ONLY_WHERE_NAMED]
    unknown = [s for s in asked if s not in STAGES]
    if unknown:
        command.error(f"unknown stage '{unknown[0]}'; known: {', '.join(STAGES)}")
    options = Options(
        args.data,
        args.out,
        args.pictures,
        args.vision_steps,
        args.layout_steps,
        args.label_steps,
        args.view_steps,
        args.look_steps,
        args.word_steps,
        args.ear_steps,
        args.batch,
        args.validate_every,
        args.workers,
        args.start_from,
        args.minutes,
        args.ear_minutes,
        args.utterances,
    )
    torch.set_num_threads(args.threads)
    try:
        with joined(args.device) as world:
            torch.manual_seed(SEED)
            training = Training(options, world, report if world.leads else silent)
            for stage in asked:
                training.report(f"== {stage}")
                STAGES[stage](training)
    except MmrobotError as error:
        print(f"error  {error.message}\nfix    {error.fix}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
