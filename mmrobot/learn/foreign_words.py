# ruff: noqa: E501 (word lists read best as they are)
"""Nouns of things that are not on this table, so that the model learns to say so rather than to guess."""

from __future__ import annotations

import random

from mmrobot.tabletop.language import vocabulary
from mmrobot.tabletop.language.noise import PROTECTED

_NOUNS = """apple banana lemon carrot potato tomato egg bread cheese cake cookie sandwich pizza rice pasta pepper onion grape cherry peach pear melon
fork knife spoon pan pot kettle lid napkin towel sponge bottle jar jug thermos straw whisk grater ladle spatula tongs
pen pencil marker eraser ruler stapler scissors tape notebook paper envelope book magazine folder clip crayon brush paint chalk
phone laptop tablet keyboard mouse monitor cable charger battery lamp bulb remote camera speaker headphones microphone radio clock watch
hammer screwdriver wrench drill saw nail screw bolt nut pliers chisel axe shovel rake ladder bucket rope chain hook spring gear wheel motor
shoe sock hat glove scarf jacket shirt belt wallet purse umbrella glasses ring necklace button zipper
dog cat bird fish horse cow elephant giraffe lion tiger bear rabbit duck frog snake spider dinosaur dragon robot doll teddy puppet
car truck bus train plane rocket boat bicycle helicopter tractor
chair table sofa bed desk shelf door window mirror curtain carpet pillow blanket vase plant flower tree leaf rock stone shell feather stick
guitar piano drum trumpet violin flute whistle bell
key coin stamp ticket card dice domino puzzle kite yoyo marble balloon candle lighter match soap toothbrush comb razor bandage pill syringe
pyramid cone wedge prism arch star triangle heart hexagon cross donut capsule dumbbell helmet trophy medal flag map compass magnet
person man woman child hand finger foot face moon sun cloud unicorn kangaroo penguin zebra monkey turtle""".split()
_TAKEN = frozenset("stick marble dice tin can glass glasses drum pot jar jug table hand finger block lemon tomato cherry".split())
"""Words that mean something on this table, or nearly: "glasses" are cups, "cherry" is a red."""
NOUNS = tuple(sorted(set(_NOUNS) - _TAKEN))
_MEANINGFUL = PROTECTED | frozenset("""leftmost rightmost nearest closest furthest farthest most least first second third fourth last
middle center centre between larger smaller bigger biggest largest smallest tallest same different more fewer less than exactly
many much number count how what which whats where who name color colour shape size label labelled labeled marked reads read says written
print printed tagged empty nothing anything something other others another except but without besides beside next adjacent over above
atop below beneath underneath top side hand then after before afterwards and or it them they both all every each home rest park
inside outside within onto upon alongside by at to from off out up down holds contains lies zero two three four five six seven eight
nine ten isnt arent none never any only either neither nor else than as there here
if otherwise unless when case provided whether touch touching avoid avoiding hit hitting bump bumping disturb disturbing leave alone stay keep
away clear careful mind watch push pushed pushing nudge shove press poke prod budge roll drive scoot towards toward closer nearer forward here yourself
swap swapped exchange switch interchange trade change places positions back undo return again likewise too also likewise
same meant mean instead rather actually wrong sorry remaining own matching match matches separate another pyramid tower
apart excluding aside save minus counting leaving just couple pair go on continue carry proceed resume finish""".split())
"""Without these a sentence would say something else, or nothing."""
_ORDINARY = """kindly swiftly properly slowly softly eventually soon later certainly surely simply basically really honestly literally quite rather
pretty fairly merely truly entirely wholly fully partly mostly usually often sometimes always ever yet already meanwhile anyway somehow indeed moreover though although because since while
until during beyond against among amongst per via regarding concerning despite whereby wherever whoever whichever myself ourselves themselves everybody somebody anyone
consider enable allow require involve provide create produce manage handle treat accept achieve apply attempt begin belong cause choose complete conduct confirm connect contain continue decide
define demand depend design develop direct enjoy ensure establish exist explain express follow gather grant improve include increase indicate intend introduce invite join judge launch
maintain master mention notice obey occur offer operate order organise permit perform prefer prepare present prevent process promise protect prove publish pursue realise receive recognise
recommend record reduce refer reflect regard relate release remain repair reply request respond reveal satisfy schedule secure select serve settle share signal solve spare specify
suggest supply support suppose suspect sustain trust undertake value vary visit volunteer wander weigh whisper wish wonder work worry""".split()
_ORDINARY_SHARE = 0.5
"""Of words that bear no meaning, those that English has: the rest are made up."""
_ONSETS, _VOWELS, _CODAS = "b d f g k l m n p r s t v z bl gr tr sn fl kr".split(), "a e i o u".split(), "x ft lm nk rp sk b g m p zz".split()


_KNOWN = vocabulary("heldout")
ORDINARY = tuple(w for w in _ORDINARY if w not in _KNOWN and w not in _MEANINGFUL)
"""English words that no wording of this project uses, held-out ones included."""


def made_up_word(rng: random.Random) -> str:
    """ "snoft", "gribu"; nothing that people say of this table, as "box" and "left" would be."""
    while True:
        middle = rng.choice(_ONSETS) + rng.choice(_VOWELS) if rng.random() < 0.5 else ""
        made = rng.choice(_ONSETS) + rng.choice(_VOWELS) + middle + rng.choice(_CODAS)
        if made not in _KNOWN:
            return made


def with_strange_words(said: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    """One or two words that bear no meaning of their own (a verb, a filler) replaced by ones that were never
    trained, so that the rest must tell; as many words as before, so that copied ones keep their places."""
    free = [i for i, w in enumerate(said) if w.isalpha() and len(w) > 1 and w not in _MEANINGFUL]
    words = list(said)
    for i in rng.sample(free, min(len(free), rng.choice((1, 1, 2)))):
        words[i] = rng.choice(ORDINARY) if rng.random() < _ORDINARY_SHARE else made_up_word(rng)
    return tuple(words)


def foreign_noun(rng: random.Random) -> str:
    """A noun of another world, mostly a real one, else a made-up one; now and then in the plural."""
    noun = rng.choice(NOUNS) if rng.random() < 0.75 else made_up_word(rng)
    return noun + "s" if rng.random() < 0.1 and not noun.endswith("s") else noun
