"""Walking SDF text with every element accounted for: read, knowingly ignored, or refused by name."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from mmrobot.errors import UnsupportedSdfError


class SdfNode:
    """An XML element that knows its path and its file, so that a refusal can name both."""

    def __init__(self, element: ET.Element, path: str, source: str, folder: Path | None) -> None:
        self._element = element
        self.path = path
        self.source = source
        self.folder = folder

    @property
    def tag(self) -> str:
        return self._element.tag

    @property
    def name(self) -> str:
        """The `name` attribute; refused when it is missing."""
        name = self._element.get("name")
        if not name:
            raise self.refuse("has no name attribute", "give it one")
        return name

    def attribute(self, key: str, default: str = "") -> str:
        return self._element.get(key, default)

    def refuse(self, what: str, fix: str) -> UnsupportedSdfError:
        """The error for this element; the caller raises it."""
        return UnsupportedSdfError(f"{self.source}: <{self.tag}> at {self.path} {what}", fix)

    def expect(
        self, read: frozenset[str] | set[str], ignored: frozenset[str] | set[str] = frozenset()
    ) -> None:
        """Refuse any child element that is neither read nor known to be without effect here."""
        for child in self.children():
            if child.tag not in read and child.tag not in ignored:
                raise child.refuse(
                    "is not supported by the embedded simulator",
                    f"remove it, or use one of: {', '.join(sorted(read))}",
                )

    def children(self, tag: str | None = None) -> Iterator[SdfNode]:
        for element in self._element:
            if not isinstance(element.tag, str) or (tag is not None and element.tag != tag):
                continue
            name = element.get("name")
            step = f"{element.tag}[{name}]" if name else element.tag
            yield SdfNode(element, f"{self.path}/{step}", self.source, self.folder)

    def child(self, tag: str) -> SdfNode | None:
        return next(self.children(tag), None)

    def require(self, tag: str) -> SdfNode:
        child = self.child(tag)
        if child is None:
            raise self.refuse(f"lacks <{tag}>", f"add a <{tag}> element")
        return child

    def text(self) -> str:
        return (self._element.text or "").strip()

    def floats(self, count: int | tuple[int, ...]) -> tuple[float, ...]:
        """The text as finite numbers; `count` says how many there may be."""
        counts = (count,) if isinstance(count, int) else count
        try:
            values = tuple(float(word) for word in self.text().split())
        except ValueError:
            values = ()
        if len(values) not in counts or any(math.isnan(v) for v in values):
            raise self.refuse(
                f"holds '{self.text()[:80]}'",
                f"write {' or '.join(map(str, counts))} numbers, parted by spaces",
            )
        return values

    def flag(self) -> bool:
        text = self.text().lower()
        if text not in ("true", "false", "1", "0"):
            raise self.refuse(f"holds '{text[:80]}'", "write true or false")
        return text in ("true", "1")

    def child_float(self, tag: str, default: float) -> float:
        child = self.child(tag)
        return default if child is None else child.floats(1)[0]

    def child_flag(self, tag: str, default: bool) -> bool:
        child = self.child(tag)
        return default if child is None else child.flag()

    def child_text(self, tag: str, default: str = "") -> str:
        child = self.child(tag)
        return default if child is None else child.text()


def parse_text(text: str, source: str, folder: Path | None = None) -> SdfNode:
    """The root element of SDF text. `folder` is what relative URIs start from."""
    try:
        element = ET.fromstring(text)
    except ET.ParseError as error:
        raise UnsupportedSdfError(f"{source}: not well-formed XML: {error}", "correct the file") from error
    return SdfNode(element, f"/{element.tag}", source, folder)


def parse_file(path: Path) -> SdfNode:
    """The root element of an SDF file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UnsupportedSdfError(f"{path}: cannot be read: {error}", "check the path") from error
    except UnicodeDecodeError as error:
        raise UnsupportedSdfError(f"{path}: not UTF-8 text: {error}", "save the file as UTF-8") from error
    return parse_text(text, str(path), path.parent)
