# ruff: noqa: E501 (wordings read best as long lines)
"""How people word pushes, sets, swaps, conditions, and what they say of the request before, as data.

{T} a thing or a set, {R} a reference, {REL} the words of a relation, {X} and {P} a noun and its plural, {N} a
number, {C} a claim, {F} what is forbidden, {1} and {2} commands. HELDOUT is never trained (level L2).
"""

from __future__ import annotations

from mmrobot.tabletop.language import wording
from mmrobot.tabletop.language.grammar import Grammar

_SHARED = ("set", "take", "lift", "putpp", "setting")

TRAIN = {
    # pushes
    "shove": "8:push | 3:nudge | 2:shove | press | poke | move | bump | prod | budge | drive | roll | scoot",
    "shoving": "4:pushing | 2:nudging | shoving | pressing | poking",
    "push_behind": """6:<shove> {T} away | 5:<shove> {T} away from (you|yourself|the robot|the arm) | 3:<shove> {T} (to|towards) the back | 2:<shove> {T} back | <shove> {T} (backward|backwards)
        | <shove> {T} further (away|back) | <shove> {T} to the far (side|end) | give {T} a (push|nudge|shove) away [from you] | <shove> {T} away a (bit|little) | try <shoving> {T} away
        | <shove> {T} to the rear | <shove> {T} (a bit|a little) (back|further away) | {T} should be pushed away | i want {T} pushed away from you | <shove> away {T}""",
    "push_in_front_of": """6:<shove> {T} (to|towards) (you|yourself|the robot|the arm) | 3:<shove> {T} (to|towards) the front | 3:<shove> {T} (closer|nearer) | 2:<shove> {T} (closer|nearer) to (you|yourself|the robot)
        | <shove> {T} forward | give {T} a (push|nudge|shove) (to|towards) (you|yourself|the front) | <shove> {T} to the near (side|end) | <shove> {T} a (bit|little) (closer|nearer)
        | try <shoving> {T} (to|towards) you | {T} should be pushed (to|towards) you | i want {T} pushed towards you | <shove> {T} in your direction | <shove> {T} over to you | <shove> {T} here""",
    "push_left_of": """6:<shove> {T} to the left | 3:<shove> {T} left | 2:<shove> {T} towards the left | give {T} a (push|nudge|shove) to the left | <shove> {T} a (bit|little) to the left | <shove> {T} over to the left
        | try <shoving> {T} to the left | {T} should be pushed to the left | i want {T} pushed (left|to the left) | <shove> {T} further left | <shove> {T} further to the left | <shove> {T} to the left side
        | <shove> {T} leftwards | <shove> {T} (a bit|a little) left""",
    "push_right_of": """6:<shove> {T} to the right | 3:<shove> {T} right | 2:<shove> {T} towards the right | give {T} a (push|nudge|shove) to the right | <shove> {T} a (bit|little) to the right | <shove> {T} over to the right
        | try <shoving> {T} to the right | {T} should be pushed to the right | i want {T} pushed (right|to the right) | <shove> {T} further right | <shove> {T} further to the right | <shove> {T} to the right side
        | <shove> {T} rightwards | <shove> {T} (a bit|a little) right""",
    "nudge": "8:push | 3:nudge | 2:shove | press | prod | bump | budge | scoot",
    "push_near": """6:<nudge> {T} to {R} | 4:<nudge> {T} (towards|toward) {R} | 2:<nudge> {T} over to {R} | 2:<nudge> {T} (up to|against) {R} | <nudge> {T} (next to|close to|near|beside|closer to|nearer to) {R}
        | give {T} a (push|nudge|shove) (to|towards) {R} | try <shoving> {T} (to|towards) {R} | {T} should be pushed (to|towards|against) {R} | i want {T} pushed (to|towards) {R}
        | <nudge> {T} until it is (at|next to|near) {R} | <nudge> {T} in the direction of {R} | <nudge> {T} so that it is (next to|near|close to) {R} | <nudge> {T} as far as {R} | towards {R} <nudge> {T}""",
    # sets
    "gather": "4:gather | 3:collect | 2:gather up | collect up | get | bring | sweep | assemble",
    "all": """14:<set> {T} {REL} {R} | 3:<take> {T} and <set> them {REL} {R} | 3:<gather> {T} {REL} {R} | <set> {T} together {REL} {R} | <take> {T} , then <set> them {REL} {R} | {T} (go|belong) {REL} {R}
        | {T} should (go|be|end up) {REL} {R} | i want {T} {REL} {R} | i would like {T} {REL} {R} | {T} must (go|be) {REL} {R} | <set> {T} away {REL} {R} | get {T} {REL} {R} | {REL} {R} <set> {T}
        | <set> {T} {REL} {R} one by one | one by one <set> {T} {REL} {R} | <set> {T} {REL} {R} one after the other | make sure {T} are {REL} {R} | have {T} {REL} {R} | {T} {REL} {R} please | {T} need to (go|be) {REL} {R}
        | {T} all (go|belong) {REL} {R} | <set> {T} down {REL} {R} | <take> {T} and <set> each {REL} {R} | let {T} go {REL} {R} | find {T} and <set> them {REL} {R} | clean up by <setting> {T} {REL} {R}
        | tidy up , <set> {T} {REL} {R} | see that {T} get {REL} {R} | i need {T} {REL} {R} | {T} are to go {REL} {R}""",
    "all_of": """4:all [the] {P} | 3:every {X} | 2:each {X} | 2:all of the {P} | every one of the {P} | each of these {P} | both {P} | {P}""",
    "number": "6:{N} {P} | 2:exactly {N} {P} | 2:{N} of the {P} | just {N} {P} | any {N} {P} | only {N} {P} | exactly {N} of the {P} | {N} of those {P} | no more than {N} {P}",
    "some": """10:<set> {T} {REL} {R} | 3:<take> {T} and <set> them {REL} {R} | <take> {T} , then <set> them {REL} {R} | i want {T} {REL} {R} | {T} should (go|be|end up) {REL} {R} | i would like {T} {REL} {R} | {T} (go|belong) {REL} {R}
        | <gather> {T} {REL} {R} | get {T} {REL} {R} | {REL} {R} <set> {T} | find {T} and <set> them {REL} {R} | make sure that {T} are {REL} {R} | i need {T} {REL} {R} | choose {T} and <set> them {REL} {R}
        | pick {T} and <set> them {REL} {R} | {REL} {R} there should be {T} | have {T} {REL} {R}""",
    "own": """4:the {R} of (its|the same|their) [own] (color|colour) | 3:the {R} (with|that has|which has) the same (color|colour) | 2:the {R} of the same (color|colour) | the matching {R} | the {R} that matches its (color|colour) | its own (color|colour) {R}
        | the {R} that is the same (color|colour) | the {R} that has its (color|colour) | the same (color|colour) {R} | the {R} of that (color|colour) | the {R} whose (color|colour) it has | the {R} (in|with) its own (color|colour)""",
    "sort": """10:<set> {T} {REL} {O} | 2:<take> {T} and <set> it {REL} {O} | 2:sort {T} {REL} {O} | {T} (goes|belongs) {REL} {O} | i want {T} {REL} {O} | {T} should (go|be) {REL} {O} | match {T} with {O} | pair {T} with {O}
        | make sure {T} is {REL} {O} | {REL} {O} <set> {T} | get {T} {REL} {O} | i would like {T} {REL} {O} | see that {T} is {REL} {O} | {T} must (go|be) {REL} {O}""",
    "sort_by": """4:sort {T} by (color|colour) {REL} {M} | 2:sort {T} {REL} {M} by (color|colour) | sort {T} {REL} {M} of their (color|colour) | order {T} by (color|colour) {REL} {M} | <set> {T} {REL} {M} by (color|colour)
        | <set> {T} {REL} {M} of (their|the same) [own] (color|colour) | <set> {T} {REL} {M} that match | split {T} by (color|colour) {REL} {M} | sort {T} {REL} the matching {MP} | divide {T} by (color|colour) {REL} {M} | <set> {T} {REL} {M} according to (color|colour)""",
    "spread_by": """4:<set> {T} {REL} different {MP} | 3:spread {T} over {M} | 2:distribute {T} over {M} | 2:<set> {T} {REL} {MP} of their own | divide {T} among {M} | <set> {T} {REL} separate {MP} | distribute {T} among {M} | share {T} out among {M}
        | spread {T} over {M} , one in each | <set> {T} {REL} {M} , one in each | <set> {T} each {REL} a different {X} | <set> {T} {REL} different {MP} , one in each | <set> {T} , one in each of {M} | spread {T} out over {M} | give {T} different {MP}
        | <set> {T} {REL} {M} , no two in the same {X} | <set> {T} {REL} {M} , only one in each | scatter {T} over {M}""",
    "other": "6:a different {R} | 3:another {R} | 2:its own {R} | 2:a separate {R} | a {R} of its own | one {R} each | its very own {R} | a different {R} each time",
    "spread": """10:<set> {T} {REL} {O} | 2:<take> {T} and <set> it {REL} {O} | {T} (goes|belongs) {REL} {O} | i want {T} {REL} {O} | {T} should (go|be) {REL} {O} | make sure {T} is {REL} {O} | {REL} {O} <set> {T} | get {T} {REL} {O}
        | {T} gets {O} | give {T} {O} | i would like {T} {REL} {O} | {T} must (go|be) {REL} {O}""",
    # two change places
    "swap": """6:swap {T} and {R} | 3:swap {T} with {R} | 2:exchange {T} and {R} | 2:swap the (places|positions) of {T} and {R} | exchange {T} with {R} | switch {T} and {R} | switch {T} with {R} | let {T} and {R} (swap|change|trade) places
        | make {T} and {R} (swap|change|trade) places | {T} and {R} should (swap|change|trade) places | interchange {T} and {R} | <set> {T} where {R} is and {R} where {T} is | trade the (places|positions) of {T} and {R}
        | {T} and {R} must swap | i want {T} and {R} swapped | swap around {T} and {R} | switch the (places|positions) of {T} and {R} | have {T} and {R} swap (places|positions) | swap {T} for {R}""",
    # a pyramid: three below, two on them, one on top
    "pyramid": """3:build a pyramid with {A} , {B} and {C} at the bottom , {D} and {E} (on them|in the middle|above) and {G} (on top|at the top) | 2:make a pyramid : {A} , {B} and {C} below , then {D} and {E} , then {G}
        | make a pyramid of {A} , {B} , {C} , {D} , {E} and {G} | build a pyramid from {A} , {B} , {C} , {D} , {E} and {G} | pyramid : {A} , {B} and {C} , then {D} and {E} , then {G}
        | stack a pyramid with {A} , {B} , {C} as the base , {D} and {E} above and {G} at the top | i want a pyramid of {A} , {B} , {C} , {D} , {E} and {G}""",
    # table
    "table": """5:<set> {T} on the table | 2:<set> {T} down on the table | 2:<set> {T} (onto|upon) the table | <take> {T} and <set> it on the table | <take> {T} off {H} and <set> it on the table | <set> {T} from {H} on the table
        | i want {T} on the table | {T} (goes|belongs) on the table | {T} should be on the table | <set> {T} (somewhere|anywhere) on the table | <take> {T} (out of|from|off) {H} and <set> it on the table
        | <set> {T} on a free spot of the table | <set> {T} back on the table | <set> {T} on the free table""",
    "table_it": """5:<set> it on the table | 2:<set> it down on the table | <set> it onto the table | <set> it (somewhere|anywhere) on the table | <set> that on the table | leave it on the table | it goes on the table | <set> what you (hold|have) on the table | <set> it back on the table""",
    # conditions
    "if_else": """6:if {C} [then] {1} , otherwise {2} | 3:if {C} {1} , else {2} | 2:{1} if {C} , otherwise {2} | if {C} {1} , if not {2} | if {C} then {1} and otherwise {2} | when {C} {1} , otherwise {2} | in case {C} {1} , otherwise {2}
        | if {C} , {1} , or else {2} | {1} if {C} , else {2} | if {C} {1} . otherwise {2} | if {C} {1} . if not {2} | in case {C} {1} , else {2} | {1} if {C} . otherwise {2} | if it is true that {C} {1} , otherwise {2}
        | provided that {C} {1} , otherwise {2} | check if {C} , then {1} , otherwise {2} | look whether {C} , if so {1} , if not {2} | check whether {C} . if so {1} , otherwise {2}""",
    "if": """6:if {C} [then] {1} | 3:{1} if {C} | when {C} {1} | in case {C} {1} | only if {C} {1} | {1} but only if {C} | {1} in case {C} | if it is true that {C} {1} | {1} provided that {C} | as long as {C} {1} | check whether {C} and if so {1} | {1} when {C} | if {C} {1} , otherwise do nothing | if {C} {1} , otherwise leave everything as it is | if {C} {1} , else do nothing | {1} if {C} , otherwise do nothing | if {C} {1} and if not do nothing""",
    "unless": """4:unless {C} {1} | 3:{1} unless {C} | {1} except if {C} | if it is not true that {C} {1} | only if it is not so that {C} {1} | {1} except when {C}""",
    # what nothing may touch
    "avoid": """6:{1} without touching {F} | 2:{1} but (dont|do not) touch {F} | 2:{1} , but (dont|do not) touch {F} | {1} and (dont|do not) touch {F} | without touching {F} {1} | {1} , without touching {F} | {1} and avoid {F} | {1} , avoid {F}
        | {1} and (stay|keep) (away from|clear of|off) {F} | {1} without bumping into {F} | {1} without (hitting|moving|disturbing) {F} | {1} and be careful not to touch {F} | be careful not to touch {F} and {1} | {1} but leave {F} alone
        | {1} but (stay|keep) away from {F} | {1} , {F} must not be touched | {1} and leave {F} alone | avoid {F} and {1} | avoid touching {F} and {1} | {1} while avoiding {F} | {1} but mind {F} | {1} and watch out for {F}""",
    # of the request before
    "again": """5:do the same with {T} | 3:now {T} | 2:and now {T} | then {T} | next {T} | 3:do the same for {T} | 3:the same (with|for) {T} | 2:same (with|for) {T} | 2:now {T} too | now {T} as well | and {T} too | and {T} as well | {T} too | {T} as well | also {T} | now also {T} | and also {T}
        | do that with {T} too | do it with {T} too | now do the same (with|for) {T} | repeat that (with|for) {T} | repeat it with {T} | the same again with {T} | do it again with {T} | do this with {T} as well | likewise {T} | likewise with {T}
        | now do {T} | and the same (with|for) {T} | {T} next | {T} likewise | once more with {T} | again with {T} | do the very same (with|for) {T} | and do the same (with|for) {T} | now the same with {T} | please do the same with {T}""",
    "instead": """5:no , {T} | 3:no {T} | 3:i meant {T} | 2:not that one , {T} | 2:i mean {T} | no , i (meant|mean|want|wanted|said) {T} | 2:{T} instead | wrong one , {T} | sorry , {T} | sorry , i meant {T} | actually {T} | rather {T} | make that {T}
        | i said {T} | no , not that one , {T} | that is wrong , {T} | oops , {T} | no no , {T} | i wanted {T} | do it with {T} instead | take {T} instead | use {T} instead | oh no , {T} | i was talking about {T}
        | better {T} | no , {T} please | that was wrong , i meant {T} | correction , {T} | it should be {T} instead | i asked for {T} | not this one , {T} | no , it is {T}""",
    "instead_of": """3:not {T2} , {T} | 2:not {T2} but {T} | 2:no , not {T2} , {T} | {T} , not {T2} | i meant {T} , not {T2} | i said {T} , not {T2} | i meant {T} and not {T2} | {T} instead of {T2} | no , {T} instead of {T2} | not {T2} , i meant {T} | no , {T} , not {T2}""",
    "instead_place": """5:no , {REL} {R} | 3:i meant {REL} {R} | 2:{REL} {R} instead | no , i (meant|said|want|wanted) it {REL} {R} | rather {REL} {R} | actually {REL} {R} | sorry , {REL} {R} | make that {REL} {R} | i said {REL} {R} | no no , {REL} {R}
        | not there , {REL} {R} | oops , {REL} {R} | no , <set> it {REL} {R} instead | wrong place , {REL} {R} | better {REL} {R} | no , {REL} {R} please | it should be {REL} {R} instead | correction , {REL} {R}""",
    "other_one": """6:the other one | 2:the other | 2:now the other one | and the other one | take the other one | the other one too | do the other one | also the other one | and now the other one | the other one as well | do the same with the other one | the same with the other one
        | now do the other one | do the other one too | the other one next | the other {X} | now the other {X} | the other {X} too | i want the other one | the remaining one | now the remaining one""",
    "not_that": """5:not that one | 3:not this one | 2:no , not that one | 2:no , the other one | that is the wrong one | wrong one | not that {X} | no not this one | no , the other {X} | i meant the other one | that was the wrong one | no , i meant the other one | the wrong {X} | not that
        | not this {X} | the other one instead | that is not the one i meant | that one is wrong | you took the wrong one | that is not it""",
    "put_back": """6:put it back | 2:put it back where it was | 2:put that back | put it back in its place | put it back where it came from | put it back where you found it | put it back where you got it | place it back | set it back | bring it back
        | return it | return it to its place | undo that | undo it | move it back | put it where it was [before] | take it back | return it to where it was | bring it back to its place | put it back where it belongs | set it back where it was | take it back to where it was""",
    "put_back_thing": """6:put {T} back | 2:put {T} back where it was | put back {T} | put {T} back in its place | put {T} back where it came from | place {T} back | set {T} back | return {T} to its place | move {T} back
        | put {T} where it was [before] | return {T} to where it was | bring {T} back to its place | take {T} back to where it was | return {T} | put {T} back where you found it | put {T} back where you got it""",
    "pick_put_back": """4:<lift> {T} and put it back | 3:<lift> {T} , then put it back | 2:<lift> {T} and then put it back [where it was] | first <lift> {T} , then put it back | <lift> {T} and put it back (again|where it was) | <lift> {T} and return it to its place
        | <lift> {T} and set it back | <lift> {T} . then put it back | <lift> {T} , and after that put it back | <lift> {T} and put it down where it was | <lift> {T} , hold it and put it back | <lift> {T} for a moment , then put it back""",
    "resume": """4:go on | 3:continue | 2:carry on | 2:keep going | proceed | resume | go ahead | finish it | finish what you were doing | go on with it | you can (go on|continue|proceed) | you may (go on|continue) | continue with it | ok go on | ok continue | now go on
        | carry on with it | go on please | continue please | keep on | finish that | finish the job | do go on | pick up where you left off | go on with that | continue what you were doing | and now go on | it is ok , go on | alright , continue""",
    **{name: wording.TRAIN[name] for name in _SHARED},
}
HELDOUT = {
    "shove": "slide | thrust",
    "nudge": "slide | thrust",
    "all": "see to it that {T} end up {REL} {R} | {T} , <set> them {REL} {R} | the place for {T} is {REL} {R} | clear the table of {T} , they go {REL} {R}",
    "some": "select {T} , they go {REL} {R} | {REL} {R} i need {T} | {T} is how many i want {REL} {R}",
    "own": "the {R} that shares its (color|colour) | the {R} wearing the same (color|colour)",
    "sort": "let {T} find its way {REL} {O} | for {T} choose {O}",
    "sort_by": "group {T} by (color|colour) {REL} {M} | (color|colour) by (color|colour) <set> {T} {REL} {M}",
    "other": "a {R} that is still free | a fresh {R}",
    "spread_by": "allot {M} to {T} , one for each | {T} shall be alone {REL} {MP}",
    "spread": "let {T} have {O} | for {T} choose {O}",
    "swap": "{T} and {R} shall change seats | move {T} to the spot of {R} and vice versa | reverse {T} and {R}",
    "if_else": "supposing {C} {1} , failing that {2} | {1} whenever {C} , for all else {2}",
    "if": "supposing {C} {1} | {1} on condition that {C}",
    "avoid": "{1} with no contact to {F} | {1} giving {F} a wide berth | whatever happens spare {F} and {1}",
    "again": "{T} deserves the same | repeat the job for {T} | give {T} the same treatment",
    "instead": "beg your pardon , {T} was meant | mistake , i was after {T} | my bad , {T}",
    "instead_place": "my bad , {REL} {R} | mistake , {REL} {R} is right",
    "other_one": "lets have the other one | how about the other one",
    "not_that": "you picked the wrong one | thats not the right one",
    "put_back": "get it back to where it stood | its old place is where it should go",
    "resume": "take it from there | dont stop , go on",
    **{name: wording.HELDOUT[name] for name in ("set", "lift")},
}
DEEDS = Grammar(TRAIN, HELDOUT)
