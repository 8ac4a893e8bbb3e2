# ruff: noqa: E501 (wordings read best as long lines)
"""How people word commands, as data. {T} target, {R} reference, {REL} the words of the relation.

HELDOUT are the wordings that training never sees (level L2). A heldout wording may use any trained
rule inside, so it is new mostly in its build.
"""

from __future__ import annotations

from mmrobot.tabletop.language.grammar import Grammar

TRAIN = {
    # pick
    "pick_statement": """{T} please | i want {T} | i would like {T} | you should be holding {T} | i need {T} | what i (want|need) is {T} | i want {T} (picked up|lifted|taken|held)
        | i want {T} in (your|the) (hand|gripper) | {T} has to be (picked up|lifted|taken|grabbed) | {T} must be (picked up|lifted|taken|grabbed)
        | {T} is to be (picked up|lifted|taken) | {T} , (pick|take|lift|grab) it [up] | let me have {T} | may i have {T} | can i have {T} | could i have {T} | can i get {T}
        | as for {T} , <lift> it | i could use {T} now | the (thing|one|object) to <lift> is {T} | {T} is what i want | i want you holding {T}
        | i want to see {T} in (your|the) (hand|gripper) | it is {T} that you should <lift> | i am after {T} | {T} , that is what i want | there is {T} , <lift> it
        | you see {T} , <lift> it | the target is {T} | {T} would be good to have | how about {T} | how about <lifting> {T} | i would like to have {T}
        | i would like {T} (picked up|lifted|taken) | it would be (nice|great|good) to have {T} | (start|begin|try) <lifting> {T} | try <lifting> {T}""",
    "pick_out": """(take|get|pick|lift|remove|fetch) {T} (out of|from) {H} | 2:pick {T} up (out of|from) {H}
        | <lift> {T} (out of|from inside|from within|from) {H} | reach into {H} and (take|grab|pick|get|lift) {T} | (take|get|lift|fish) {T} out of {H}
        | from {H} <lift> {T} | <lift> {T} which is in {H} | (empty|free) {H} by taking {T} out | out of {H} (take|get|lift) {T} | go into {H} and (take|grab|get) {T} | take out {T} from {H}""",
    "grip": "grasp | grip | grab | hold | clutch | seize",
    "lifting": """4:picking up | 3:grabbing | 3:taking | 2:lifting | grasping | getting | fetching | lifting up | holding | raising | collecting | seizing | gripping | retrieving | catching""",
    "pick": """8:<lift> {T} | 5:pick {T} up | 2:lift {T} up | 2:<lift> {T} (from|off|off of) the table | take {T} (into|in) your (hand|gripper) | take hold of {T}
        | get a hold of {T} | get hold of {T} | pick {T} up (from|off) the table | <lift> {T} and hold (it|on to it|it up) | take {T} up | reach for {T} and <grip> it
        | go and <lift> {T} | go get {T} | find {T} and (pick|lift) it up | (give|bring|hand) me {T} | get me {T} | pick out {T} | close your (hand|gripper) (on|around) {T}
        | pass me {T} | hand over {T} | pass {T} over | hold {T} up | take a [firm] hold of {T} | put your (hand|gripper|fingers) (on|around) {T} and lift it [up]
        | get your (hand|gripper|fingers) (on|around) {T} | place your (hand|gripper) around {T} and (lift|raise) it | use your (hand|gripper|arm) to <lift> {T}
        | with your (hand|gripper) <lift> {T} | go to {T} and <lift> it | go over to {T} and <lift> it | move to {T} and <grip> it | find {T} and <grip> it
        | locate {T} and <lift> it | reach out for {T} and <lift> it | reach down and <lift> {T} | bring {T} up | bring {T} to me | <grip> {T} and lift it [up]
        | <grip> {T} and raise it | <grip> {T} with your (hand|gripper|fingers) | grip {T} firmly | get {T} off the table | take {T} away from the table
        | come and <lift> {T} | go for {T} and <grip> it | make your way to {T} and <grip> it | open your (hand|gripper) and <grip> {T} | let your (hand|gripper) <grip> {T}
        | keep {T} in your (hand|gripper) | <lift> {T} with (your|the) (hand|gripper|arm) | <lift> only {T} | <lift> {T} and nothing else | <lift> {T} then hold it
        | <lift> {T} and keep it | do <lift> {T} | just {T} , <lift> it | lay your (hand|gripper) on {T} and <lift> it | see if you can <lift> {T} | have a go at <lifting> {T} | be so good as to <lift> {T} | <lift> {T} up high | get a grip of {T} | {T} , could you <lift> it | whatever else , <lift> {T}
        | <lift> {T} quickly | <lift> {T} gently | carefully <lift> {T} | now then , <lift> {T} | <lift> {T} and wait | wrap your fingers around {T} and lift it""",
    "lift": """10:pick up | 3:grab | 3:take | 2:lift | 2:grasp | lift up | 2:get | fetch | hold | raise | grip | collect | seize | pick | clutch | grab hold of | catch | retrieve
        | lift and hold | pick and hold | obtain | grab up | take up | get a grip on | lay hold of | take and lift | snag | capture | hoist | acquire | nab | pinch | grapple | take away | heave | elevate | uplift | gather up | extract | procure | bag | haul up | hook | bring up | reach | trap | nip | nick | pocket | grasp up | fish up | draw up | grab a hold of | take possession of | get ahold of | pick off""",
    # put: any relation
    "put_statement": """2:i want {T} {REL} {R} | {T} (goes|belongs) {REL} {R} | i would like {T} [to be] {REL} {R} | {T} (should|must) (go|be) {REL} {R} | i need {T} {REL} {R}
        | {T} {REL} {R} please | {T} {REL} {R} | id like {T} {REL} {R} | {T} has to (go|be) {REL} {R} | {REL} {R} <set> {T} | {REL} {R} , <set> {T} | {T} is to go {REL} {R}
        | {T} (should|must) be <putpp> {REL} {R} | {T} has to be <putpp> {REL} {R} | {T} should end up {REL} {R} | {T} ought to (be|go) {REL} {R}
        | i want {T} <putpp> {REL} {R} | i would like {T} <putpp> {REL} {R} | i would like to (have|see) {T} {REL} {R} | i would like to have {T} <putpp> {REL} {R}
        | what i want is {T} {REL} {R} | can i have {T} {REL} {R} | could i have {T} {REL} {R} | can {T} (go|be <putpp>) {REL} {R} | could {T} (go|be <putpp>) {REL} {R}
        | it would be (nice|good|great) to have {T} {REL} {R} | {T} would look (good|better|nice) {REL} {R} | {T} , <set> it {REL} {R} | as for {T} , <set> it {REL} {R}
        | as to {T} , i want it {REL} {R} | you see {T} , <set> it {REL} {R} | there is {T} , <set> it {REL} {R} | {T} , i want it {REL} {R}
        | {REL} {R} is where {T} (goes|belongs|should be|should go) | {REL} {R} i want {T} | {REL} {R} goes {T} | {REL} {R} i want to see {T}
        | the (place|position) for {T} should be {REL} {R} | {T} to go {REL} {R} | {T} , {REL} {R} | how about <setting> {T} {REL} {R} | try <setting> {T} {REL} {R}
        | i am thinking of <setting> {T} {REL} {R} | start by <setting> {T} {REL} {R} | {T} now goes {REL} {R} | {T} will have to go {REL} {R} | the goal is {T} {REL} {R}
        | the goal is to have {T} {REL} {R} | i have {T} here , <set> it {REL} {R} | {T} is in the wrong place , <set> it {REL} {R} | {T} {REL} {R} thanks
        | now {T} {REL} {R} | i expect {T} {REL} {R} | for {T} i want a place {REL} {R} | {T} and then {REL} {R} with it | {T} goes where it belongs , {REL} {R}
        | we want {T} {REL} {R} | all i want is {T} {REL} {R} | {T} gets <putpp> {REL} {R} | next {T} goes {REL} {R}""",
    "setting": """6:putting | 4:placing | 3:moving | 2:setting | dropping | laying | bringing | transferring | positioning | carrying | depositing | shifting | relocating | sticking | popping | leaving""",
    "putpp": """6:put | 4:placed | 3:moved | 2:set | dropped | laid | brought | transferred | positioned | carried | relocated | deposited | shifted | placed down | stored | stuck | lowered""",
    "taken": """picked up | taken | grabbed | lifted | grasped""",
    "put": """14:<set> {T} {REL} {R} | <set> {T} down {REL} {R} | 3:<take> {T} and <set> it {REL} {R} | pick {T} up and <set> it {REL} {R} | <take> {T} , then <set> it {REL} {R}
        | 2:<take> {T} and then <set> it {REL} {R} | get {T} {REL} {R} | let {T} (sit|rest|lie|go|be) {REL} {R} | make {T} (sit|rest|lie|go) {REL} {R}
        | <take> {T} and let it go {REL} {R} | have {T} (go|sit) {REL} {R} | <set> {T} so [that] it is {REL} {R} | <take> {T} and bring it {REL} {R}
        | <take> {T} , <set> it {REL} {R} | <take> {T} and release it {REL} {R} | <set> {T} (right|directly) {REL} {R} | make sure [that] {T} (is|goes|sits|stands) {REL} {R}
        | take care that {T} is {REL} {R} | get {T} to be {REL} {R} | get {T} over {REL} {R} | use (your|the) (hand|gripper|arm) to <set> {T} {REL} {R}
        | with your (hand|gripper) <set> {T} {REL} {R} | find {T} and <set> it {REL} {R} | look for {T} and <set> it {REL} {R} | look for {T} , then <set> it {REL} {R}
        | reach for {T} and <set> it {REL} {R} | go to {T} , <take> it and <set> it {REL} {R} | <take> {T} , carry it over and <set> it {REL} {R}
        | <take> {T} and carry it {REL} {R} | carry {T} over {REL} {R} | bring {T} over {REL} {R} | move {T} over {REL} {R}
        | <take> {T} from where it is and <set> it {REL} {R} | <take> {T} . <set> it {REL} {R} | <take> {T} . then <set> it {REL} {R} | <take> {T} . now <set> it {REL} {R}
        | <take> {T} and <set> it down {REL} {R} | <take> {T} and <set> that {REL} {R} | <take> {T} and drop it off {REL} {R} | <take> {T} for me and <set> it {REL} {R}
        | <set> {T} to a place {REL} {R} | <set> {T} somewhere {REL} {R} | <set> {T} in a place {REL} {R} | <set> {T} over {REL} {R}
        | find a place {REL} {R} for {T} | find room {REL} {R} for {T} | make room {REL} {R} for {T} | {REL} {R} , <set> {T} | {REL} {R} <set> {T}
        | change the (place|position) of {T} , {REL} {R} | <set> {T} over there {REL} {R} | <set> {T} there , {REL} {R} | <set> {T} back {REL} {R}
        | <set> {T} exactly {REL} {R} | <lift> {T} , then <set> it {REL} {R} | once you have {T} , <set> it {REL} {R} | after picking up {T} <set> it {REL} {R}
        | after you <lift> {T} <set> it {REL} {R} | when you have {T} in your (hand|gripper) <set> it {REL} {R} | having <taken> {T} <set> it {REL} {R}
        | <set> {T} so that it (sits|stands|is|ends up) {REL} {R} | <set> only {T} {REL} {R} | leave {T} {REL} {R} | <set> {T} from its place {REL} {R}
        | <set> {T} away from there and {REL} {R} | do <set> {T} {REL} {R} | go and <set> {T} {REL} {R} | come and <set> {T} {REL} {R} | get {T} <putpp> {REL} {R}
        | have {T} <putpp> {REL} {R} | let {T} be <putpp> {REL} {R} | see if you can <set> {T} {REL} {R} | have a go at <setting> {T} {REL} {R} | <set> {T} gently {REL} {R} | carefully <set> {T} {REL} {R} | <set> {T} {REL} {R} and let go | <set> {T} {REL} {R} and release it | give {T} a place {REL} {R} | give {T} a new home {REL} {R}
        | <take> {T} up and <set> it {REL} {R} | <take> {T} and place it so that it is {REL} {R} | <set> {T} where it is {REL} {R} | relocate {T} to a place {REL} {R} | move {T} from here to a place {REL} {R} | <set> {T} neatly {REL} {R} | <take> {T} , move it {REL} {R} | <set> {T} down gently {REL} {R}""",
    "set": """10:put | 7:place | 4:move | 3:set | 3:drop | lay | bring | 2:transfer | deposit | position | relocate | shift | carry | pop | stick | leave | toss | throw
        | transport | store | rest | locate | deliver | send | ferry | haul | shove | leave | plop
        | install | put away | insert | tuck | plant | stow | nestle | lower | stash | lodge | chuck | pack | load | land | stand | station | perch
        | reposition | convey | replace | sit | fit | mount | plonk | plunk | slip | tip | hurl | fling | sling | fly | pass | guide | lead | usher | steer | assign | add | commit | consign | bestow | rehome | let down | set down | put down | lay down""",
    "take": """5:pick up | 4:take | 3:grab | get | lift | grasp | fetch | lift up | pick | fetch | collect | raise | take hold of | grab hold of | grip | get hold of | seize
        | catch | clutch | retrieve | acquire | nab | pinch | hoist | snag | heave | take up | obtain""",
    # relations
    "in": """6:in | 6:into | 2:inside | inside of | in to | within | to | inside of | into the inside of | to the inside of | in the middle of | into the middle of | inside the middle of | in the inside of | to the inner side of | towards the inside of""",
    "on": """6:on | 4:onto | 2:on top of | on to | upon | over | right on top of | on the top of | onto the top of | on the surface of | onto the surface of | atop | up on top of | onto the middle of""",
    "in_plate": """3:in | 2:into | within
        | inside | in the middle of | right into""",
    "on_plate": """6:on | 5:onto | on top of | on to | upon | to
        | upon | on the middle of | over | right on | onto the middle of""",
    "left_of": """6:to the left of | 4:left of | 2:on the left of | on the left side of | to the left side of | at the left of | on the left hand side of | to the left hand side of
        | just left of | at the left side of | over to the left of | a little left of | somewhere to the left of | directly left of | next to and left of
        | to the immediate left of | a little to the left of | slightly left of | slightly to the left of | off to the left of | at the left hand side of | adjacent to and left of | close to and left of""",
    "right_of": """6:to the right of | 4:right of | 2:on the right of | on the right side of | to the right side of | at the right of | on the right hand side of
        | to the right hand side of | just right of | at the right side of | over to the right of | a little right of | somewhere to the right of | directly right of
        | next to and right of | to the immediate right of | a little to the right of | slightly right of | slightly to the right of | off to the right of | at the right hand side of | adjacent to and right of | close to and right of""",
    "behind": """10:behind | in back of | at the back of | to the back of | in the back of | at the rear of | on the far side of | directly behind | just behind | to the rear of
        | at the far side of | somewhere behind | to the far side of | on the back side of | to the back side of | slightly behind | close behind | a little behind | on the rear side of | in the rear of""",
    "in_front_of": """10:in front of | to the front of | at the front of | before | in the front of | on the near side of | directly in front of | just in front of | at the near side of
        | somewhere in front of | to the near side of | on the front side of | slightly in front of | a little in front of | close in front of | ahead of | to the front side of""",
    "next_to": """6:next to | 3:beside | close to | near | by | near to | alongside | by the side of | at the side of
        | right next to | directly next to | right beside | just beside | very near | close by | in the neighbourhood of | to the side of | on the side of | somewhere near | right by | not far from | adjacent to | in the vicinity of | at the edge of | hard by | right alongside | nearby | neighbouring""",
    # stack
    "stack": """10:stack {T} (on|onto|on top of|upon|on to|over) {R} | 5:<set> {T} on top of {R} | 3:<set> {T} (on|onto|upon|atop) {R} | (pile|balance) {T} (on|onto|on top of) {R}
        | 2:<take> {T} and (stack|put|place|set) it on [top of] {R} | 2:stack {T} up on {R} | build a (tower|stack) with {T} on [top of] {R}
        | make a (tower|stack) with {T} on [top of] {R} | <take> {T} and then (stack|put|place|set) it (on|onto|on top of) {R} | stack up {T} on {R}
        | build a tower by (putting|placing|stacking) {T} on [top of] {R} | make {T} (stand|sit|rest) on [top of] {R} | stack {T} (atop|above) {R}
        | make sure {T} (is|stands|sits) on [top of] {R} | use your gripper to stack {T} on [top of] {R} | place {T} so [that] it (stands|sits|is) on [top of] {R}
        | <take> {T} , then stack it (on|onto|on top of) {R} | <take> {T} . stack it (on|onto|on top of) {R} | pile up {T} on [top of] {R} | pile {T} up on {R}
        | let {T} (stand|sit|rest|be) on [top of] {R} | have {T} (stand|sit) on [top of] {R} | {R} is the base , stack {T} on it | cover {R} with {T} | build on {R} with {T}
        | find {T} and stack it on [top of] {R} | stack {T} right on [top of] {R} | <set> {T} so that {R} is under it | carry {T} to {R} and <set> it on top
        | go to {R} and <set> {T} on top of it | on {R} stack {T} | on top of {R} stack {T} | start a tower by <setting> {T} on [top of] {R}
        | <take> {T} and balance it on [top of] {R} | lay {T} on [top of] {R} | <set> {T} up on [top of] {R} | raise {T} and <set> it (on|onto|on top of) {R}
        | use {R} as a base for {T} | form a tower of {T} on {R}""",
    "stack_statement": """{T} (goes|belongs) on top of {R} | i want {T} on top of {R} | i want {T} stacked on {R} | {T} should (be|go) on [top of] {R} | {T} on top of {R}
        | {R} should have {T} on top | on top of {R} <set> {T} | i would like {T} on top of {R} | i would like {T} stacked on [top of] {R}
        | {T} is to be (stacked|put|placed) on [top of] {R} | what i want is {T} on top of {R} | i want a (tower|stack) with {T} on [top of] {R}
        | how about <setting> {T} on top of {R} | how about stacking {T} on [top of] {R} | {T} , stack it on [top of] {R} | as for {T} , stack it on [top of] {R}
        | {R} should (carry|hold|support) {T} | {T} goes onto {R} | on top of {R} goes {T} | on top of {R} i want {T} | can {T} go on top of {R}
        | could {T} be stacked on {R} | {R} gets {T} on top | a tower of {T} on {R} please | i want {R} to carry {T} on top | i want {R} (under|below|beneath) {T}
        | {R} (should be|goes|belongs) (under|below|beneath) {T}""",
    # towers: A on B, C on A
    "tower": """4:stack {A} on {B} and {C} on [top of] {A2} | 3:<set> {A} on {B} and {C} on top of {A2}
        | 3:stack {A} on {B} and then <set> {C} on [top of] {A2} | <set> {A} on [top of] {B} , then <set> {C} on [top of] {A2}
        | build a tower with {B} at the bottom , {A} in the middle and {C} on [the] top
        | make a tower of {B} , {A} and {C} from bottom to top | 2:stack {A} on {B} , then stack {C} on [top of] {A2}
        | build a tower : {B} at the bottom , then {A} , then {C}
        | <set> {A} on {B} and after that {C} on top of {A2} | first stack {A} on {B} , then <set> {C} on [top of] {A2}
        | first <set> {A} on {B} , then {C} on [top of] {A2} | pile {A} onto {B} and {C} onto {A2} | i want {A} on {B} and {C} on [top of] {A2} | {A} goes on {B} and {C} goes on [top of] {A2}
        | (make|build) [me] a (stack|tower) with {B} at the bottom , {A} in the middle , {C} (at the top|on top) | start with {B} , <set> {A} on it , then {C} on top | take {B} as the base , <set> {A} on it and {C} on top of that
        | stack {A} on {B} . then stack {C} on [top of] {A2} | stack {A} on {B} . now <set> {C} on [top of] {A2} | a tower please , {B} at the bottom , then {A} , then {C} | build a tower from {B} , {A} and {C}
        | stack three things , {B} at the bottom , {A} in the middle , {C} at the top | <set> {A} on {B} , {C} on [top of] {A2} | on {B} <set> {A} and then {C} on [top of] {A2} | begin with {B} , next {A} , then {C} on top
        | <take> {A} and <set> it on {B} , then <take> {C} and <set> it on [top of] {A2} | make a tower with {B} , then {A} , then {C} | stack {A} on {B} and once that is done {C} on [top of] {A2}
        | have {A} on {B} and {C} on [top of] {A2} | let {A} sit on {B} and {C} on [top of] {A2} | <set> {A} on {B} and finish with {C} on [top of] {A2}""",
    # what is in the hand already
    "place_held": """5:<set> it {REL} {R} | 3:now <set> it {REL} {R} | <set> it down {REL} {R} | <set> that {REL} {R} | (release|let go of) it {REL} {R} | then <set> it {REL} {R}
        | <set> what you are holding {REL} {R} | <set> the thing in your (hand|gripper) {REL} {R} | and now {REL} {R} | let it (fall|go) {REL} {R}
        | <set> what you (hold|have) {REL} {R} | <set> the (thing|object) (you hold|you are holding|you have|in your hand) {REL} {R} | it (goes|belongs) {REL} {R}
        | it should (go|be) {REL} {R} | i want it {REL} {R} | leave it {REL} {R} | {REL} {R} <set> it | {REL} {R} with it | <set> whatever you (hold|have) {REL} {R}
        | make sure it (is|goes) {REL} {R} | and <set> it {REL} {R} | it has to (go|be) {REL} {R} | <set> this {REL} {R} | <set> this thing {REL} {R}
        | find a place {REL} {R} for it | have it {REL} {R} | bring it {REL} {R} | you can let go of it {REL} {R} | open your (hand|gripper) {REL} {R}
        | <set> what is in your (hand|gripper) {REL} {R} | would you mind <setting> it {REL} {R} | how about <setting> it {REL} {R} | i would like it {REL} {R}
        | <set> that thing {REL} {R} | ok {REL} {R} now | <set> it exactly {REL} {R} | <set> the one you hold {REL} {R} | drop what you (hold|have) {REL} {R}
        | now it goes {REL} {R}""",
    # home
    "home": """6:go [back] (home|to home) | 2:return (home|to home|to base) | 2:<go> (to|into) <your> <homely> (position|pose|posture|place|spot) | park [(yourself|the arm)]
        | move (|back) home | <go> to <your> (home|base|start|rest) | home [position] | go to rest | move the arm (home|back|out of the way|to <your> <homely> position)
        | tuck [in] (your|the) arm | retract [(your|the) arm] | get out of the way | bring the arm (home|back) | fold (up|in) (your|the) arm | rest (your|the) arm | go back
        | drive home | take <your> <homely> (position|pose|posture) | move out of the way | back to (your|the) (start|beginning) | back home | arm home
        | put the arm (away|back) | put yourself away | stow (your|the) arm | reset [(your|the) (arm|pose|position)] | i want you [back] (home|at home)
        | (your|the) arm should (be|go) (home|out of the way|at rest) | you can go home [now] | you may (rest|go home) | take a rest | we are done , go home
        | that is all , go home | to your <homely> (position|pose) | back to <your> <homely> (position|pose|posture) | adopt <your> <homely> (position|pose)
        | get into <your> <homely> (position|pose) | get home | go and rest | come home | get (your|the) arm (out of the way|home|back) | send (your|the) arm (home|back)
        | drive (your|the) arm (home|back) | bring yourself (home|back) | move yourself (home|back|out of the way) | fold yourself (up|in) | stop there and go home
        | you are done , go home | return (your|the) arm [home] | move (to|into) your home | lift (your|the) arm out of the way | step aside | make way | clear the way
        | rest now | go park [yourself] | park position | home position [now] | how about going home | would you mind going home
        | i want you in <your> <homely> (position|pose) | you should be (home|at home|in your home position) | swing back home
        | set the arm to <your> <homely> (position|pose)""",
    "go": "4:go | 3:go back | 3:return | 2:move | move back | come back | get back",
    "your": "your | the | 1:",
    "homely": "4:home | 2:rest | 2:start | starting | initial | resting | parking | neutral | default | original | base",
    # several commands
    "two": """4:{1} and then {2} | 4:first {1} then {2} | 3:{1} , then {2} | 2:{1} and after that {2} | 3:{1} and {2} | 2:{1} , {2} | first {1} and then {2} | {1} . after that {2}
        | {1} . then {2} | {1} . {2} | {1} , and {2} | first {1} , second {2} | start by doing this , {1} , then {2} | {1} then {2} | {1} , afterwards {2} | {1} . next {2}
        | {1} and also {2} | {1} . once that is done {2} | {1} and when you are (done|finished) {2} | {1} , and when that is done {2} | do this , {1} , and then {2}
        | i have two (things|tasks|jobs) for you , {1} , and {2} | step one {1} step two {2} | step 1 {1} step 2 {2} | first {1} . then {2} | first {1} . after that {2}
        | firstly {1} , secondly {2} | first of all {1} , then {2} | to begin {1} , then {2} | begin with this , {1} , then {2} | {1} . finally {2} | {1} and finally {2}
        | {1} , finally {2} | {1} . also {2} | {1} , also {2} | {1} . and then {2} | {1} . and {2} | {1} , next {2} | {1} and next {2} | {1} . once you have done that {2}
        | {1} , once done {2} | {1} and then also {2} | {1} , and afterwards {2} | {1} . afterwards {2} | {1} , and after that {2} | {1} , after that {2}
        | {1} , then please {2} | {1} and then please {2} | {1} , and please {2} | {1} . please {2} | {1} plus {2} | {1} . the next thing is this , {2} | {1} . now {2}
        | {1} and now {2} | {1} , now {2} | {1} . ok now {2} | two things , {1} and {2} | one , {1} , two , {2} | {1} , later {2} | please {1} , then {2}
        | {1} before you {2} | {1} , and only then {2} | {1} . only then {2} | {1} . last {2} | {1} . if that is done {2} | {1} , and at last {2} | in this order , {1} , {2}
        | do two things , first {1} and then {2} | {1} and subsequently {2} | {1} , thereafter {2} | {1} , followed by this , {2} | {1} and straight after that {2} | {1} , as a second step {2} | {1} and right after {2} | {1} . having done that {2} | after doing this , {1} , do that , {2}
        | {1} and to finish {2} | {1} . to finish {2} | {1} . upon finishing {2} | {1} , in addition {2} | {1} and in addition {2} | {1} and besides {2} | {1} . moreover {2} | {1} . as soon as you are finished {2} | {1} , as soon as that is done {2} | {1} and later on {2} | {1} . later on {2}
        | {1} . subsequently {2} | {1} . the second task is to {2} | {1} and then finally {2} | {1} . your next task , {2} | task one , {1} , task two , {2} | {1} and at the end {2} | initially {1} , then {2} | {1} , at which point {2} | {1} . from there {2}""",
    "two_reversed": """2:{2} but first {1} | {2} , but before that {1} | before you {2} , {1} | after you {1} , {2}
        | {2} , but beforehand {1} | {2} but before that {1} | before you {2} you should {1} | {2} after you {1} | {2} once you {1} | once you {1} , {2} | as soon as you {1} , {2} | {2} , but first of all {1} | when you {1} , after that {2}
        | {2} , but not before you {1} | you should {2} , but first {1}""",
    "three": """2:first {1} , then {2} and then {3} | {1} , {2} and {3} | {1} , then {2} , then {3} | {1} and then {2} and then {3}
        | first {1} , then {2} , and finally {3} | {1} . then {2} . then {3} | {1} , after that {2} , after that {3}
        | first {1} second {2} third {3} | {1} . {2} . {3} | {1} and {2} and {3}
        | {1} . after that {2} . after that {3} | first {1} , next {2} , then {3} | {1} , next {2} , finally {3} | firstly {1} , secondly {2} , thirdly {3} | step one {1} step two {2} step three {3} | {1} . {2} . then {3}
        | {1} and {2} , then {3} | {1} , {2} , then {3} | three things , {1} , {2} and {3} | do this , {1} , {2} , {3} | one , {1} , two , {2} , three , {3} | {1} , then {2} . finally {3} | {1} . next {2} . last {3} | {1} and then {2} and finally {3} | {1} , subsequently {2} and finally {3} | initially {1} , then {2} , lastly {3} | {1} , thereafter {2} , thereafter {3} | {1} , afterwards {2} , and finally {3} | {1} . afterwards {2} . afterwards {3} | task one , {1} , task two , {2} , task three , {3}
        | i have three (things|tasks|jobs) for you , {1} , {2} and {3} | {1} . when you are done {2} . then {3} | {1} . now {2} . and then {3}""",
    "shared": """3:<set> {T} and {T2} {REL} {R} | <set> both {T} and {T2} {REL} {R} | <take> {T} and {T2} and <set> them {REL} {R}
        | <set> {T} {REL} {R} together with {T2} | {T} and {T2} (go|belong) {REL} {R} | {T} and {T2} (should|must|have to) go {REL} {R} | {REL} {R} <set> {T} and {T2} | <take> both {T} and {T2} , then <set> them {REL} {R}
        | <set> {T} {REL} {R} and {T2} (too|as well) | <set> {T} as well as {T2} {REL} {R} | i want {T} and {T2} {REL} {R} | i want both {T} and {T2} {REL} {R} | first {T} and then {T2} go {REL} {R} | <set> {T} and also {T2} {REL} {R}
        | <set> {T} and then {T2} {REL} {R} | <set> {T} , {T2} {REL} {R} | {T} and {T2} {REL} {R} please | {T} and {T2} {REL} {R} | <take> {T} and {T2} and <set> both {REL} {R} | <set> {T} together with {T2} {REL} {R} | <set> {T} along with {T2} {REL} {R}
        | <set> {T} {REL} {R} , then <set> {T2} there too | <set> {T} {REL} {R} . the same for {T2} | <set> {T} {REL} {R} and do the same with {T2} | <set> {T} plus {T2} {REL} {R} | <set> {T} accompanied by {T2} {REL} {R} | <set> {T} {REL} {R} along with {T2} | <set> {T} {REL} {R} , as well as {T2} | <set> {T} {REL} {R} and so too {T2} | <set> {T} {REL} {R} plus {T2} | along with {T2} <set> {T} {REL} {R} | together with {T2} <set> {T} {REL} {R}
        | <set> {T} and likewise {T2} {REL} {R} | <set> {T} with {T2} {REL} {R} | <set> the pair of {T} and {T2} {REL} {R} | <set> {T} {REL} {R} , {T2} also | <set> {T} {REL} {R} and also {T2} | <set> {T} {REL} {R} and {T2} likewise""",
    "elided": """3:<set> {T} {REL} {R} and {T2} {REL2} {R2} | <set> {T} {REL} {R} , and {T2} {REL2} {R2}
        | <set> {T} {REL} {R} and then {T2} {REL2} {R2}
        | {T} goes {REL} {R} and {T2} {REL2} {R2} | {T} {REL} {R} and {T2} {REL2} {R2} | {T} {REL} {R} , {T2} {REL2} {R2} | i want {T} {REL} {R} and {T2} {REL2} {R2} | <set> {T} {REL} {R} , then {T2} {REL2} {R2}
        | {T} (should|must) go {REL} {R} and {T2} {REL2} {R2} | <set> {T} {REL} {R} and also {T2} {REL2} {R2} | <set> {T} {REL} {R} . {T2} {REL2} {R2} | <set> {T} {REL} {R} , {T2} goes {REL2} {R2} | first {T} {REL} {R} , then {T2} {REL2} {R2}
        | {T} belongs {REL} {R} and {T2} {REL2} {R2} | i want to see {T} {REL} {R} and {T2} {REL2} {R2} | <set> {T} {REL} {R} and after that {T2} {REL2} {R2} | {T} goes {REL} {R} , {T2} goes {REL2} {R2} | <set> {T} {REL} {R} but {T2} {REL2} {R2} | <set> {T} {REL} {R} while {T2} goes {REL2} {R2} | {T} shall go {REL} {R} and {T2} {REL2} {R2} | <set> {T} {REL} {R} plus {T2} {REL2} {R2} | <set> {T} {REL} {R} , afterwards {T2} {REL2} {R2}""",
}

HELDOUT = {
    "pick": """have {T} in your hand | let your hand close around {T} | go for {T} and pick it up | lift {T} into the air
        | hold up {T} | look for {T} and <lift> it | pull {T} up | <lift> {T} for a moment | make a grab for {T}""",
    "pick_statement": """what i need is for {T} to be in your gripper | would you mind (picking up|grabbing|taking|lifting) {T}
        | the one i want picked up is {T} | {T} should be picked up | {T} is the one to grab | see {T} , grab it | up with {T}""",
    "put": """have {T} end up {REL} {R} | find {T} and then <set> it {REL} {R} | grab hold of {T} and leave it {REL} {R}
        | see to it that {T} is {REL} {R} | pick {T} and find it a place {REL} {R} | <take> {T} , go over there and <set> it {REL} {R}""",
    "put_statement": """{T} needs to be {REL} {R} | i want to see {T} {REL} {R} | {T} is supposed to be {REL} {R}
        | id love to have {T} {REL} {R} | the right place for {T} is {REL} {R} | {T} is to be put {REL} {R}
        | would you mind (putting|placing|moving) {T} {REL} {R} | what goes {REL} {R} is {T} | see {T} , <set> it {REL} {R}""",
    "stack": """top {R} with {T} | add {T} on top of {R} | use {R} as the base and put {T} on it | have {T} stacked on top of {R}
        | stack things up , {T} on top of {R} | crown {R} with {T}""",
    "stack_statement": """i want to see {T} on top of {R} | {T} needs to be on top of {R} | {R} is the base for {T} | {R} needs {T} on top of it
        | would you mind (stacking|putting) {T} on top of {R}""",
    "tower": """put {B} , {A} and {C} on top of each other in this order | use {B} as the base , put {A} on it and {C} on top
        | build me a tower , first {B} , second {A} and third {C}""",
    "place_held": "you can <set> it {REL} {R} | let it sit {REL} {R} | make it go {REL} {R}",
    "home": "thats all , go home | time to go home | your work is done , go back home | take the arm back to where it started",
    "two": "{1} and once that is done {2} | {1} . when you are done {2} | begin with this , {1} , and continue with this , {2}",
    "three": "{1} , once done {2} , and at last {3} | to begin with {1} , next {2} , to finish {3}",
    "set": "slide | settle | situate | park | drop off | dump | hand | arrange",
    "lift": "snatch | secure | pull up | pluck | scoop up",
    "left_of": "on the left hand of | a bit to the left of | leftward of | immediately left of",
    "right_of": "on the right hand of | a bit to the right of | rightward of | immediately right of",
    "behind": "further back than | beyond | right behind | past",
    "in_front_of": "closer to you than | a bit in front of | right in front of",
    "in": "down into | right into",
    "on": "up on | right onto",
}

WORDING = Grammar(TRAIN, HELDOUT)
