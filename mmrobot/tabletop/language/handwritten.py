# ruff: noqa: E501 (sentences read best on one line)
"""Sentences as people type them, written by hand and not by the grammar, with their plans. Never trained on.

A plan is steps "skill: phrase" joined by "; ", where place steps are named by their relation; "" is
no command. Sets, pushes, conditions and the like are written as evals/plan_eval.py tells them. Phrases are
the words that a copying planner should copy. Measured with them: whether a model reads people and not just
the grammar.
"""

from __future__ import annotations

_TEXT = """
put the red cube in the blue bowl => pick: red cube; in: blue bowl
Put the red cube into the blue bowl. => pick: red cube; in: blue bowl
place the ball to the left of the green cube => pick: ball; left_of: green cube
stack the red cube on the blue one => pick: red cube; on: blue cube
pick up the yellow cylinder => pick: yellow cylinder
move the small purple bar onto the tray => pick: small purple bar; on: tray
set the cup behind the bowl => pick: cup; behind: bowl
could you please drop the white ball into the bowl => pick: white ball; in: bowl
grab the green ball => pick: green ball
Pick the orange cup up, please. => pick: orange cup
can you lift the black bar? => pick: black bar
hand me the blue cube => pick: blue cube
take the yellow ball => pick: yellow ball
hey robot, could you get the red cylinder for me => pick: red cylinder
I'd like you to grab the purple cup. => pick: purple cup
please pick the leftmost cube => pick: leftmost cube
pick up the cube on the right => pick: cube on the right
grab the ball closest to you => pick: ball closest to you
pick up the biggest block => pick: biggest block
Pick up the cube that is left of the bowl => pick: cube that is left of the bowl
get the red one => pick: red one
pick up the second cube from the left => pick: second cube from the left
lift the white cylinder off the table => pick: white cylinder
take hold of the brown stick => pick: brown stick
pick up the thing next to the tray => pick: thing next to the tray
fetch the little green cube => pick: little green cube
take the ball out of the bowl => pick: ball
raise the blue mug => pick: blue mug
pick up the cube in front of the yellow plate => pick: cube in front of the yellow plate
grab the blue sphere please => pick: blue sphere
drop the ball in the cup => pick: ball; in: cup
put the orange block on the plate => pick: orange block; on: plate
place the green cylinder inside the white bowl => pick: green cylinder; in: white bowl
throw the red ball into the tray => pick: red ball; in: tray
I want the yellow cube in the black bowl => pick: yellow cube; in: black bowl
the blue ball goes into the green bowl => pick: blue ball; in: green bowl
take the purple cube and put it in the tray => pick: purple cube; in: tray
pick up the white bar and place it on the red plate => pick: white bar; on: red plate
move the cup to the plate => pick: cup; on: plate
transfer the black cylinder into the yellow bowl => pick: black cylinder; in: yellow bowl
Robot, put the smallest cube in the bowl! => pick: smallest cube; in: bowl
Could you move the green block into the box? => pick: green block; in: box
set the red cup on the orange tray => pick: red cup; on: orange tray
bring the yellow can to the bowl => pick: yellow can; in: bowl
place the cube nearest to the robot in the white bowl => pick: cube nearest to the robot; in: white bowl
please deposit the violet ball in the container => pick: violet ball; in: container
grab the cyan cube then drop it into the pink bowl => pick: cyan cube; in: pink bowl
can you put the ball that is behind the cup in the tray => pick: ball that is behind the cup; in: tray
lay the stick on the plate => pick: stick; on: plate
insert the ball into the large cup => pick: ball; in: large cup
put the grey block in the leftmost bowl => pick: grey block; in: leftmost bowl
pop the red ball in the mug => pick: red ball; in: mug
in the blue bowl, place the red ball => pick: red ball; in: blue bowl
let the cube rest in the tray => pick: cube; in: tray
would you put the yellow one on the green plate => pick: yellow one; on: green plate
put the cube left of the ball => pick: cube; left_of: ball
put the red block to the right of the yellow cup => pick: red block; right_of: yellow cup
place the green ball in front of the black cube => pick: green ball; in_front_of: black cube
move the cylinder behind the red bowl => pick: cylinder; behind: red bowl
set the blue bar on the left side of the white plate => pick: blue bar; left_of: white plate
put the purple cup on the right of the tray => pick: purple cup; right_of: tray
Please place the orange ball behind the large cube. => pick: orange ball; behind: large cube
shift the black cube so that it is left of the bowl => pick: black cube; left_of: bowl
take the green cup and set it in front of the ball => pick: green cup; in_front_of: ball
i need the white cube right of the red one => pick: white cube; right_of: red cube
put the yellow ball directly behind the blue cup => pick: yellow ball; behind: blue cup
bring the red cube in front of the plate => pick: red cube; in_front_of: plate
grab the cup and place it left of the orange block => pick: cup; left_of: orange block
position the bar to the left of the rightmost cube => pick: bar; left_of: rightmost cube
move the green one to the right of the blue ball => pick: green one; right_of: blue ball
can you place the yellow block in front of the red block => pick: yellow block; in_front_of: red block
could you set the cylinder down behind the tray => pick: cylinder; behind: tray
drop the ball to the left of the bowl => pick: ball; left_of: bowl
put the mug on the left hand side of the plate => pick: mug; left_of: plate
the red ball should be behind the green cube => pick: red ball; behind: green cube
stack the green block on top of the yellow block => pick: green block; on: yellow block
put the blue cube on the red cube => pick: blue cube; on: red cube
place the small cube on top of the big one => pick: small cube; on: big cube
pile the orange cube onto the white cube => pick: orange cube; on: white cube
take the purple block and stack it on the green one => pick: purple block; on: green block
please stack the yellow cylinder on the black cube => pick: yellow cylinder; on: black cube
I want you to stack the red block on the blue block => pick: red block; on: blue block
can you balance the white cylinder on the green cube? => pick: white cylinder; on: green cube
set the black cube atop the orange cube => pick: black cube; on: orange cube
build a tower with the red cube on the green cube => pick: red cube; on: green cube
Stack the red cube on the blue cube and the green cube on top of it. => pick: red cube; on: blue cube; pick: green cube; on: red cube
put the red cube on the blue cube, then put the green cube on the red cube => pick: red cube; on: blue cube; pick: green cube; on: red cube
put the red cube in the bowl and then put the ball on the tray => pick: red cube; in: bowl; pick: ball; on: tray
first put the green ball in the cup, then stack the red cube on the blue cube => pick: green ball; in: cup; pick: red cube; on: blue cube
put the cube in the tray and go home => pick: cube; in: tray; home
Place the yellow cube left of the bowl. After that pick up the blue ball. => pick: yellow cube; left_of: bowl; pick: blue ball
move the ball behind the cup, and then put the bar in the tray => pick: ball; behind: cup; pick: bar; in: tray
put the red ball and the green cube in the bowl => pick: red ball; in: bowl; pick: green cube; in: bowl
put the ball in the bowl, the cube on the plate and then go home => pick: ball; in: bowl; pick: cube; on: plate; home
put the cup in front of the bowl, then pick it up => pick: cup; in_front_of: bowl; pick: cup
put it in the red bowl => in: red bowl
place it to the left of the cup => left_of: cup
now put it on the tray => on: tray
go home => home
return to your home position => home
please go back to the start position => home
move back home => home
put all red blocks in the tray => each: all red blocks; in: tray
Put every cube on the plate, please. => each: every cube; on: plate
put everything except the ball in the tray => each: everything except the ball; in: tray
collect all the balls in the bowl => each: all balls; in: bowl
Could you put two cubes in the bowl? => each 2: cubes; in: bowl
put exactly three balls on the tray => each 3: balls; on: tray
put each cube in the bowl of its own colour => each: each cube; in own_color: bowl
sort the blocks by color into the bowls => each: blocks; in own_color: bowls
put each block in a different bowl => each: each block; in different: bowl
clear all the cylinders off into the tray => each: all cylinders; in: tray
push the cylinder away from you => push behind: cylinder
push the ball to the tray => push near: ball and tray
nudge the red cube a bit to the left => push left_of: red cube
Push the cup towards yourself => push in_front_of: cup
give the green block a push to the right => push right_of: green block
swap the cube and the ball => swap: cube and ball
please swap the red block with the yellow cup => swap: red block and yellow cup
if there is a ball put the cube in the bowl, otherwise put it on the plate => if: there is a ball; then pick: cube; then in: bowl; else pick: cube; else on: plate
if the bowl is empty, put the ball in it => if: the bowl is empty; then pick: ball; then in: bowl
If you see a red cube, pick it up => if: you see a red cube; then pick: red cube
put the cube in the bowl without touching the cup => pick: cube; in: bowl; avoid: cup
pick up the ball but don't touch the blue bar => pick: ball; avoid: blue bar
no, the green one => instead: green one
I meant the blue cube => instead: blue cube
no, in the bowl => instead in: bowl
the other one => other:
not that one => not_that:
put it back => put_back: it
put the cube back where it was => put_back: cube
do the same with the blue one => again: blue one
now the yellow ball too => again: yellow ball
go on => resume:
continue please => resume:
put the red cube in the tray and then push the ball to the left => pick: red cube; in: tray; push left_of: ball
put the blue cube on the table => pick: blue cube; on: table
take the ball out of the bowl and put it on the table => pick: ball; on: table
build a pyramid with the red, green and blue cubes at the bottom, the yellow and white ones on them and the orange one on top => pyramid: red cubes and green cubes and blue cubes and yellow cubes and white cubes and orange cubes
put the giraffe in the bowl => pick: giraffe; in: bowl
hello there =>
how are you today? =>
what color is the ball =>
where is the red cube? =>
how many cubes do you see =>
who built you =>
don't touch the red cube =>
do not put the ball in the bowl =>
tell me a story =>
I like the green cube =>
the cube is red =>
what's in the bowl? =>
asdf jkl qwer =>
blorp zibble frang =>
put =>
put the red cube =>
into the bowl =>
paint the cube blue =>
open the window please =>
thank you, that was great =>
is the cup left of the plate =>
why did you drop the ball =>
do you see a yellow cylinder? =>
""".strip()


def _plan(text: str) -> tuple[tuple[str, str], ...]:
    steps = (s.partition(":") for s in text.split(";") if s.strip())
    return tuple((skill.strip(), phrase.strip()) for skill, _, phrase in steps)


HANDWRITTEN: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = tuple(
    (said.strip(), _plan(plan)) for said, _, plan in (line.partition("=>") for line in _TEXT.splitlines())
)
"""(sentence, ((skill or relation, phrase), ...)); home has an empty phrase."""
