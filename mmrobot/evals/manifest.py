"""Which episodes were played, by hash: what makes two results comparable, or not.

An episode's hash covers its name, scene, words, disturbances, goals and expected outcome; the manifest's
covers every episode of a suite with the conditions it is played under.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mmrobot.errors import InvalidConfigError
from mmrobot.tabletop.episode import Episode

_SHOWN = 3


def episode_hash(episode: Episode) -> str:
    """SHA-256 of all that an episode is, in hex."""
    text = json.dumps(episode.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """`entries`: "condition|episode name" to the episode's hash."""

    entries: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, played: Iterable[tuple[str, Episode]]) -> Manifest:
        """Of (condition, episode) pairs."""
        return cls({f"{condition}|{e.name}": episode_hash(e) for condition, e in played})

    @cached_property
    def sha256(self) -> str:
        """Over all entries, whatever their order."""
        lines = "".join(f"{key} {value}\n" for key, value in sorted(self.entries.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def write(self, path: Path) -> None:
        path.write_text(json.dumps({"sha256": self.sha256, "entries": self.entries}, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Raises InvalidConfigError for a file that is no manifest, or whose hash is another's."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            found = cls({str(k): str(v) for k, v in data["entries"].items()})
            told = data["sha256"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidConfigError(
                f"{path} is no manifest: {error}", "remove that folder, or choose another"
            ) from error
        if told != found.sha256:
            raise InvalidConfigError(
                f"{path} was changed: it says {told[:12]}, its entries are {found.sha256[:12]}",
                "remove that folder, or choose another",
            )
        return found

    def check_same(self, earlier: Manifest, where: str) -> None:
        """Raises InvalidConfigError that names what the earlier run of a folder has otherwise."""
        if earlier.sha256 == self.sha256:
            return
        raise InvalidConfigError(
            f"'{where}' holds manifest {earlier.sha256[:12]}, this run's is {self.sha256[:12]}: "
            f"{differences(earlier.entries, self.entries)}",
            "choose another --out, or give the options of the earlier run",
        )


def differences(earlier: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What is gone, new and changed between two manifests, the first few by name."""
    kinds = (
        ("changed", [k for k in now if k in earlier and earlier[k] != now[k]]),
        ("gone", [k for k in earlier if k not in now]),
        ("new", [k for k in now if k not in earlier]),
    )
    return "; ".join(
        f"{len(names)} {kind} ({', '.join(n.lstrip('|') for n in names[:_SHOWN])}"
        f"{', ...' if len(names) > _SHOWN else ''})"
        for kind, names in kinds
        if names
    )
