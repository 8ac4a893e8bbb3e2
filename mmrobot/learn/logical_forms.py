"""From the grammar's meanings to what the writer should write: logical forms and plans as token ids."""

from __future__ import annotations

from collections.abc import Sequence

from mmrobot.tabletop.language import (
    Both,
    Command,
    Expr,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Question,
    Related,
    Step,
    Without,
)
from mmrobot.tabletop.language.claims import Amount, Claim, Compared, Denied, Is, Stands
from mmrobot.vlm.models.nano import vocabulary as v
from mmrobot.vlm.models.nano.vocabulary import CONTROL, CONTROL_ID

_NOUN_OF: dict[frozenset[str] | None, str] = {
    **{frozenset((shape,)): shape for shape in v.SHAPES},
    **{frozenset(shapes): name for name, shapes in v.CATEGORIES.items() if name not in ("thing", "unknown")},
    None: "thing",
}


class UnsayableError(ValueError):
    """The writer has no words for this meaning, or a print in it is not among the words that were said."""


class FormWriter:
    """Writes forms over the `said` words of one text, whose prints they copy."""

    def __init__(self, said: Sequence[str]) -> None:
        self._said = list(said)

    def expr(self, expr: Expr) -> list[str | int]:
        """Tokens, and copied words as their index."""
        match expr:
            case Kind():
                return self._kind(expr)
            case Without(base, excluded):
                return [v.WITHOUT, *self.expr(base), *self.expr(excluded)]
            case Extreme(base, order, 0):
                return [v.ORDER[order], *self.expr(base)]
            case Extreme(base, order, rank):
                if rank > len(v.RANKS):
                    raise UnsayableError(f"rank {rank}")
                return [v.ORDER[order], v.RANK[v.RANKS[rank - 1]], *self.expr(base)]
            case Middle(base):
                return [v.MIDDLE, *self.expr(base)]
            case Related(base, relation, reference):
                return [v.RELATION[relation], *self.expr(base), *self.expr(reference)]
            case Nearest(base, reference):
                return [v.NEAREST, *self.expr(base), *self.expr(reference)]
            case Both(parts):
                first, *rest = parts
                own = self.expr(first)
                return [v.BOTH, *own, *self.expr(Both(tuple(rest)))] if rest else own
        raise UnsayableError(str(expr))

    def _kind(self, kind: Kind) -> list[str | int]:
        form: list[str | int] = []
        if kind.size is not None:
            form.append(v.SIZE[kind.size])
        if kind.color is not None:
            form.append(v.COLOR[kind.color])
        if kind.label is not None:
            if kind.label.lower() not in self._said:
                raise UnsayableError(f"the print {kind.label} is not said")
            form += [v.MARKED, self._said.index(kind.label.lower())]
        if kind.shapes not in _NOUN_OF:
            raise UnsayableError(f"no noun for {kind.shapes}")
        return [*form, v.NOUN[_NOUN_OF[kind.shapes]]]

    def claim(self, claim: Claim) -> list[str | int]:
        match claim:
            case Denied(inner):
                return [v.NOT, *self.claim(inner)]
            case Amount(expr, test, number):
                return [v.TEST[test], v.NUMBER[number], *self.expr(expr)]
            case Is(subject, what):
                return [v.IS, *self.expr(subject), *self.expr(what)]
            case Stands(subject, relation, reference):
                return [v.RELATION[relation], *self.expr(subject), *self.expr(reference)]
            case Compared(subject, comparison, reference):
                return [v.COMPARISON[comparison], *self.expr(subject), *self.expr(reference)]

    def question(self, question: Question) -> list[str | int]:
        asked = v.QUESTION[question.asks]
        if question.asks == "yes_no":
            return [asked, *self.claim(question.meaning)]  # type: ignore[arg-type]
        return [asked, *self.expr(question.meaning)]  # type: ignore[arg-type]


def form_ids(form: Sequence[str | int]) -> list[int]:
    """Token ids of a form, with its end."""
    ids = [len(CONTROL) + token if isinstance(token, int) else CONTROL_ID[token] for token in form]
    return [*ids, CONTROL_ID[v.END]]


NOT_UNDERSTOOD_IDS = [CONTROL_ID[v.NOT_UNDERSTOOD]]


def plan_ids(command: Command) -> list[int]:
    """The token ids that the writer should write for a command."""
    if not command.steps:
        return NOT_UNDERSTOOD_IDS
    return form_ids(_plan(command.steps))


_OPENS = {
    "pick": v.PICK, "put_back": v.PUT_BACK, "avoid": v.AVOID, "swap": v.SWAP, "home": v.HOME,
    **{name: token for token, name in v.ACTS.items()},
}  # fmt: skip


def _plan(steps: Sequence[Step]) -> list[str | int]:
    form: list[str | int] = []
    for step in steps:
        form += _step(step)
    return form


def _step(step: Step) -> list[str | int]:
    target: Sequence[int] = step.target or ()
    reference: Sequence[int] = step.reference or ()
    form: list[str | int]
    match step.skill:
        case "place":
            own = [v.MATCHES[step.match]] if step.match else []
            return [v.PLACE[step.relation or ""], *own, *reference]
        case "each":
            return [v.EACH, *target] if step.count is None else [v.SOME, v.NUMBER[step.count], *target]
        case "push":
            form = [v.PUSH[step.relation or ""], *target]
            return [*form, v.AND, *reference] if reference else form
        case "swap":
            return [v.SWAP, *target, v.AND, *reference]
        case "pyramid":
            form = [v.PYRAMID, *step.parts[0]]
            for part in step.parts[1:]:
                form += [v.AND, *part]
            return form
        case "if":
            form = [v.IF, *target, *_plan(step.then)]
            return [*form, v.ELSE, *_plan(step.otherwise)] if step.otherwise else form
        case "instead" if reference:
            return [v.INSTEAD, v.PLACE[step.relation or ""], *reference]
    return [_OPENS[step.skill], *target]
