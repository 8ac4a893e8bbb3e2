"""Rows of an evaluation that goes on where it stopped: one line of JSON a scene, in a file a level."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmrobot.errors import InvalidConfigError


class RowStore:
    """Kept in memory, and in `folder`/`name`.jsonl where a folder is given; a half-written last line is lost.

    The file's first line is `header`. Raises InvalidConfigError when the file's is another.
    """

    def __init__(self, folder: Path | None, name: str, header: Mapping[str, object]) -> None:
        self._rows: dict[int, list[dict[str, Any]]] = {}
        self._path = None if folder is None else folder / f"{name}.jsonl"
        if self._path is None:
            return
        if self._path.is_file():
            self._read(dict(header))
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(header) + "\n", encoding="utf-8")

    def _read(self, header: dict[str, object]) -> None:
        assert self._path is not None
        text = self._path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            self._path.write_text(whole, encoding="utf-8")
        lines = whole.splitlines()
        try:
            found = json.loads(lines[0]) if lines else None
            read = {int(entry["scene"]): entry["rows"] for entry in map(json.loads, lines[1:])}
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidConfigError(
                f"{self._path} cannot be read: {error}", "delete it, or give another folder"
            ) from error
        if found != header:
            raise InvalidConfigError(
                f"{self._path} holds answers of {found}, not of {header}", "give another folder"
            )
        self._rows = read

    def __contains__(self, scene: int) -> bool:
        return scene in self._rows

    def add(self, scene: int, rows: list[dict[str, Any]]) -> None:
        """A scene's rows, on disk at once."""
        self._rows[scene] = rows
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"scene": scene, "rows": rows}) + "\n")

    def rows(self, scenes: int) -> list[dict[str, Any]]:
        """Those of the first so many scenes."""
        return [row for scene in sorted(self._rows) if scene < scenes for row in self._rows[scene]]
