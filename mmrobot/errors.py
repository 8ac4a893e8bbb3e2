"""The one tree of errors. Codes equal the constants of mmrobot_msgs actions (a test holds them together).

Every error says what was wrong (with the value), and what to do about it (`fix`).
"""

from __future__ import annotations

from enum import IntEnum


class ErrorCode(IntEnum):
    """Result codes; `mmrobot_msgs` repeats them as constants of the same names."""

    NONE = 0
    INVALID_INSTRUCTION = 1
    NOT_UNDERSTOOD = 2
    TARGET_NOT_FOUND = 3
    AMBIGUOUS = 4
    NO_DEPTH = 5
    NO_CAMERA = 6
    STALE = 7
    TRANSFORM_UNAVAILABLE = 8
    INVALID_IMAGE = 9
    UNSAFE = 10
    UNREACHABLE = 11
    SKILL_UNKNOWN = 12
    GRASP_FAILED = 13
    EXECUTION_FAILED = 14
    CANCELLED = 15
    PREEMPTED = 16
    STOPPED = 17
    TIMEOUT = 18
    MODEL_UNAVAILABLE = 19
    MODEL_REPLY_INVALID = 20
    OPERATION_UNSUPPORTED = 21
    INVALID_CONFIG = 22
    INVALID_SCENE = 23
    UNSUPPORTED_SDF = 24
    ROBOT_UNAVAILABLE = 25
    BUSY = 26
    ALREADY_RUNNING = 27
    VERIFICATION_FAILED = 28
    INTERNAL = 99


class MmrobotError(Exception):
    """Base of all errors. `code` is the action's result code, `fix` tells the person what to do."""

    code = ErrorCode.INTERNAL

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def as_dict(self) -> dict[str, str]:
        """The `error` object of every command's JSON: code name, message, fix."""
        return {"code": self.code.name, "message": self.message, "fix": self.fix}


class InvalidInstructionError(MmrobotError):
    """The words cannot be an instruction: empty, too long, not text."""

    code = ErrorCode.INVALID_INSTRUCTION


class NotUnderstoodError(MmrobotError):
    """The model made no plan of the words."""

    code = ErrorCode.NOT_UNDERSTOOD


class TargetNotFoundError(MmrobotError):
    """A phrase names nothing that is in the picture."""

    code = ErrorCode.TARGET_NOT_FOUND


class AmbiguousError(MmrobotError):
    """A `phrase` for one thing fits several; `candidates` are their descriptions."""

    code = ErrorCode.AMBIGUOUS

    def __init__(
        self, message: str, fix: str = "", candidates: tuple[str, ...] = (), phrase: str = ""
    ) -> None:
        super().__init__(message, fix)
        self.candidates = candidates
        self.phrase = phrase


class NoDepthError(MmrobotError):
    """No valid depth where the target is seen, or no depth picture at all."""

    code = ErrorCode.NO_DEPTH


class NoCameraError(MmrobotError):
    """No picture has arrived, or none for too long."""

    code = ErrorCode.NO_CAMERA


class StaleError(MmrobotError):
    """A picture, target or approval is older than is allowed."""

    code = ErrorCode.STALE


class TransformUnavailableError(MmrobotError):
    """No transform between two frames at the stamp asked for."""

    code = ErrorCode.TRANSFORM_UNAVAILABLE


class InvalidImageError(MmrobotError):
    """An Image, CompressedImage or CameraInfo message is defective; `fault` names the defect for machines."""

    code = ErrorCode.INVALID_IMAGE

    def __init__(self, message: str, fix: str = "", fault: str = "") -> None:
        super().__init__(message, fix)
        self.fault = fault


class UnsafeError(MmrobotError):
    """The gate refused; `rule` names the rule, the message its value and bound."""

    code = ErrorCode.UNSAFE

    def __init__(self, message: str, fix: str = "", rule: str = "") -> None:
        super().__init__(message, fix)
        self.rule = rule


class UnreachableError(MmrobotError):
    """The arm has no posture for a pose that a skill needs."""

    code = ErrorCode.UNREACHABLE


class SkillUnknownError(MmrobotError):
    """No such skill in the catalogue, or the robot does not offer it."""

    code = ErrorCode.SKILL_UNKNOWN


class GraspFailedError(MmrobotError):
    """The hand closed and holds nothing, or lost what it held."""

    code = ErrorCode.GRASP_FAILED


class ExecutionFailedError(MmrobotError):
    """A motion was not carried out as commanded."""

    code = ErrorCode.EXECUTION_FAILED


class CancelledError(MmrobotError):
    """The goal was cancelled by its client."""

    code = ErrorCode.CANCELLED


class PreemptedError(MmrobotError):
    """A newer instruction took the goal's place."""

    code = ErrorCode.PREEMPTED


class StoppedError(MmrobotError):
    """Somebody said stop."""

    code = ErrorCode.STOPPED


class DeadlineError(MmrobotError):
    """Something took longer than it may."""

    code = ErrorCode.TIMEOUT


class ModelUnavailableError(MmrobotError):
    """Weights missing, damaged, of the wrong kind, or too large for the memory."""

    code = ErrorCode.MODEL_UNAVAILABLE


class VoiceUnavailableError(MmrobotError):
    """A microphone, a recogniser, a speech engine or its files are missing."""

    code = ErrorCode.MODEL_UNAVAILABLE


class InvalidAudioError(MmrobotError):
    """Sound that cannot be listened to: no WAV file, too long, an odd rate."""

    code = ErrorCode.INVALID_INSTRUCTION


class ModelReplyInvalidError(MmrobotError):
    """The model's reply does not fit the schema."""

    code = ErrorCode.MODEL_REPLY_INVALID


class OperationUnsupportedError(MmrobotError):
    """The model does not offer this one of the five operations."""

    code = ErrorCode.OPERATION_UNSUPPORTED


class InvalidConfigError(MmrobotError):
    """A configuration file or parameter is wrong."""

    code = ErrorCode.INVALID_CONFIG


class InvalidSceneError(MmrobotError):
    """An episode or scene file is wrong."""

    code = ErrorCode.INVALID_SCENE


class UnsupportedSdfError(MmrobotError):
    """An SDF element that the embedded simulator does not support."""

    code = ErrorCode.UNSUPPORTED_SDF


class RobotUnavailableError(MmrobotError):
    """No `execute_skill` server, no joint states, or the robot went silent."""

    code = ErrorCode.ROBOT_UNAVAILABLE


class BusyError(MmrobotError):
    """Another goal is being carried out and may not be pre-empted."""

    code = ErrorCode.BUSY


class AlreadyRunningError(MmrobotError):
    """A second simulator or robot on the same ROS domain."""

    code = ErrorCode.ALREADY_RUNNING


class VerificationFailedError(MmrobotError):
    """A step ended, but its postcondition does not hold."""

    code = ErrorCode.VERIFICATION_FAILED
