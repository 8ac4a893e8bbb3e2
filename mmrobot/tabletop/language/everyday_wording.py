# ruff: noqa: E501 (wordings read best as long lines)
"""How people word in one breath what the families say one by one, as data; for training alone.

{T}, {T2} things or sets, {R}, {R2} references, {REL}, {REL2} words of relations, {B} and {BUT} a set and the
words that leave something out of it, {A} and {V} what a claim speaks of, {1} a command about it, {X} a list of things.
"""

from __future__ import annotations

from mmrobot.tabletop.language import wording
from mmrobot.tabletop.language.grammar import Grammar

_SHARED = ("set", "take", "lift", "putpp", "in", "on", "left_of", "right_of", "behind", "in_front_of")
_SIDE = """4:(to|on|at) the {side} of | 2:<degree> (to|on|at) the {side} of | 2:<degree> {side} of | {side} of | (over|up|down|out) (to|on|at) the {side} of | (to|on|at) the {side} side of
        | at a (spot|place|point) (to the|on the|) {side} of | in the (space|area|gap|spot) (to the|on the|) {side} of | on the table (to the|on the|) {side} of | so that it is (to the|on the) {side} of
        | to the {side} and close to | so it sits (to the|on the|) {side} of | on the {side} hand side of | <degree> on the {side} side of | somewhere <degree> {side} of | with a small gap (to the|on the) {side} of"""
_END = """4:{core} | 3:<degree> {core} | at a (spot|place|point) {core} | in the (space|area|gap) {core} | on the table {core} | so that it is {core} | so it sits {core} | somewhere <degree> {core} | <degree> (at|to|on) the {end} of | over at the {end} of | (towards|at|on|to) the {end} of"""

TRAIN = {
    "degree": """just | slightly | directly | a little | a touch | a tad | somewhat | straight | squarely | exactly | precisely | roughly | closely | a few (centimeters|inches) | an inch | more or less
        | a short (way|distance) | clearly | well | nearly | almost | neatly | close | a hand | close by and | some way""",
    "left": _SIDE.replace("{side}", "left"),
    "right": _SIDE.replace("{side}", "right"),
    "back": _END.replace("{core}", "behind").replace("{end}", "(back|rear|far side)"),
    "front": _END.replace("{core}", "in front of").replace("{end}", "(front|near side)"),
    # a set in two pieces
    "but": "4:except | 2:except for | 3:but not | apart from | other than | 2:but | leaving out | but leave out | without",
    "all_but": """5:<set> {B} {REL} {R} {BUT} | 2:<set> {B} {REL} {R} , {BUT} | <take> {B} and <set> them {REL} {R} , {BUT} | {BUT} , <set> {B} {REL} {R}
        | {B} {BUT} (goes|go|belong|belongs) {REL} {R} | i want {B} {REL} {R} , {BUT} | {B} should be {REL} {R} , {BUT} | {B} (goes|go) {REL} {R} , {BUT}""",
    # what the condition speaks of is what is to be moved
    "seen": """5:you see {A} | 3:there is {A} | 2:theres {A} | you can see {A} | you (find|notice) {A} | there happens to be {A} | {A} is there | {A} is on the table | there is {A} (here|there|anywhere) | i have {A} here""",
    "if_seen": """6:if {C} , {1} | 3:if {C} {1} | 2:if {C} then {1} | {1} if {C} | when {C} {1} | should there be one , that is if {C} , {1} | in case {C} , {1} | check if {C} and if so {1} | if {C} please {1} | only if {C} , {1} | {1} but only if {C}""",
    "it_lift": "3:<lift> it | 2:pick it up | give it to me | take it | grab it",
    "it_put": "6:<set> it {REL} {R} | 2:<take> it and <set> it {REL} {R} | pick it up and <set> it {REL} {R} | it (goes|should go) {REL} {R}",
    "is_empty": "4:{V} is empty | 2:there is nothing in {V} | nothing is in {V} | {V} has nothing in it",
    "in_it": "4:<set> {T} (in|into|inside) it | <set> {T} (in|into) that | {T} (goes|should go) in it | <set> {T} in there",
    # two sets under one verb
    "two_sets": """5:<set> {T} {REL} {R} and {T2} {REL2} {R2} | 2:<set> {T} {REL} {R} , and {T2} {REL2} {R2} | {T} go {REL} {R} and {T2} go {REL2} {R2} | {T} go {REL} {R} , {T2} {REL2} {R2} | {T} belong {REL} {R} and {T2} {REL2} {R2}
        | <set> {T} {REL} {R} , then <set> {T2} {REL2} {R2} | <set> {T} {REL} {R} and <set> {T2} {REL2} {R2} | <take> {T} and <set> them {REL} {R} , and <set> {T2} {REL2} {R2} | first <set> {T} {REL} {R} , then {T2} {REL2} {R2}""",
    # towers told by their things alone, the lowest first
    "tower_of": """4:(build|make) [me] a (tower|stack) (of|with|from|out of) {X} | 2:stack {X} | stack up {X} | build a tower : {X} | (build|make) a (tower|stack) using {X} | pile up {X} | put {X} on top of each other
        | i want a (tower|stack) of {X} | a (tower|stack) of {X} please | stack {X} on top of each other | stack {X} into a tower | make {X} into a (tower|stack)""",
    # out of one and into another
    "out_and_put": """4:<take> {T} (out of|from) {H} and <set> it {REL} {R} | 2:<take> {T} (out of|from) {H} , then <set> it {REL} {R} | 2:move {T} (out of|from) {H} (and|to) {REL} {R} | <set> {T} from {H} {REL} {R}
        | <take> {T} out and <set> it {REL} {R} | get {T} out of {H} and <set> it {REL} {R} | (transfer|move|bring|carry) {T} from {H} {REL} {R} | from {H} , <take> {T} and <set> it {REL} {R}""",
    "put_and_lift": """3:{1} , then (pick it up|pick it up again|lift it|take it again) | {1} and then (pick it up|lift it up|take it again|hold it) | {1} . then (pick it up|lift it) | first {1} , then pick it up again | {1} , wait and pick it up""",
    "join": "4:and | 5:then | 3:and then | next | after that | finally | and after that | now | also",
    # wishes that this robot cannot grant: better nothing than something else
    "cannot": """<set> {T} between {R} and {T2} | <set> {T} halfway between {R} and {T2} | {T} goes between {R} and {T2} | <set> {T} on the other side of {R} | <set> {T} around {R} | <set> {T} under {R} | <set> {T} underneath {R}
        | bring {T} closer to {R} | move {T} further from {R} | move {T} away from {R} | move {T} ten centimeters | (turn|flip|roll) {T} over | (turn|flip) {T} upside down | turn {T} around | rotate {T} [by] (ninety|forty five) degrees | spin {T} | tilt {T} | tip {T} over | knock {T} over
        | throw {T} off the table | push {T} off the table | drop {T} on the floor | <set> {T} on the floor | hit {R} with {T} | cover {T} with {R} | <set> {R} over {T} | hide {T} under {R} | line up {P} | <set> {P} in a (row|line|circle) | arrange {P} in a (row|line|circle) | spread {P} out
        | <set> {T} in every {Y} | <set> a {Z} in every {Y} | <set> one {Z} in each {Y} | shake {T} | empty {R} | empty out {R} | pour {R} into {T} | pour {T} out | lift {R} up with {T} in it | open {R} | close {R} | mix {P} | balance {T} on its edge | stand {T} on its end | lean {T} against {R} | squeeze {T}
        | <set> {T} anywhere but {REL} {R} | <set> {T} outside of {R} | carry {T} to the (door|kitchen|window) | give {T} to (anna|tom|him|her) | follow {T} | point at {T} | point to {T} | touch {T} | tap {T} | wave | shake hands | look left | measure {T} | weigh {T} | how would you <set> {T} {REL} {R}""",
    **{name: wording.TRAIN[name] for name in _SHARED},
}
EVERYDAY = Grammar(TRAIN)
