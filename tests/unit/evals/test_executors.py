"""Wherever tasks are played, each gives its own result."""

from __future__ import annotations

import importlib.util

import pytest

from mmrobot.errors import InvalidConfigError
from mmrobot.evals import executors
from mmrobot.evals.executors import check_executor, play_all
from mmrobot.evals.words import gibberish


def square(n: int) -> int:
    return n * n


def test_in_this_process_one_after_another():
    assert list(play_all(square, [3, 1, 2])) == [(3, 9), (1, 1), (2, 4)]
    assert list(play_all(square, [])) == []


def test_in_several_processes():
    assert dict(play_all(abs, [-1, -2, -3], jobs=2)) == {-1: 1, -2: 2, -3: 3}


def test_an_executor_that_nobody_knows():
    with pytest.raises(InvalidConfigError, match="'moon' is unknown"):
        check_executor("moon")
    check_executor("local")


def test_without_ray_the_fix_is_told(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(executors, "import_module", absent)
    with pytest.raises(InvalidConfigError, match="needs Ray") as caught:
        check_executor("ray")
    assert "pip install 'ray" in caught.value.fix


class FakeRay:
    """Ray as far as it is used: tasks are done when waited for, the last first."""

    def __init__(self) -> None:
        self.most_at_once = self.began = self.ended = 0

    def is_initialized(self):
        return False

    def init(self, **options):
        self.began += 1

    def shutdown(self):
        self.ended += 1

    def cluster_resources(self):
        return {"CPU": 1.0}

    def remote(self, **options):
        class Remote:
            def __init__(self, function):
                self.function = function

            def remote(self, task):
                return ("later", self.function, task)

        return Remote

    def wait(self, running, num_returns):
        self.most_at_once = max(self.most_at_once, len(running))
        return [running[-1]], running[:-1]

    def get(self, handle):
        return handle[1](handle[2])


def test_on_a_cluster_a_few_tasks_at_a_time(monkeypatch):
    ray = FakeRay()
    monkeypatch.setattr(executors, "_ray", lambda: ray)
    assert dict(play_all(square, list(range(20)), "ray")) == {n: n * n for n in range(20)}
    assert ray.most_at_once == 4
    assert (ray.began, ray.ended) == (1, 1)


def test_a_fault_on_the_cluster_ends_it(monkeypatch):
    ray = FakeRay()
    monkeypatch.setattr(executors, "_ray", lambda: ray)
    with pytest.raises(ZeroDivisionError):
        list(play_all(lambda n: 1 // n, [0], "ray"))
    assert ray.ended == 1


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed (240 MB): optional")
def test_on_a_true_ray_of_this_machine(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert dict(play_all(gibberish, ["put", "it down"], "ray")) == {
        words: gibberish(words) for words in ("put", "it down")
    }
