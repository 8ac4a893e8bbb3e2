"""The commands and their options. Work and its libraries are imported when a command runs, not before."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mmrobot.cli.output import USAGE, run

app = typer.Typer(
    name="mmrobot",
    help="One sentence and a camera picture become a typed 3-D plan that a robot carries out.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
)

Json = Annotated[bool, typer.Option("--json", help="end standard output with one line of JSON")]
Scene = Annotated[Path | None, typer.Option(help="YAML of a scene or of episodes [default: the shipped one]")]
Model = Annotated[str, typer.Option(help="model name or folder; empty: the configuration's")]
Config = Annotated[Path | None, typer.Option(help="YAML of settings [default: config/mmrobot.yaml]")]
Image = Annotated[Path, typer.Option(help="colour picture: PNG or JPEG")]
Pace = Annotated[float, typer.Option(help="simulated seconds in one of wall time; 0: as fast as it can")]


def _example(*lines: str) -> str:
    return "Example:\n\n" + "\n\n".join(f"[cyan]{line}[/]" for line in lines)


@app.command(epilog=_example('mmrobot demo "put the red cube in the blue bowl" --record runs/demo'))
def demo(
    instruction: Annotated[str | None, typer.Argument(help="what to do [default: the scene's own]")] = None,
    scene: Scene = None,
    seed: Annotated[int, typer.Option(help="seed of camera noise")] = 0,
    headless: Annotated[bool, typer.Option("--headless", help="no spectator's view in the video")] = False,
    record: Annotated[Path, typer.Option(help="folder for picture, video and MCAP")] = Path("runs/demo"),
    model: Model = "",
    config: Config = None,
    real_time_factor: Pace = 1.0,
    voice: Annotated[bool, typer.Option("--voice", help="listen and speak")] = False,
    as_json: Json = False,
) -> None:
    """Show the product: simulator, model and robot as real ROS 2 nodes carry one sentence out."""
    from mmrobot.cli.demo import DemoOptions, run_demo

    options = DemoOptions(instruction, scene, seed, headless, record, model, config, real_time_factor, voice)
    run(as_json, lambda output: run_demo(options, output))


@app.command(
    epilog=_example(
        "mmrobot up --scene my_scene.yaml", "mmrobot up --voice", "mmrobot up --robot --config my_robot.yaml"
    )
)
def up(
    config: Config = None,
    scene: Scene = None,
    seed: Annotated[int, typer.Option(help="seed of camera noise")] = 0,
    robot: Annotated[bool, typer.Option("--robot", help="no simulator: a real robot's topics")] = False,
    headless: Annotated[bool, typer.Option(help="no spectator's view on 'spectator'")] = True,
    real_time_factor: Pace = 1.0,
    model: Model = "",
    namespace: Annotated[str, typer.Option(help="namespace of all nodes")] = "",
    approval: Annotated[str, typer.Option(help="which plans wait for a person: never, risky, always")] = "",
    console: Annotated[bool, typer.Option("--console", help="a page for the browser")] = False,
    record: Annotated[Path | None, typer.Option(help="folder for MCAP and video")] = None,
    camera: Annotated[
        str, typer.Option(help="profile: realsense, zed, oakd, webcam, or a YAML of your own")
    ] = "",
    server: Annotated[
        str, typer.Option(help="who carries skills out: arm, ros2_control, moveit, nav2, none (your own)")
    ] = "arm",
    voice: Annotated[bool, typer.Option("--voice", help="listen and speak (docs/voice.md)")] = False,
    as_json: Json = False,
) -> None:
    """Start the robot's nodes and leave them running until Ctrl-C."""
    from mmrobot.cli.up import run_up
    from mmrobot.ros.graph import GraphOptions

    options = GraphOptions(
        config=str(config or ""),
        scene=str(scene or ""),
        seed=seed,
        headless=headless,
        real_time_factor=real_time_factor,
        model=model,
        namespace=namespace,
        use_sim_time=not robot,
        approval=approval,
        console=console,
        record=str(record or ""),
        camera=camera,
        server=server,
        voice=voice,
    )
    run(as_json, lambda output: run_up(options, not robot, output))


@app.command(epilog=_example('mmrobot say "pick up the green ball"'))
def say(
    words: Annotated[str, typer.Argument(help="an instruction, or a stop word")] = "",
    wav: Annotated[Path | None, typer.Option(help="say what is in a WAV file, to the voice node")] = None,
    wait: Annotated[bool, typer.Option(help="wait for the end")] = True,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="publish the plan, move nothing")] = False,
    timeout: Annotated[float, typer.Option(help="seconds to wait for the end")] = 300.0,
    conversation: Annotated[str, typer.Option(help="whose words: 'it' is what was spoken of there")] = "",
    as_json: Json = False,
) -> None:
    """Give words to the robot that runs on this ROS domain."""
    from mmrobot.cli.say import run_say, run_say_wav

    if not words and wav is None:
        raise typer.BadParameter("give words, or a file by --wav", param_hint="WORDS")
    if wav is not None:
        run(as_json, lambda output: run_say_wav(wav, words, output))
        return
    run(as_json, lambda output: run_say(words, wait, plan_only, timeout, conversation, output))


@app.command(epilog=_example("mmrobot console", "mmrobot up --console"))
def console(
    config: Config = None,
    namespace: Annotated[str, typer.Option(help="namespace of the robot's nodes")] = "",
) -> None:
    """A page for the browser: what the robot sees, plans and says; talk, point, approve, stop."""
    from mmrobot.cli.console import run_console

    raise typer.Exit(run_console(config, namespace))


@app.command(epilog=_example("mmrobot listen", "mmrobot listen --wav said.wav"))
def listen(
    wav: Annotated[Path | None, typer.Option(help="a WAV file instead of the microphone")] = None,
    seconds: Annotated[float, typer.Option(help="end after so long; 0: with Ctrl-C")] = 0.0,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Tell what the robot would hear: to try a microphone, without a robot."""
    from mmrobot.cli.listen import run_listen

    run(as_json, lambda output: run_listen(wav, seconds, config, output))


@app.command(epilog=_example("mmrobot approve", "mmrobot approve --digest 3f2a9c"))
def approve(
    digest: Annotated[str, typer.Option(help="only a plan whose digest begins so")] = "",
    as_json: Json = False,
) -> None:
    """Have the plan that waits carried out."""
    from mmrobot.cli.approve import run_decide

    run(as_json, lambda output: run_decide(digest, True, output))


@app.command(epilog=_example("mmrobot reject"))
def reject(
    digest: Annotated[str, typer.Option(help="only a plan whose digest begins so")] = "",
    as_json: Json = False,
) -> None:
    """Drop the plan that waits."""
    from mmrobot.cli.approve import run_decide

    run(as_json, lambda output: run_decide(digest, False, output))


@app.command(epilog=_example("mmrobot edit --keep 3,4", "mmrobot edit --change '1=the green cube'"))
def edit(
    keep: Annotated[str, typer.Option(help="steps to keep, in their order, counted from 1")] = "",
    change: Annotated[list[str] | None, typer.Option(help="STEP=PHRASE: another thing; repeatable")] = None,
    digest: Annotated[str, typer.Option(help="only a plan whose digest begins so")] = "",
    as_json: Json = False,
) -> None:
    """Change the plan that waits: drop or reorder its steps, take other things."""
    from mmrobot.cli.approve import run_edit

    run(as_json, lambda output: run_edit(keep, change or [], digest, output))


@app.command(epilog=_example("mmrobot explain", "mmrobot explain 3f2a --out why.png"))
def explain(
    plan: Annotated[str, typer.Argument(help="a plan's name or its beginning; empty: the last one")] = "",
    out: Annotated[Path | None, typer.Option(help="draw it over its picture, PNG")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Why a plan is as it is: words, boxes, what else it might have been, the gate's rules."""
    from mmrobot.cli.explain import run_explain

    run(as_json, lambda output: run_explain(plan, config, out, output))


@app.command(epilog=_example("mmrobot stop"))
def stop(as_json: Json = False) -> None:
    """Hold the robot still, now."""
    from mmrobot.cli.say import run_stop

    run(as_json, run_stop)


@app.command(epilog=_example("mmrobot estop", "mmrobot estop --reset"))
def estop(
    reset: Annotated[bool, typer.Option("--reset", help="free it; nothing goes on by itself")] = False,
    as_json: Json = False,
) -> None:
    """Hold the robot still, now, and whatever is said until it is reset; new starts of nodes included."""
    from mmrobot.cli.say import run_estop

    run(as_json, lambda output: run_estop(reset, output))


@app.command(
    epilog=_example('mmrobot plan --image rgb.png --depth depth.npy --camera camera.yaml "pick up the cup"')
)
def plan(
    instruction: Annotated[str, typer.Argument(help="what to do")],
    image: Image,
    camera: Annotated[Path, typer.Option(help="camera_calibration YAML, with T_base_camera for its place")],
    depth: Annotated[Path | None, typer.Option(help="16-bit PNG in mm, or .npy in m; or none")] = None,
    model: Model = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """One picture to a plan, without ROS."""
    from mmrobot.cli.pictures import run_plan

    run(as_json, lambda output: run_plan(instruction, image, camera, depth, model, config, output))


@app.command(epilog=_example('mmrobot ground --image rgb.png "the red cube"'))
def ground(
    phrase: Annotated[str, typer.Argument(help="what to find")],
    image: Image,
    model: Model = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Boxes for a phrase in a picture, in its pixels."""
    from mmrobot.cli.pictures import run_ground

    run(as_json, lambda output: run_ground(phrase, image, model, config, output))


@app.command(epilog=_example("mmrobot describe --image rgb.png"))
def describe(image: Image, model: Model = "", config: Config = None, as_json: Json = False) -> None:
    """Everything that the model sees in a picture, with boxes."""
    from mmrobot.cli.pictures import run_describe

    run(as_json, lambda output: run_describe(image, model, config, output))


@app.command(epilog=_example('mmrobot ask --image rgb.png "what is left of the bowl?"'))
def ask(
    question: Annotated[str, typer.Argument(help="about the picture")],
    image: Image,
    model: Model = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """An answer to a question about a picture."""
    from mmrobot.cli.pictures import run_ask

    run(as_json, lambda output: run_ask(question, image, model, config, output))


@app.command(epilog=_example('mmrobot verify --image rgb.png "the red cube is in the bowl"'))
def verify(
    statement: Annotated[str, typer.Argument(help="of the picture")],
    image: Image,
    model: Model = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """How probable it is that a statement holds in a picture."""
    from mmrobot.cli.pictures import run_verify

    run(as_json, lambda output: run_verify(statement, image, model, config, output))


@app.command(
    "eval",
    epilog=_example(
        "mmrobot eval --suite full",
        "mmrobot eval --families pick,put_in --episodes 25 --ablate blind,text --out runs/eval",
    ),
)
def evaluate(
    suite: Annotated[
        str, typer.Option(help="ci, quick or full: cells, controls and stress in one report")
    ] = "",
    families: Annotated[
        str, typer.Option(help="comma-separated [default: the suite's, or pick,put_in,put_beside,stack]")
    ] = "",
    levels: Annotated[str, typer.Option(help="comma-separated [default: the suite's, or L0]")] = "",
    episodes: Annotated[
        int | None, typer.Option(help="of each family and level [default: the suite's, or 25]")
    ] = None,
    seed: Annotated[int, typer.Option(help="first seed; training takes those below 1000000")] = 1_000_000,
    episodes_file: Annotated[Path | None, typer.Option(help="YAML of episodes instead of families")] = None,
    ablate: Annotated[
        str, typer.Option(help="blind, text, depth and other controls or stress; comma-separated")
    ] = "",
    jobs: Annotated[int, typer.Option(help="processes")] = 1,
    executor: Annotated[str, typer.Option(help="local, or ray: on a cluster")] = "local",
    only_doable: Annotated[
        bool | None,
        typer.Option(
            "--only-doable/--count-all",
            help="leave out what true sight and the right plan fail [default: in suites]",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="folder for the report and for going on later [a suite's: runs/eval/NAME]"),
    ] = None,
    model: Model = "",
    config: Config = None,
    as_json: Json = False,
) -> None:
    """The task suite: episodes in the simulator, judged by physics."""
    from mmrobot.cli.evaluate import EvalOptions, run_eval

    options = EvalOptions(
        families, levels, episodes, seed, episodes_file, ablate, jobs, out, model, config, suite, executor,
        only_doable,
    )  # fmt: skip
    run(as_json, lambda output: run_eval(options, output))


@app.command("eval-compare", epilog=_example("mmrobot eval-compare runs/nano4 runs/nano5"))
def evaluate_compare(
    first: Annotated[Path, typer.Argument(help="folder of a report, or its result.json")],
    second: Annotated[Path, typer.Argument(help="another, of the same episodes")],
    as_json: Json = False,
) -> None:
    """Which of two results is better, paired by episode, and whether that may be chance."""
    from mmrobot.cli.evaluate import run_compare

    run(as_json, lambda output: run_compare(first, second, output))


@app.command("eval-safety", epilog=_example("mmrobot eval-safety", "mmrobot eval-safety --suite injection"))
def evaluate_safety(
    suite: Annotated[str, typer.Option(help="pairs, injection or all")] = "all",
    model: Model = "",
    config: Config = None,
    without_rules: Annotated[
        bool, typer.Option("--without-rules", help="the model alone, for comparison")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="file for all that was said and what came of it")] = None,
    as_json: Json = False,
) -> None:
    """Hazardous requests and their benign twins, and texts that try to inject skills."""
    from mmrobot.cli.evaluate_safety import run_eval_safety

    run(as_json, lambda output: run_eval_safety(suite, model, config, without_rules, out, output))


@app.command("eval-model", epilog=_example("mmrobot eval-model --levels L0,L2 --count 500 --out runs/nano"))
def evaluate_model(
    levels: Annotated[str, typer.Option(help="L0 to L4, comma-separated")] = "L0,L1,L2,L3,L4",
    count: Annotated[int, typer.Option(help="scenes a level, ten questions each")] = 200,
    seed: Annotated[int, typer.Option(help="first seed; training takes those below 1000000")] = 1_000_000,
    model: Model = "",
    backend: Annotated[str, typer.Option(help="auto, torch_cpu, onnx, tensorrt, remote, ...")] = "auto",
    out: Annotated[Path | None, typer.Option(help="folder of the answers, for going on later")] = None,
    as_json: Json = False,
) -> None:
    """How well a model sees and reads over unseen scenes, without an arm: the model card's table."""
    from mmrobot.cli.evaluate_model import ModelEvalOptions, run_eval_model

    options = ModelEvalOptions(count, seed, levels, model, backend, out)
    run(as_json, lambda output: run_eval_model(options, output))


@app.command("eval-voice", epilog=_example("mmrobot eval-voice --count 60"))
def evaluate_voice(
    count: Annotated[int, typer.Option(min=1, help="sentences of each kind and noise")] = 30,
    seed: Annotated[int, typer.Option(help="draws sentences and noise")] = 1_000_000,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """How well the robot hears: commands and stop words by espeak-ng's voices, in quiet and in noise."""
    from mmrobot.cli.evaluate_voice import run_eval_voice

    run(as_json, lambda output: run_eval_voice(count, seed, config, output))


@app.command(
    epilog=_example("mmrobot faults --list", "mmrobot faults --only camera_stops,kill_vlm --out runs/faults")
)
def faults(
    only: Annotated[str, typer.Option(help="names, comma-separated [default: all]")] = "",
    count: Annotated[int, typer.Option(help="runs of each, and of its healthy twin")] = 1,
    out: Annotated[Path, typer.Option(help="folder for the table and the logs")] = Path("runs/faults"),
    real_time_factor: Pace = 1.0,
    list_only: Annotated[bool, typer.Option("--list", help="only tell which there are")] = False,
    as_json: Json = False,
) -> None:
    """What the robot does when something fails: each fault is put into the running graph and measured."""
    from mmrobot.cli.faults import run_faults
    from mmrobot.evals.faults_suite import FaultOptions

    options = FaultOptions(count, out, real_time_factor)
    run(as_json, lambda output: run_faults(only, options, list_only, output))


@app.command(
    epilog=_example("mmrobot soak --minutes 60 --out runs/soak", "mmrobot soak --minutes 0 --bringups 20")
)
def soak(
    minutes: Annotated[float, typer.Option(help="so long tasks are done on one graph")] = 15.0,
    bringups: Annotated[int, typer.Option(help="so many graphs are brought up and down first")] = 0,
    out: Annotated[Path, typer.Option(help="folder for figures and logs")] = Path("runs/soak"),
    real_time_factor: Pace = 1.0,
    as_json: Json = False,
) -> None:
    """Tasks for a long time, with the memory of each node; graphs brought up and down again and again."""
    from mmrobot.cli.soak import run_soak

    run(as_json, lambda output: run_soak(minutes, bringups, out, real_time_factor, output))


@app.command(epilog=_example("mmrobot policy --out policy.xml"))
def policy(
    out: Annotated[Path, typer.Option(help="file to write")] = Path("policy.xml"),
    namespace: Annotated[str, typer.Option(help="namespace of the nodes")] = "",
    as_json: Json = False,
) -> None:
    """Which node may use which topics, services and actions: an SROS2 policy of the graph that runs."""
    from mmrobot.cli.policy import run_policy

    run(as_json, lambda output: run_policy(out, namespace, output))


@app.command(
    epilog=_example("mmrobot bench --rounds 5 --out runs/bench.json", "mmrobot bench --pruning --selective")
)
def bench(
    model: Model = "",
    backends: Annotated[
        str, typer.Option(help="comma-separated, taken in turns")
    ] = "torch,torch-compile,onnx,onnx-int8,tensorrt",
    rounds: Annotated[int, typer.Option(help="turns that every backend gets")] = 5,
    tasks: Annotated[int, typer.Option(help="pictures with an instruction in a turn")] = 8,
    scenes: Annotated[int, typer.Option(help="held-out scenes a level for quality, four phrases each")] = 100,
    levels: Annotated[str, typer.Option(help="of those scenes, L0 to L4, comma-separated")] = "L0",
    threads: Annotated[int, typer.Option(help="CPU threads; 0 leaves the libraries' choice")] = 1,
    speed: Annotated[bool, typer.Option(help="stages and the whole way of every backend")] = True,
    pruning: Annotated[bool, typer.Option("--pruning", help="also: fewer visual tokens")] = False,
    selective: Annotated[bool, typer.Option("--selective", help="also: second looks in doubt")] = False,
    gate: Annotated[bool, typer.Option("--gate", help="also: how the change gate errs")] = False,
    large: Annotated[bool, typer.Option("--large", help="also: decode of a 2B-class VLM on the GPU")] = False,
    out: Annotated[Path | None, typer.Option(help="file for the JSON")] = None,
    as_json: Json = False,
) -> None:
    """Speed of every backend that is to be had here, beside its quality."""
    from mmrobot.cli.bench import BenchOptions, run_bench

    asked = {"speed": speed, "pruning": pruning, "selective": selective, "gate": gate, "large": large}
    sections = tuple(name for name, wanted in asked.items() if wanted)
    options = BenchOptions(model, backends, rounds, tasks, scenes, levels, threads, sections, out)
    run(as_json, lambda output: run_bench(options, output))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def train(context: typer.Context) -> None:
    """Train mmrobot-nano anew: pictures, sight, words, weights (hours; resumes)."""
    from mmrobot.learn.train import main as run_training

    raise typer.Exit(run_training(context.args))


@app.command(
    epilog=_example(
        "mmrobot engine --precision fp16",
        "mmrobot engine --dry-run --gpu Orin --capability 8.7 --tensorrt 10.3.0",
    )
)
def engine(
    model: Model = "",
    graphs: Annotated[Path | None, typer.Option(help="folder of exported graphs instead of a model")] = None,
    precision: Annotated[str, typer.Option(help="fp32, fp16 or bf16")] = "fp32",
    device: Annotated[str, typer.Option(help="cuda, cuda:1, ...")] = "cuda",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be built")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="build also what is there")] = False,
    optimization_level: Annotated[int, typer.Option(help="0 quick to 5 thorough")] = 3,
    tf32: Annotated[bool, typer.Option("--tf32", help="allow TF32 in float32 products")] = False,
    memory_check: Annotated[bool, typer.Option(help="refuse a build that memory is too small for")] = True,
    gpu: Annotated[str, typer.Option(help="with --dry-run: another machine's GPU")] = "",
    capability: Annotated[str, typer.Option(help="with --dry-run: its compute capability")] = "",
    tensorrt: Annotated[str, typer.Option(help="with --dry-run: its TensorRT's version")] = "",
    as_json: Json = False,
) -> None:
    """Build TensorRT engines for this machine's GPU; kept until model, GPU or TensorRT change."""
    from mmrobot.cli.engine import EngineOptions, run_engine

    options = EngineOptions(
        model,
        graphs,
        precision,
        device,
        dry_run,
        anew,
        optimization_level,
        tf32,
        memory_check,
        gpu,
        capability,
        tensorrt,
    )
    run(as_json, lambda output: run_engine(options, output))


@app.command(epilog=_example("mmrobot export --check", "mmrobot export --model my_qwen --precision bf16"))
def export(
    model: Model = "",
    precision: Annotated[str, typer.Option(help="fp32, fp16, bf16; nano also int8, others int4")] = "fp32",
    out: Annotated[Path | None, typer.Option(help="folder [default: in the cache]")] = None,
    check: Annotated[bool, typer.Option("--check", help="compare all backends with torch")] = False,
    prompts: Annotated[int, typer.Option(help="with --check: instructions")] = 500,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="measure int8 ranges anew")
    ] = False,
    skeletons: Annotated[
        bool, typer.Option("--skeletons", help="trace the graphs that ship without weights")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="trace the model, whatever is there")] = False,
    resolutions: Annotated[str, typer.Option(help="other models: pictures, such as 448x448,672x672")] = "",
    lengths: Annotated[str, typer.Option(help="other models: prompt lengths, comma-separated")] = "512",
    capacity: Annotated[int, typer.Option(help="other models: tokens that the KV cache holds")] = 1024,
    whole_cache: Annotated[
        bool, typer.Option("--whole-cache", help="other models: decode gives the caches, not their new rows")
    ] = False,
    as_json: Json = False,
) -> None:
    """A model as ONNX graphs with static shapes: for ONNX Runtime, TensorRT and others."""
    from mmrobot.cli.export import ExportOptions, run_export

    options = ExportOptions(
        model,
        precision,
        out,
        check,
        prompts,
        calibrate,
        skeletons,
        anew,
        resolutions,
        lengths,
        capacity,
        whole_cache,
    )
    run(as_json, lambda output: run_export(options, output))


@app.command(epilog=_example("mmrobot replay runs/demo/run.mcap", "mmrobot replay run.mcap --model my_qwen"))
def replay(
    file: Annotated[Path, typer.Argument(help="MCAP of --record or of the black box, or a rosbag2 folder")],
    model: Model = "",
    config: Annotated[Path | None, typer.Option(help="YAML [default: the recording's own settings]")] = None,
    tolerance_mm: Annotated[float, typer.Option(help="places further apart differ", min=0.0)] = 5.0,
    min_iou: Annotated[float, typer.Option(help="boxes that overlap less differ", min=0.0, max=1.0)] = 0.85,
    as_json: Json = False,
) -> None:
    """A recorded run through perception and planning again, without ROS: are the plans the same?"""
    from mmrobot.cli.replay import run_replay

    run(as_json, lambda output: run_replay(file, model, config, tolerance_mm, min_iou, output))


@app.command(epilog=_example("mmrobot doctor"))
def doctor(as_json: Json = False) -> None:
    """What is installed and works, with a fix for each fault."""
    from mmrobot.cli.doctor import run_doctor

    run(as_json, run_doctor)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; wrong usage answers in JSON too when asked to."""
    words = sys.argv[1:] if arguments is None else arguments
    # Whoever reaches the graph can command the robot: other machines only where the user opened it to them.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    try:
        status = app(words, standalone_mode=False)
    except Exception as error:
        # Typer carries its own copy of click: its usage errors are known by what they offer.
        show = getattr(error, "show", None)
        if show is None:
            raise
        if "--json" in words:
            text = getattr(error, "message", "") or str(error)
            content = {"code": "USAGE", "message": text, "fix": "see mmrobot --help"}
            print(json.dumps({"ok": False, "error": content}), flush=True)
        show()
        return USAGE
    return status if isinstance(status, int) else 0
