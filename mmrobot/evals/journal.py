"""What a suite writes down while it runs, so that one that was broken off goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.results import EpisodeResult


class Journal:
    """Results as lines of JSON in `episodes.jsonl`, each with its key, its episode's hash and the hash of the
    code that played it, flushed; nothing without a folder."""

    def __init__(self, folder: Path | None, code: str) -> None:
        self._path = None if folder is None else folder / "episodes.jsonl"
        self._code = code
        self._mends = self._path is not None and self._path.exists() and self._ends_within_a_line(self._path)
        self.codes: set[str] = set()
        """Of all lines: more than one where the code was changed on the way."""

    def read(self, hashes: dict[str, str]) -> dict[str, EpisodeResult]:
        """Results by key, of those keys that are asked for.

        Raises InvalidConfigError for a key whose episode was another one.
        """
        if self._path is None or not self._path.exists():
            return {}
        done: dict[str, EpisodeResult] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                data = json.loads(line)
            except json.JSONDecodeError:
                continue  # the line that was being written when the suite was broken off
            key, episode, code = data.pop("key"), data.pop("episode", ""), data.pop("code", "")
            if key not in hashes:
                continue
            if episode != hashes[key]:
                raise InvalidConfigError(
                    f"'{key.lstrip('|')}' in {self._path} was another episode than it is now "
                    f"({episode[:12]}, not {hashes[key][:12]})",
                    "choose another --out, or remove that folder",
                )
            self.codes.add(code)
            done[key] = EpisodeResult.from_dict(data)
        return done

    def write(self, key: str, episode: str, result: EpisodeResult) -> None:
        """One line, on disk at once."""
        self.codes.add(self._code)
        if self._path is None:
            return
        with self._path.open("a", encoding="utf-8") as file:
            line = json.dumps({"key": key, "episode": episode, "code": self._code, **result.as_dict()})
            # A line that was broken off must not swallow the next one.
            file.write(("\n" if self._mends else "") + line + "\n")
        self._mends = False

    @staticmethod
    def _ends_within_a_line(path: Path) -> bool:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - 1, 0))
            return size > 0 and file.read(1) != b"\n"
