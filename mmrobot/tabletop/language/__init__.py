"""The language of the table: what people say about it, and what they mean.

Known: referring expressions with a checked meaning (`meaning`, `referring`), commands with their plan
over the command's own words (`commands`), noise that keeps word indices right (`noise`), wordings as
data with a held-out part (`wording`, `phrases`, `chatter`). Not known: pictures, robots, models.
"""

from mmrobot.tabletop.language.commands import FAMILIES, FAULTS, NEXT_TO, make_command
from mmrobot.tabletop.language.drafts import Command, Step, WordSpan
from mmrobot.tabletop.language.grammar import Split
from mmrobot.tabletop.language.handwritten import HANDWRITTEN
from mmrobot.tabletop.language.meaning import (
    Both,
    Expr,
    Extreme,
    Kind,
    Middle,
    Nearest,
    Related,
    Without,
    is_clear,
    referents,
)
from mmrobot.tabletop.language.noise import CLEAN, HEAVY, POLITE, TRAINING, Noise
from mmrobot.tabletop.language.questions import (
    ANSWER_KINDS,
    QUESTION_KINDS,
    Question,
    answer_text,
    make_question,
)
from mmrobot.tabletop.language.referring import (
    KINDS,
    MIXED_KINDS,
    SIMPLE_KINDS,
    Expression,
    describe_phrase,
    make_expression,
)
from mmrobot.tabletop.language.statements import STATEMENT_KINDS, Statement, make_statement
from mmrobot.tabletop.language.things import (
    Thing,
    cubes_of_many_colors,
    random_label,
    random_things,
    things_of,
    visible_things,
)
from mmrobot.tabletop.language.vocabulary import vocabulary

__all__ = [
    "ANSWER_KINDS", "CLEAN", "FAMILIES", "FAULTS", "HANDWRITTEN", "HEAVY", "KINDS", "MIXED_KINDS", "NEXT_TO",
    "POLITE", "QUESTION_KINDS", "SIMPLE_KINDS", "STATEMENT_KINDS", "TRAINING", "Both", "Command", "Expr",
    "Expression", "Extreme", "Kind", "Middle", "Nearest", "Noise", "Question", "Related", "Split",
    "Statement", "Step", "Thing", "Without", "WordSpan", "answer_text", "cubes_of_many_colors",
    "describe_phrase", "is_clear",
    "make_command", "make_expression", "make_question", "make_statement", "random_label", "random_things",
    "referents", "things_of", "visible_things", "vocabulary",
]  # fmt: skip
