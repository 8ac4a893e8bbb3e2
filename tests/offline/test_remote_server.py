"""The remote backend against a real engine: `transformers serve` with a tiny model of random weights."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from mmrobot.config import RemoteConfig
from mmrobot.errors import ModelUnavailableError
from mmrobot.types import ScoredBox
from mmrobot.vlm.chat_vlm import ChatVlm
from mmrobot.vlm.families.catalogue import family_named
from mmrobot.vlm.ladder import Ladder, Rung
from mmrobot.vlm.remote_backend import RemoteChat
from mmrobot.vlm.remote_protocol import RemoteRefusedError, RemoteUnavailableError
from tests.support import tiny_vlms

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]

PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
SCHEMA = {"type": "object"}
LONG = 4000  # tokens: many seconds, even for a model as tiny as this
START_S = 240.0
TIMEOUT_S = 60.0


class Server:
    """`transformers serve` as a process."""

    def __init__(self, model: Path) -> None:
        self.model = str(model)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        command = ["serve", self.model, "--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu"]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self.log = model.parent / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "transformers.cli.transformers", *command],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.2)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def tiny_eyes(folder: Path) -> Path:
    """A model whose weights are so large that each pixel and each word changes what it writes."""
    torch.manual_seed(0)
    model, processor = tiny_vlms.BUILDERS["idefics3"]()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tiny_eyes(tmp_path_factory.mktemp("serve") / "tiny-eyes"))
    try:
        started.wait()
        yield started
    finally:
        started.kill()


def settings(server: Server, **more: object) -> RemoteConfig:
    return RemoteConfig(url=server.url, **{"model": server.model, "timeout_s": TIMEOUT_S, **more})


def test_a_request_is_answered_and_picture_and_words_matter(server: Server) -> None:
    with RemoteChat(settings(server)) as remote:
        said = remote.reply(PICTURE, "what is there?", SCHEMA, 24)
        assert said == remote.reply(PICTURE, "what is there?", SCHEMA, 24), "greedy replies are the same"
        assert 0 < len(said) <= 24 * 8
        assert remote.reply(PICTURE, "and on the left?", SCHEMA, 24) != said
        assert remote.reply(255 - PICTURE, "what is there?", SCHEMA, 24) != said
        assert remote.last_confidence is None, "this server tells no probabilities"


def test_a_wrong_model_is_refused_with_the_servers_words(server: Server) -> None:
    with (
        RemoteChat(settings(server, model="other-eyes")) as remote,
        pytest.raises(RemoteRefusedError) as told,
    ):
        remote.reply(PICTURE, "what is there?")
    assert "other-eyes" in told.value.message and "400" in told.value.message


class Near:
    """The rung below: a model that is always there."""

    name, operations = "near", frozenset({"ground"})

    def ground(self, image_rgb: np.ndarray, phrase: str) -> tuple[ScoredBox, ...]:
        return (ScoredBox(phrase, (0.0, 0.0, 1.0, 1.0), 1.0),)


def test_killed_mid_request_it_is_a_named_error_and_the_ladder_steps_down(server: Server) -> None:
    class Endless(RemoteChat):
        """Asks for so many tokens that the server is killed before it is done."""

        def reply(self, image_rgb, prompt, schema=None, max_tokens=0):  # type: ignore[no-untyped-def]
            return super().reply(image_rgb, prompt, None, LONG)

    remote = ChatVlm(family_named("gemini"), Endless(settings(server)))
    told: list[str] = []
    ladder = Ladder(
        "eyes",
        [Rung("remote", lambda: remote), Rung("near", Near)],  # type: ignore[list-item, arg-type]
        lambda model: None,
        lambda words, fault: told.append(words),
    )
    assert ladder.standing.rung == "remote"
    killer = threading.Timer(1.5, server.kill)
    started = time.monotonic()
    killer.start()
    with pytest.raises(RemoteUnavailableError, match="failed 3 times") as fault:
        ladder.ground(PICTURE, "the red cube")
    took_s = time.monotonic() - started
    assert 1.4 < took_s < 30.0, "it was in the middle of its reply, and the end was noticed at once"
    assert isinstance(fault.value, ModelUnavailableError) and server.url in fault.value.message
    assert ladder.ground(PICTURE, "the red cube")[0].label == "the red cube"
    assert ladder.standing.rung == "near" and server.url in dict(ladder.standing.passed_over)["remote"]
    assert told[1].startswith("eyes leaves remote:") and told[2].startswith("near serves from near")
