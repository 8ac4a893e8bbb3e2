"""Every default of mmrobot, once. `config/mmrobot.yaml` repeats them for people; a test holds both together.

Lengths are metres, times seconds, angles radians, unless a name says otherwise.
"""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mmrobot.errors import InvalidConfigError


class Section(BaseModel):
    """A part of the configuration: frozen, checked, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class WorkArea(Section):
    """Where things may be taken from and put, in base_link."""

    x_min_m: float = Field(default=0.25, ge=-2, le=2, description="nearest to the robot")
    x_max_m: float = Field(default=0.65, ge=-2, le=2, description="furthest from the robot")
    y_min_m: float = Field(default=-0.35, ge=-2, le=2, description="right edge")
    y_max_m: float = Field(default=0.35, ge=-2, le=2, description="left edge")
    table_z_m: float = Field(default=0.0, ge=-1, le=2, description="height of the table top")

    @model_validator(mode="after")
    def _ordered(self) -> WorkArea:
        if self.x_max_m <= self.x_min_m or self.y_max_m <= self.y_min_m:
            raise ValueError(
                f"work area is empty: x {self.x_min_m}..{self.x_max_m}, y {self.y_min_m}..{self.y_max_m}"
            )
        return self

    def contains(self, x_m: float, y_m: float, margin_m: float = 0.0) -> bool:
        """Whether a point lies inside; a positive margin widens the area."""
        return (
            self.x_min_m - margin_m <= x_m <= self.x_max_m + margin_m
            and self.y_min_m - margin_m <= y_m <= self.y_max_m + margin_m
        )


class CameraConfig(Section):
    """What is asked of pictures."""

    pair_tolerance_s: float = Field(
        default=0.02, gt=0, le=1, description="colour, depth and info belong together within"
    )
    queue_size: int = Field(
        default=8, ge=1, le=100, description="pictures kept while their partners are waited for"
    )
    max_age_s: float = Field(default=0.6, gt=0, le=60, description="older pictures are not looked at")
    timeout_s: float = Field(default=1.5, gt=0, le=60, description="a camera silent for this long is dead")
    depth_timeout_s: float = Field(default=1.5, gt=0, le=60, description="depth silent for this long is dead")
    min_depth_m: float = Field(default=0.1, gt=0, le=5, description="nearer depth is invalid")
    max_depth_m: float = Field(default=4.0, gt=0, le=100, description="further depth is invalid")
    max_pixels: int = Field(default=33_554_432, ge=1, description="larger pictures are refused")
    transform_timeout_s: float = Field(
        default=0.2, ge=0, le=10, description="wait for TF at a picture's stamp"
    )


Rung = Literal["tensorrt", "torch_cuda", "onnx", "torch_cpu", "remote"]


class ModelConfig(Section):
    """The vision-language model. Of `ladder`, the first rung that works serves, the next when it fails."""

    name: str = Field(
        default="mmrobot-nano", min_length=1, description="a registered name, a folder or a hub name"
    )
    device: str = Field(
        default="auto", min_length=1, description="auto, cpu, cuda, cuda:0, ...: rungs elsewhere are left out"
    )
    # YAML gives a list where a frozen section wants a tuple.
    ladder: tuple[Rung, ...] = Field(
        default=("tensorrt", "torch_cuda", "onnx", "torch_cpu", "remote"),
        min_length=1,
        strict=False,
        description="what is tried, best first",
    )
    threads: int = Field(
        default=1, ge=0, le=256, description="CPU threads for inference; 0 leaves the library's choice"
    )
    timeout_s: float = Field(
        default=9.0,
        gt=0,
        le=600,
        description="a plan or an answer may take this long; raise it for a slow model",
    )


class RemoteConfig(Section):
    """A model behind an OpenAI-compatible server (vLLM, TensorRT-LLM, SGLang, llama.cpp): pictures leave."""

    url: str = Field(default="", description="such as http://127.0.0.1:8000/v1; empty: no remote model")
    model: str = Field(default="", description="its name there; empty: the only one that the server offers")
    family: str = Field(default="gemini", min_length=1, description="how it is prompted and understood")
    key_variable: str = Field(default="", description="environment variable that holds the API key")
    allow_plain_http: bool = Field(
        default=False, description="true: pictures may go unencrypted to other machines"
    )
    picture_format: Literal["jpeg", "png"] = Field(default="jpeg", description="jpeg or png")
    connect_timeout_s: float = Field(default=2.0, gt=0, le=60, description="to reach the server")
    timeout_s: float = Field(default=20.0, gt=0, le=600, description="for one reply, all retries included")
    retries: int = Field(
        default=2, ge=0, le=10, description="more tries after a broken connection, 429 or 5xx"
    )


class GroundingConfig(Section):
    """How sure the model must be of a box, and what counts as two."""

    threshold: float = Field(default=0.5, ge=0, le=1, description="boxes with a lower score are not there")
    rival_ratio: float = Field(
        default=0.6, ge=0, le=1, description="a rival scores at least this part of the best"
    )
    duplicate_iou: float = Field(
        default=0.55, gt=0, le=1, description="boxes that overlap more are one thing"
    )
    moved_m: float = Field(
        default=0.015, gt=0, le=0.5, description="a thing further from where it was has moved"
    )
    same_place_m: float = Field(
        default=0.04, gt=0, le=0.5, description="a thing nearer to where it was may be the same"
    )
    outside_margin_m: float = Field(
        default=0.10, ge=0, le=1, description="things further out of the work area are ignored"
    )
    without_depth: bool = Field(
        default=True, description="while depth is gone, things are located by their outlines on the table"
    )
    reuse_unchanged: bool = Field(
        default=True, description="while nothing moves, what the last picture showed still holds"
    )
    reuse_max_age_s: float = Field(
        default=2.0, gt=0, le=60, description="but not for longer than this without a new look"
    )


class PlanningConfig(Section):
    """Geometry of places."""

    beside_gap_m: float = Field(
        default=0.028, gt=0, le=0.2, description="between footprints for left of, right of, ..."
    )
    beside_gap_min_m: float = Field(
        default=0.018, gt=0, le=0.2, description="narrowest gap, when all else is blocked"
    )
    beside_gap_max_m: float = Field(
        default=0.055, gt=0, le=0.3, description="widest gap when nearer spots are blocked"
    )
    beside_angle_max_rad: float = Field(
        default=0.6, ge=0, le=0.78, description="off the relation's axis when blocked"
    )
    clearance_m: float = Field(default=0.012, ge=0, le=0.2, description="between a placed thing and others")
    hand_clearance_m: float = Field(
        default=0.03, ge=0, le=0.2, description="wished for, so that the fingers fit"
    )
    edge_margin_m: float = Field(
        default=0.0, ge=0, le=0.2, description="goals stay this far inside of the work area"
    )
    push_m: float = Field(default=0.10, gt=0, le=0.4, description="how far a push takes a thing")
    drop_height_m: float = Field(
        default=0.004, ge=0, le=0.1, description="the underside is let go this high over its goal"
    )
    avoid_clearance_m: float = Field(
        default=0.02, ge=0, le=0.2, description="kept from things that must not be touched, on all sides"
    )
    claim_margin: float = Field(
        default=0.1, ge=0, lt=0.5, description='"if ..." is judged only so far from a probability of one half'
    )
    max_steps: int = Field(default=24, ge=1, le=200, description="longer plans are refused")


class GateConfig(Section):
    """Bounds of the safety gate."""

    min_confidence: float = Field(
        default=0.2, ge=0, le=1, description="steps of lower confidence are refused"
    )
    max_target_age_s: float = Field(
        default=6.0, gt=0, le=600, description="targets seen longer ago are refused"
    )
    max_plan_age_s: float = Field(
        default=60.0, gt=0, le=3600, description="plans on older pictures are refused"
    )
    max_future_s: float = Field(
        default=0.5, ge=0, le=60, description="stamps further in the future are refused"
    )
    min_height_m: float = Field(
        default=-0.015, ge=-1, le=1, description="lowest point over the table top, noise included"
    )
    max_push_m: float = Field(default=0.5, gt=0, le=2, description="nothing is pushed further at once")
    max_height_m: float = Field(
        default=0.45, gt=0, le=3, description="highest top of a target or goal over the table"
    )
    max_object_m: float = Field(default=0.30, gt=0, le=2, description="larger targets are not picked")
    area_margin_m: float = Field(
        default=0.02, ge=0, le=0.5, description="centres may lie this far out of the work area"
    )
    max_joint_speed_rad_s: float = Field(default=2.5, gt=0, le=20, description="commanded joint speed")
    max_tcp_speed_m_s: float = Field(default=1.2, gt=0, le=10, description="commanded speed of the hand")
    hazards_file: str = Field(
        default="", description="rules about words and things; empty: mmrobot/safety/hazards.yaml"
    )
    max_text_length: int = Field(default=500, ge=1, le=10_000, description="longer words are not spoken")


class MotionConfig(Section):
    """How the shipped arm moves."""

    joint_speed_rad_s: float = Field(default=1.8, gt=0, le=10, description="joint speed")
    joint_acceleration_rad_s2: float = Field(default=6.0, gt=0, le=100, description="joint acceleration")
    travel_speed_m_s: float = Field(default=1.0, gt=0, le=3, description="of the hand through free space")
    push_speed_m_s: float = Field(
        default=0.06, gt=0, le=0.5, description="of the hand that pushes: what rolls shall not run away"
    )
    contact_speed_m_s: float = Field(default=0.12, gt=0, le=1, description="of the hand near things")
    approach_height_m: float = Field(default=0.10, gt=0, le=0.5, description="over a grasp before going down")
    carry_height_m: float = Field(
        default=0.22, gt=0, le=0.6, description="of the tool over the table when carrying"
    )
    window_s: float = Field(
        default=0.3, gt=0, le=2, description="no command to the arm reaches further ahead"
    )
    gripper_force_n: float = Field(default=20.0, gt=0, le=200, description="of each finger")


class RunnerConfig(Section):
    """How plans are carried out."""

    tick_s: float = Field(default=0.02, gt=0, le=1, description="between two looks at the skill's status")
    look_timeout_s: float = Field(
        default=9.0, gt=0, le=600, description="for a fresh look before contact; raise it for a slow model"
    )
    step_timeout_s: float = Field(default=60.0, gt=0, le=3600, description="for one skill")
    plan_timeout_s: float = Field(default=300.0, gt=0, le=36_000, description="for a whole plan")
    grasp_retries: int = Field(default=2, ge=0, le=10, description="more tries after a failed grasp")
    place_retries: int = Field(
        default=1, ge=0, le=10, description="more tries when a placed thing is not where it should be"
    )
    look_retries: int = Field(
        default=1, ge=0, le=10, description="more looks, from home, when something is not seen"
    )
    repairs: int = Field(default=1, ge=0, le=10, description="more tries for what is found moved at the end")
    verify_place: bool = Field(
        default=True, description="look again after placing and at the end, and say so when it went wrong"
    )
    verify_tolerance_m: float = Field(
        default=0.06, gt=0, le=1, description="a placed thing may be this far from its goal"
    )


class HeartbeatConfig(Section):
    """Who is alive."""

    period_s: float = Field(default=0.1, gt=0, le=10, description="between two beats, wall time")
    timeout_s: float = Field(
        default=0.35, gt=0, le=60, description="a beat missed for longer holds the robot"
    )
    give_up_s: float = Field(
        default=3.0, gt=0, le=600, description="a hold may last this long, then the step fails"
    )
    startup_s: float = Field(default=20.0, gt=0, le=600, description="wait for the other nodes at the start")

    @model_validator(mode="after")
    def _ordered(self) -> HeartbeatConfig:
        if self.give_up_s < self.timeout_s:
            raise ValueError(f"give_up_s {self.give_up_s} is less than timeout_s {self.timeout_s}: raise it")
        return self


class CommandConfig(Section):
    """Words."""

    dialogue_turns: int = Field(default=8, ge=0, le=100, description="earlier turns that the model is told")
    answer_within_s: float = Field(
        default=60.0, gt=0, le=3600, description='words that come later are no answer to "which one?"'
    )
    confirm_below: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description="a sentence read less surely is read back and waits for a yes; 0: never",
    )
    confirm_moving_below: float = Field(
        default=0.9, ge=0, le=1, description="the same while a plan is carried out, for words that might ask"
    )
    read_within_s: float = Field(
        default=2.0, gt=0, le=60, description="words said meanwhile that take longer to read end the plan"
    )
    approval: Literal["never", "risky", "always"] = Field(
        default="never", description="which plans wait for approve_plan: never, risky, always"
    )
    approve_within_s: float = Field(
        default=50.0, gt=0, le=3600, description="a plan waits so long, then it is dropped"
    )
    hold_for_s: float = Field(
        default=600.0,
        gt=0,
        le=86400,
        description='a held request waits so long for "go on", then it is dropped',
    )
    max_queued: int = Field(default=8, ge=0, le=100, description='requests that wait after "then ..."')
    max_conversations: int = Field(
        default=16, ge=1, le=1000, description="remembered at once, the oldest go first"
    )


class ConsoleConfig(Section):
    """The page for a browser (mmrobot/console)."""

    host: str = Field(
        default="127.0.0.1", min_length=1, description="address; another than this machine's is a risk"
    )
    port: int = Field(default=8765, ge=0, le=65535, description="0: a free one")
    names: str = Field(default="", description="host names that it answers to besides, comma between")
    token: str = Field(default="", description="the secret of its address; empty: a new one at each start")
    picture_hz: float = Field(default=8.0, gt=0, le=30, description="pictures shown in a second")
    max_pages: int = Field(default=8, ge=1, le=100, description="pages open at once")
    max_message_bytes: int = Field(
        default=65536, ge=1024, le=10_000_000, description="larger messages are refused"
    )
    messages_per_s: float = Field(default=60.0, gt=1, le=1000, description="more close a page's connection")
    max_jobs: int = Field(
        default=8, ge=1, le=100, description="requests of one page at once; a stop always passes"
    )


class RiskConfig(Section):
    """With approval "risky", plans beyond these wait for a person (mmrobot/safety/risk.py)."""

    sure_from: float = Field(default=0.9, ge=0, le=1, description="a plan of lower confidence is risky")
    located_within_m: float = Field(
        default=0.008,
        gt=0,
        le=1,
        description="one standard deviation of where a thing is, along the worst axis",
    )
    max_height_m: float = Field(
        default=0.10, ge=0, le=3, description="something is put higher over the table"
    )
    edge_m: float = Field(default=0.03, ge=0, le=0.5, description="something is put nearer to the edge")
    max_moves: int = Field(default=8, ge=1, le=200, description="the plan has more picks, places and pushes")


class VoiceConfig(Section):
    """Speech in and out (mmrobot/voice); the voice node runs with `--voice` or voice:=true."""

    microphone: str = Field(
        default="", description="a sound device's name or number; empty: the default one; none: only 'audio'"
    )
    wake_words: str = Field(
        default="robot, hey robot",
        description="said before a command, a comma between; empty: all that is said is meant for the robot",
    )
    awake_s: float = Field(
        default=10.0, ge=0, le=600, description="after words with it, none is needed for so long"
    )
    recogniser: Literal["moonshine", "faster-whisper", "sherpa-onnx"] = Field(
        default="moonshine",
        description="moonshine (nothing to download), faster-whisper, sherpa-onnx",
    )
    model: str = Field(default="", description="weights of faster-whisper or sherpa-onnx: a folder")
    speech_from: float = Field(
        default=0.5, gt=0.15, lt=1, description="silero-vad's probability from which sound is speech"
    )
    least_speech_s: float = Field(default=0.15, gt=0, le=5, description="shorter sounds are no speech")
    end_silence_s: float = Field(
        default=0.5, gt=0.05, le=5, description="so long a silence ends what was said"
    )
    whole_end_silence_s: float = Field(
        default=0.22, gt=0.05, le=5, description="so long a silence ends what is surely a whole sentence"
    )
    longest_s: float = Field(default=12.0, ge=1, le=60, description="what is said is cut there")
    ignore_below: float = Field(default=0.04, ge=0, le=1, description="words heard less surely are none")
    confirm_below: float = Field(
        default=0.22, ge=0, le=1, description="words heard less surely are read back: did you say ...?"
    )
    answer_within_s: float = Field(
        default=15.0, gt=0, le=600, description="a later yes is none to what was read back"
    )
    stop_from: float = Field(default=0.2, ge=0, le=1, description="a stop word heard less surely is none")
    speech_engine: Literal["espeak-ng", "piper", "none"] = Field(
        default="espeak-ng", description="espeak-ng, piper, none: words are only shown"
    )
    speech_voice: str = Field(default="en-us", min_length=1, description="espeak-ng's voice")
    speech_words_per_minute: int = Field(default=165, ge=80, le=450, description="espeak-ng's speed")
    piper_model: str = Field(default="", description="piper's voice file, .onnx")
    loudspeaker: str = Field(
        default="",
        description="a sound device's name or number; empty: the default one; none: only 'speech/audio'",
    )
    echo_s: float = Field(
        default=0.4, ge=0, le=5, description="nothing is heard so long after the robot spoke"
    )

    @property
    def names(self) -> tuple[str, ...]:
        """What the robot is called."""
        return tuple(name.strip() for name in self.wake_words.split(",") if name.strip())


class AuditConfig(Section):
    """What is kept of each instruction, so that it can be explained; it stays on this machine."""

    enabled: bool = Field(default=True, description="false: nothing is kept")
    directory: str = Field(default="", description="folder; empty: mmrobot/audit in your own data folder")
    keep: int = Field(default=200, ge=1, le=100_000, description="records kept at most, the oldest go first")
    max_mb: float = Field(default=100.0, gt=0, le=1e6, description="megabytes kept at most")
    keep_days: float = Field(default=7.0, gt=0, le=3650, description="days that a record is kept at most")
    redact: bool = Field(default=False, description="true: neither pictures nor words are kept")


class RecordingConfig(Section):
    """Recordings of runs. All of it stays on this machine, and nothing is recorded unless asked for."""

    frames_hz: float = Field(
        default=1.0, ge=0, le=30, description="exact pictures a second, beside those that a plan rests on"
    )
    black_box: bool = Field(
        default=False, description="true: the last seconds are remembered, and written when something fails"
    )
    black_box_s: float = Field(default=30.0, gt=0, le=600, description="how many seconds")
    black_box_mb: float = Field(default=256.0, gt=0, le=1e5, description="megabytes of memory for them")
    directory: str = Field(default="", description="folder; empty: mmrobot/black_box in your own data folder")
    keep: int = Field(default=10, ge=1, le=10_000, description="files kept at most, the oldest go first")
    max_mb: float = Field(default=500.0, gt=0, le=1e6, description="megabytes kept at most")
    keep_days: float = Field(default=7.0, gt=0, le=3650, description="days that a file is kept at most")


class NavigationConfig(Section):
    """Where a mobile base may be sent by name. Empty: the skill `navigate` is never planned."""

    places: dict[str, tuple[float, float, float]] = Field(
        default={}, description="name: [x, y, yaw] in the frame below, such as {kitchen: [2.0, 0.5, 1.57]}"
    )
    frame_id: str = Field(default="map", min_length=1, description="frame of the places")

    @field_validator("places", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        # YAML has lists, and whole numbers are welcome too.
        if not isinstance(value, dict):
            return value
        lists = {k: [float(v) if isinstance(v, int) else v for v in pose] if isinstance(pose, list) else pose
                 for k, pose in value.items()}  # fmt: skip
        return {k: tuple(pose) if isinstance(pose, list) else pose for k, pose in lists.items()}


class Config(Section):
    """All of it."""

    work_area: WorkArea = WorkArea()
    camera: CameraConfig = CameraConfig()
    model: ModelConfig = ModelConfig()
    remote: RemoteConfig = RemoteConfig()
    grounding: GroundingConfig = GroundingConfig()
    planning: PlanningConfig = PlanningConfig()
    gate: GateConfig = GateConfig()
    motion: MotionConfig = MotionConfig()
    runner: RunnerConfig = RunnerConfig()
    heartbeat: HeartbeatConfig = HeartbeatConfig()
    command: CommandConfig = CommandConfig()
    risk: RiskConfig = RiskConfig()
    console: ConsoleConfig = ConsoleConfig()
    audit: AuditConfig = AuditConfig()
    recording: RecordingConfig = RecordingConfig()
    navigation: NavigationConfig = NavigationConfig()
    voice: VoiceConfig = VoiceConfig()


def default_config_file() -> Path | None:
    """`config/mmrobot.yaml` of this checkout, or None when there is none (the defaults are in this file)."""
    path = Path(__file__).resolve().parent.parent / "config" / "mmrobot.yaml"
    return path if path.is_file() else None


def load_config(path: str | Path | None = None) -> Config:
    """The configuration of a YAML file; None gives the defaults. Absent keys keep their defaults.

    Raises InvalidConfigError naming the key, the value and what is allowed.
    """
    if path is None:
        return Config()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidConfigError(
            f"cannot read configuration '{path}': {error.strerror}", "give the path of a readable YAML file"
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidConfigError(
            f"configuration '{path}' is not text: {error}", "save it as UTF-8 YAML"
        ) from error
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidConfigError(
            f"configuration '{path}' is not YAML: {_one_line(error)}", "see config/mmrobot.yaml for the form"
        ) from error
    return config_from_dict({} if values is None else values, str(path))


def config_from_dict(values: object, source: str = "configuration") -> Config:
    """A checked Config of nested mappings; `source` goes into the error's message."""
    if not isinstance(values, dict):
        raise InvalidConfigError(
            f"{source} holds {type(values).__name__} {str(values)[:60]!r}, not sections",
            "write sections as in config/mmrobot.yaml",
        )
    try:
        # YAML has no way to tell 1 from 1.0; integers are welcome where a float is asked for.
        return Config.model_validate(values)
    except ValidationError as error:
        raise _invalid(error, source) from error


def config_as_yaml(config: Config | None = None) -> str:
    """The configuration as commented YAML: what `config/mmrobot.yaml` holds."""
    config = config or Config()
    lines = [
        "# Every setting of mmrobot with its default. Metres, seconds, radians. Absent keys keep them.",
    ]
    for name in Config.model_fields:
        section: Section = getattr(config, name)
        lines += ["", f"# {(type(section).__doc__ or '').strip()}", f"{name}:"]
        for key, field in type(section).model_fields.items():
            value = yaml.safe_dump(getattr(section, key), default_flow_style=True).split("\n")[0]
            lines.append(f"  {key}: {value}".ljust(36) + f"  # {field.description}")
    return "\n".join(lines) + "\n"


def _invalid(error: ValidationError, source: str) -> InvalidConfigError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "work_area"
    value = first.get("input")
    if first["type"] == "extra_forbidden":
        known = _known_keys()
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
        return InvalidConfigError(
            f"{source}: unknown key '{key}' with value {_short(value)}", f"did you mean '{near[0]}'?"
        )
    context: dict[str, Any] = first.get("ctx") or {}
    if first["type"] == "value_error":
        return InvalidConfigError(f"{source}: '{key}': {context.get('error')}", "widen the range")
    return InvalidConfigError(
        f"{source}: '{key}' is {_short(value)}: {first['msg'].lower()}",
        f"set '{key}' to {_allowed(key)}",
    )


def _known_keys() -> list[str]:
    keys = list(Config.model_fields)
    for name in Config.model_fields:
        section = getattr(Config(), name)
        keys += [f"{name}.{key}" for key in type(section).model_fields]
    return keys


def _allowed(key: str) -> str:
    """What a key takes: type, range, default, in words."""
    section_name, _, name = key.partition(".")
    section = getattr(Config(), section_name, None)
    if section is None or name not in type(section).model_fields:
        return "a section of keys, as in config/mmrobot.yaml"
    field = type(section).model_fields[name]
    words = {"float": "a number", "int": "a whole number", "str": "text", "bool": "true or false"}
    kind = words.get(getattr(field.annotation, "__name__", ""), "a value")
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "of length >="}
    bounds = [
        f"{sign} {getattr(limit, attribute)}"
        for limit in field.metadata
        for attribute, sign in signs.items()
        if getattr(limit, attribute, None) is not None
    ]
    return f"{kind} {' and '.join(bounds)}".strip() + f" (default {field.default})"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    print(config_as_yaml(), end="")
