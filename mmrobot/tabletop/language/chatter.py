# ruff: noqa: E501 (word lists read best as they are)
"""What people say that is no command for this robot: questions, remarks, denials, wishes it cannot
grant, commands with a part missing, and noise. The right plan for all of it is none."""

from __future__ import annotations

import random

from mmrobot.tabletop.language.grammar import Grammar, Split, Word
from mmrobot.tabletop.language.wording import TRAIN as COMMANDS

_SHARED = ("set", "lift", "in", "on", "left_of", "right_of", "behind", "in_front_of")

TRAIN = {
    "none": """4:<question> | 2:<smalltalk> | 3:<remark> | 3:<denial> | 4:<unable> | 4:<incomplete> | 2:<gibberish>""",
    "question": """what (is|are) (this|that|these|there|it) | where is {T} | how many {P} are there | what color is {T} | is there {A} | is {T} <rel> {R} | what is <rel> {R}
        | do you see {T} | can you see {T} | which one is {T} | what can you do | what do you see | how big is {T} | is {T} bigger than {R} | why is {T} <rel> {R}
        | how many (things|objects) are on the table | are there any {P} | is {T} a cube | who (are you|made you) | what are you doing | what is in {R} | is {R} empty
        | what is on the table | which object is <rel> {R} | where did you put {T} | did you pick up {T} | what did you do | have you seen {T} | tell me what you see
        | what happened to {T} | who put {T} <rel> {R} | is {T} heavy | what is {T} made of | how many (cubes|balls|bowls) do you see | which is bigger {T} or {R}
        | is {T} still <rel> {R} | what is the color of {T} | do you know where {T} is | can you tell me where {T} is | where did {T} go | what shape is {T}
        | when did you move {T} | should {T} be <rel> {R} | are {T} and {R} the same | what does it say on {T} | is it safe to move {T} | do you like {T}
        | how do you pick up {T} | what would happen if you moved {T} | was {T} <rel> {R} before | is {T} the biggest | who moved {T} | why did you pick up {T}""",
    "smalltalk": """hello | hi | hey | good morning | good evening | how are you | how are you doing today | thank you | thanks a lot | thanks | well done | good job | nice work | great
        | you are a (good|nice|bad) robot | whats up | what time is it | how is the weather [today] | tell me a joke | sing a song | i am bored | i love you | ok | yes | no
        | maybe | my name is (anna|tom|sam|maria) | what is your name | bye | goodbye | see you later | sorry | never mind | nothing | that was (great|fun|nice|wrong)
        | do you like music | the weather is nice today | hello robot how are you | i am tired | that is funny | how old are you | where do you live | are you there
        | are you ready | good night | i see | really | of course | haha | oh no | wow | i think so | it is raining | you did well | that was a mistake | i am hungry
        | good to see you | let us take a break | no problem | all good | hm i am not sure | forget it | hold on | one moment""",
    "remark": """{T} is <rel> {R} | i like {T} | there is {A} on the table | {T} is nice | i see {T} and {R} | {T} looks good | {T} is mine | that is {T} | this is {T}
        | {T} was <rel> {R} yesterday | i think {T} is <rel> {R} | {T} has moved | you have put {T} <rel> {R} | you (dropped|moved|picked) {T} | somebody took {T}
        | {T} and {R} are different | {T} is bigger than {R} | i put {T} <rel> {R} | my favourite is {T} | {P} are fun | {T} fell over | {T} is dirty | {T} belongs to me
        | {T} and {R} look alike | i can see {T} | there is {T} | yesterday {T} was <rel> {R} | i moved {T} | {T} is heavy | i have put {T} <rel> {R}
        | my friend put {T} <rel> {R} | you already moved {T} | {T} is already <rel> {R} | {T} is fine where it is | {T} stays <rel> {R} | {T} is far from {R}
        | we talked about {T} | you just picked up {T} | i did not see {T} | {T} is new | {T} is too big for {R}""",
    "denial": """(dont|do not|never) <lift> {T} | (dont|do not|never) <set> {T} <rel> {R} | please (dont|do not) <lift> {T} | please (dont|do not) <set> {T} <rel> {R}
        | (dont|do not) touch {T} | leave {T} alone | leave {T} where it is | you must not <lift> {T} | you should not <set> {T} <rel> {R} | (dont|do not) move
        | do not ever <lift> {T} | please never <set> {T} <rel> {R} | i do not want you to <lift> {T} | i do not want {T} <rel> {R} | i dont want you to <set> {T} <rel> {R}
        | you must not touch {T} | keep your hands off {T} | let {T} stay where it is | {T} must not be moved | {T} should not be <rel> {R} | {T} stays where it is
        | there is no need to <set> {T} <rel> {R} | i did not ask you to <lift> {T} | you shall not <lift> {T} | stay away from {T} | please leave {T} there
        | dont you dare <lift> {T} | forget about {T} | refrain from moving {T} | nobody should <lift> {T}""",
    "unable": """(paint|color) {T} (red|blue|green) | (eat|break|wash|clean|cut|burn|smash|sell|buy|melt|open|close|cook|hide) {T} | (draw|photograph|describe|count|name) {T}
        | make me a (sandwich|coffee|tea) | turn (on|off) the (light|radio|tv) | drive to the (kitchen|shop|office) | go to the (kitchen|door|shop|garage) | fly | jump
        | dance | walk around | (open|close) the (door|window) | call my (mother|boss|friend) | play some music | write a (letter|poem) | fill {R} with (water|milk|sand)
        | pour water into {R} | throw {T} (away|out of the window|at the wall) | (look at|watch|inspect|smell|touch) {T} | read (the book|a book to me)
        | make {T} (bigger|smaller|blue|vanish) | order a pizza | clean the table | screw {T} to {R} | glue {T} to {R} | what if you (ate|broke) {T} | swallow {T}
        | send {T} to my office | turn {T} into {R} | take a picture of {T} | count to ten | say hello to {T} | water the plants | knock on the door | check the weather
        | set an alarm | buy me {T} | bring me a (beer|coffee|pizza|book) | dance with {T} | throw {T} at {R} | tie {T} to {R} | hammer {T} | plug in the charger
        | walk to {R} | climb on {R} | sweep the floor | charge your battery | search the web for {T} | tell {T} a story | drink from {R} | tidy my room""",
    "incomplete": """<set> {T} | (pick up|grab|take|lift|put|place|stack|move) | {T} | <rel> {R} | <set> {T} and | put <rel> {R}
        | put it | stack {T} on | put {T} in | place {T} (left|right) of | stack | (the|a) | move {T} to the | stack {T}
        | <set> | <set> on | pick up the | {T} and {R} | {T} and
        | {T} <rel> | <lift> | <lift> and <set> | i want {T} and | <set> it | <set> it on | <set> something <rel> {R} | bring | first | and then | then <set> | <rel> | could you | i want you to | <set> the | {R} <rel> | <lift> the | and put it | please""",
    "rel": "<in> | <on> | <left_of> | <right_of> | <behind> | <in_front_of> | next to | near",
    "gibberish": "{G}",
    **{name: COMMANDS[name] for name in _SHARED},
}
HELDOUT = {
    "question": """could you tell me where {T} is | do you know what color {T} is | i wonder where {T} is | whats that <rel> {R}
        | does {T} fit in {R} | how far is {T} from {R}""",
    "smalltalk": "long time no see | have a nice day | nice to meet you | are you a robot | i had a good lunch",
    "remark": "it seems that {T} is <rel> {R} | look , {T} is <rel> {R} | {T} used to be <rel> {R} | what a nice thing {T} is",
    "denial": "under no circumstances <set> {T} <rel> {R} | whatever you do do not <lift> {T} | no need to <lift> {T}",
    "unable": "teach {T} to sing | translate this | repair {T} | ask {T} for its name | mail {T} to my friend",
}
CHATTER = Grammar(TRAIN, HELDOUT)

_SYLLABLES = "ba ki lo zu mer tan fip gra sno dul vex qui wob jat hul pem cra nee oth ris".split()


def gibberish(rng: random.Random) -> list[Word]:
    """Nonsense words, keys hit at random, or a stutter."""
    x = rng.random()
    if x < 0.5:
        return [Word("".join(rng.choices(_SYLLABLES, k=rng.randint(1, 4)))) for _ in range(rng.randint(1, 7))]
    if x < 0.85:
        return [
            Word("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(1, 9))))
            for _ in range(rng.randint(1, 6))
        ]
    return [Word(w) for w in [rng.choice(("the", "la", "uh", "cube", "and", "red"))] * rng.randint(2, 6)]


def chatter(
    rng: random.Random, target: list[Word], reference: list[Word], plural: list[Word], split: Split
) -> list[Word]:
    """One utterance that asks for nothing; the phrases name things that may be talked about."""
    bare = target[1:] if target and target[0].text in ("the", "that", "this", "my", "your", "a") else target
    a = [Word("an" if bare and bare[0].text[:1] in "aeiou" else "a"), *bare]
    slots = {"T": target, "R": reference, "P": plural, "A": a, "G": gibberish(rng)}
    return CHATTER.say("none", rng, slots, split)
