"""Replies in location tokens: text before or after four `<loc..>`, nothing else. PaliGemma and Florence."""

from __future__ import annotations

import re

from mmrobot.vlm.replies import LONGEST_REPLY, MOST_OBJECTS, brief, invalid

_END_MARKS = re.compile(r"</?s>|<pad>|<bos>|<eos>")


def plain(reply: str) -> str:
    """A reply without the marks of beginning, end and padding, which decoding keeps with the tokens."""
    if len(reply) > LONGEST_REPLY:
        invalid(f"the reply has {len(reply)} characters, more than {LONGEST_REPLY}")
    return _END_MARKS.sub("", reply).strip()


def read_token_boxes(text: str, token: re.Pattern[str], label_first: bool) -> list[tuple[str, list[float]]]:
    """(label, four bins) of each run of four location tokens; `label_first` tells on which side its label is.

    `token` matches one location token with its bin as group 1. Raises ModelReplyInvalidError for a run
    of another length, for other control marks, and for text that belongs to no box.
    """
    found: list[tuple[str, list[float]]] = []
    run = re.compile(rf"(?:{_bare(token)})+")
    runs = list(run.finditer(text))
    if not runs:
        invalid(f"the reply {brief(text)} holds no location tokens")
    if len(runs) > MOST_OBJECTS:
        invalid(f"the reply holds {len(runs)} boxes, more than {MOST_OBJECTS}")
    edges = [0, *(m.end() for m in runs)] if label_first else [*(m.start() for m in runs), len(text)]
    outside = text[edges[-1] :] if label_first else text[: edges[0]]
    if outside.strip():
        invalid(f"the reply holds text that belongs to no box: {brief(outside)}")
    for i, match in enumerate(runs):
        bins = [float(b) for b in token.findall(match[0])]
        if len(bins) % 4:
            invalid(f"a run of {len(bins)} location tokens is not boxes of four")
        label = text[edges[i] : match.start()] if label_first else text[match.end() : edges[i + 1]]
        if "<" in label or ">" in label:
            invalid(f"the label {brief(label)} holds control marks")
        found += [(label.strip(" ;,\n"), bins[k : k + 4]) for k in range(0, len(bins), 4)]
    return found


def _bare(token: re.Pattern[str]) -> str:
    """The pattern without its group, so that it can be repeated."""
    return token.pattern.replace("(", "(?:")
