# ruff: noqa: E501 (word lists read best as they are)
"""Stop is heard in five languages, and not where nobody said it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmrobot.command.stop_words import StopKind, is_stop, stop_kind

STOPS = """
stop|Stop!|STOP!!!|stop.|stop stop stop|please stop|stop please|robot, stop!|hey robot stop|stop now|stop it
stop, put that back|Stop! Not that one.|stop the robot|stop moving|stop right there|no, stop|no no no stop!|ok stop
oh stop|stooop|sttop|halt|Halt!|freeze|abort|abort now|e-stop|estop|emergency stop|emergency stop!|hold it!|hold on
hold still|don't move|don’t move|do not move|wait|wait!|whoa|pause|cancel|enough|that's enough|stop everything
wait wait|wait wait wait!|wait, stop|wait stop|whoa whoa|alright stop|everyone stop|can you stop|could you please stop?
you need to stop|i want you to stop|make it stop|that is enough|hold on a second|cancel that
stop putting the cube in the bowl|everything stop|um, stop|stop what you are doing
para|¡Para!|¡para ya!|alto|¡Alto!|detente|deténgase|basta|no te muevas|para, por favor|quieto|para para|frena
stopp|Stopp!|anhalten|halt an|Hör auf!|bleib stehen|nicht bewegen|bitte stopp|sofort anhalten|aufhören|stoppen|sofort stoppen|warte mal|hör sofort auf
arrête|Arrêtez !|arrête-toi|arrêtez-vous|ne bouge plus|ça suffit|halte|stop, s'il vous plaît|arrête, s'il te plaît|stoppez|halte là|attends un peu
停|停！|停下|停止|停下来|请停下来|快停|别动|不要动|站住|住手|暂停|機器人，停|停，把它放回去|马上停下
""".replace("\n", "|").strip("|").split("|")

NO_STOPS = """
don't stop|do not stop|never stop|put it on the bus stop|put the cube next to the stop sign|stop sign|stop signs are red
go on until i say stop|hold the red cube|hold it in the air|hold on to the cube|wait for the cup|pause button
para el cubo rojo|pon el cubo en la para|halte den Würfel|alto cubo|the stopper|nonstop|non-stop|unstoppable|
put the cube in the bowl|pick up the ball and stop||   |!!!|cancel the order of blocks|freezer|nicht stoppen
不要停|别停|停车场在哪里|把球放进碗里|this is enough for today|no|ok|please|robot|n'arrête pas|attends-moi ici dehors
can you stop the ball from rolling|you need to stop at the cube|wait until the ball stops|everyone likes the red cube
no no no|cancel that order of blocks|nicht weiter als die Tasse
""".replace("\n", "|").strip("\n").split("|")


@pytest.mark.parametrize("text", STOPS)
def test_stops(text: str) -> None:
    assert is_stop(text)


HOLDS = """
hold|hold on|Hold it!|wait|wait a moment|pause|hang on|one moment please|robot, pause|espera|un momento|warte mal|attends|暂停|等一下|請等等
""".replace("\n", "|").strip("|").split("|")

CANCELS = """
cancel|cancel that|Never mind.|nevermind|forget it|please cancel|abort|abort now|cancela|olvídalo|abbrechen|vergiss es|annule|laisse tomber|取消|算了
""".replace("\n", "|").strip("|").split("|")


@pytest.mark.parametrize("text", HOLDS)
def test_holds_keep_the_request(text: str) -> None:
    assert stop_kind(text) is StopKind.HOLD


@pytest.mark.parametrize("text", CANCELS)
def test_cancels_forget_it(text: str) -> None:
    assert stop_kind(text) is StopKind.CANCEL


@pytest.mark.parametrize("text", ["stop", "hey you stop", "stop, wait", "Stopp!", "basta", "停下", "whoa"])
def test_stops_end_it(text: str) -> None:
    assert stop_kind(text) is StopKind.STOP


@pytest.mark.parametrize("text", NO_STOPS)
def test_is_no_stop(text: str) -> None:
    assert not is_stop(text)


@given(st.text(max_size=600))
def test_any_text_has_an_answer(text: str) -> None:
    assert is_stop(text) in (True, False)


@given(st.sampled_from(["stop", "halt", "stopp", "arrête", "停"]), st.text(alphabet=" !.,\n\t¡", max_size=5))
def test_marks_and_case_do_not_hide_a_stop(word: str, marks: str) -> None:
    assert is_stop(marks + word + marks)
    assert is_stop(marks + word.upper() + marks)


@given(st.sampled_from(["don't", "do not", "never"]), st.sampled_from(["stop", "halt", "freeze", "abort"]))
def test_denied_stops_are_none(denial: str, word: str) -> None:
    assert not is_stop(f"{denial} {word}")


@given(st.text(max_size=60))
def test_a_stop_leads_whatever_follows(rest: str) -> None:
    assert is_stop("stop, " + rest)
