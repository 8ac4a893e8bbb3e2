"""Instructions: cleaned, or refused with the fault, the value and a fix."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmrobot.command.text import MAX_CHARACTERS, MAX_WORDS, clean_instruction, words
from mmrobot.errors import InvalidInstructionError


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("Put the Red cube, please!", ("put", "the", "red", "cube", "please")),
        ("Don’t touch the left-hand cup", ("dont", "touch", "the", "left", "hand", "cup")),
        ("tray A7, 2.5 cm", ("tray", "a7", "2.5", "cm")),
        ("ＰＩＣＫ up", ("pick", "up")),
        ("...", ()),
    ],
)
def test_words(raw: str, said: tuple[str, ...]) -> None:
    assert words(raw) == said


@given(st.text(max_size=80))
def test_words_again_are_the_same(text: str) -> None:
    once = words(text)
    assert words(" ".join(once)) == once
    assert all(len(words(w)) == 1 for w in once)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  put the\tcube\n in the bowl ", "put the cube in the bowl"),
        (b"pick up the ball", "pick up the ball"),
        ("pick\u200b up the cube", "pick up the cube"),
        ("place the ball on la table", "place the ball on la table"),
        ("blorp zibble", "blorp zibble"),
    ],
)
def test_clean(raw: str | bytes, clean: str) -> None:
    assert clean_instruction(raw) == clean


@pytest.mark.parametrize(
    ("raw", "telling", "fix"),
    [
        ("", "empty", "Say what to do"),
        (" \n\t ", "empty", "Say what to do"),
        ("\u200b", "empty", "Say what to do"),
        ("?!...", "no words", "in words"),
        ("12 345", "no words", "in words"),
        (b"\xff\xfe\x00", "binary", "UTF-8"),
        ("put\x00 it", "U+0000", "plain text"),
        ("put \ud800 it", "Unicode", "UTF-8"),
        ("x" * (MAX_CHARACTERS + 1), str(MAX_CHARACTERS), "Shorten"),
        ("a " * (MAX_WORDS + 1), str(MAX_WORDS), "Shorten"),
        (12, "int 12", "string"),
        (None, "NoneType", "string"),
        ("把红色方块放进碗里", "cjk", "English"),
        ("положи красный куб", "cyrillic", "English"),
        ("pon el cubo rojo en el tazón azul", "Spanish", "English"),
        ("lege den roten Würfel in die Schüssel", "German", "English"),
        ("mets le cube rouge dans le bol bleu", "French", "English"),
    ],
)
def test_refused(raw: object, telling: str, fix: str) -> None:
    with pytest.raises(InvalidInstructionError) as caught:
        clean_instruction(raw)  # type: ignore[arg-type]
    assert telling in caught.value.message
    assert fix in caught.value.fix
    assert len(caught.value.message) < 200


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_a_clean_line_or_the_named_error(raw: str | bytes) -> None:
    try:
        clean = clean_instruction(raw)
    except InvalidInstructionError as error:
        assert error.message
        assert error.fix
        return
    assert 0 < len(clean) <= MAX_CHARACTERS
    assert "\n" not in clean
    assert clean == clean_instruction(clean)
