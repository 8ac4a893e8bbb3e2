"""Two results on the same episodes: which model is better, by how much, and whether that may be chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmrobot.errors import InvalidConfigError
from mmrobot.evals.statistics import Paired

ALL = "all"


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Strict success of two `result.json`, paired by episode: `families` and `all`, each with the difference
    (first less second), its interval and McNemar's exact p; `won` and `lost` name the episodes.

    An episode that either did not count (it cannot be done) is left out. Raises InvalidConfigError when the
    manifests differ: other episodes prove nothing.
    """
    ours, theirs = first.get("manifest"), second.get("manifest")
    if not ours or not theirs:
        raise InvalidConfigError("a result carries no manifest", "run mmrobot eval again for it")
    if ours != theirs:
        raise InvalidConfigError(
            f"the results are of other episodes: manifests {ours[:12]} and {theirs[:12]}",
            "run both with the same suite, families, levels, episodes and seed",
        )
    other = {e["name"]: e for e in second["episodes"]}
    pairs = [(e, other[e["name"]]) for e in first["episodes"] if e["name"] in other]
    families = {ALL: pairs}
    for a, b in pairs:
        families.setdefault(a["family"], []).append((a, b))
    return {
        "manifest": ours,
        "models": [first.get("model"), second.get("model")],
        "families": {
            name: Paired.of((a["strict"], b["strict"]) for a, b in rows).as_dict()
            for name, rows in families.items()
        },
        "won": [a["name"] for a, b in pairs if a["strict"] and not b["strict"]],
        "lost": [a["name"] for a, b in pairs if b["strict"] and not a["strict"]],
    }
