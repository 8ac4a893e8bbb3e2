# ruff: noqa: E501 (wordings read best as long lines)
"""How people state and ask things about the table, as data. {T} a thing, {R} another, {V} a vessel, {A} "a red
cube", {X} "red cube", {P} "red cubes", {REL} the words of a relation, {C} a colour, {L} a label, {N} a number.

`x` states a claim, `x_no` denies it, `x_ask` asks for yes or no. HELDOUT is never trained (level L2).
"""

from __future__ import annotations

from mmrobot.tabletop.language.grammar import Grammar

TRAIN = {
    # there is one or more
    "exists": """6:there is {A} | 3:there is {A} on the table | theres {A} | i [can] see {A} | you [can] see {A} | you (find|notice) {A} | there is {A} (here|there|anywhere) | {A} is on the table | there is at least one {X}
        | you can see {A} | you have {A} here | the table has {A} on it | {A} is there | one of the (things|objects) is {A}
        | at least one {X} is on the table | on the table there is {A} | {A} is here | there is {A} among the (things|objects)
        | some {X} is on the table | the picture shows {A} | {A} is visible | a person can see {A} | 2:you see {A} | there are {P} | there are {P} on the table | there is any {X} | there are any {P} | we have {A} | you find {A} | {A} can be found""",
    "exists_no": """5:there is no {X} | 2:there is no {X} on the table | 2:there isnt {A} | there is not {A} on the table | 2:there are no {P}
        | no {X} is on the table | i see no {X} | i dont see {A} | the table has no {X} on it | there is not one {X}
        | there arent any {P} | there are not any {P} [on the table] | i (can not|cant) see {A} | none of the (things|objects) is {A}
        | no {X} is there | nothing here is {A} | there isnt any {X} | you (can not|cant) see {A} | no {X} is visible""",
    "exists_ask": """6:is there {A} | 3:is there {A} on the table | 2:are there any {P} | do you see {A} | can you see {A} | is {A} on the table
        | do you have {A} | is any {X} there | does the table have {A} on it | do you see any {P} | is there any {X} [here] | is {A} there
        | can you find {A} | are there {P} on the table | is one of the (things|objects) {A} | do you have {A} | have you got {A} | is {A} visible
        | would you say there is {A} | can {A} be seen | tell me if there is {A} | tell me whether there is {A} | do you notice {A} | do you spot {A} | let me know if there is {A} | is it true that there is {A} | i wonder if there is {A} | can you tell me if there is {A} | do we have {A} | check if there is {A}""",
    # empty vessels
    "empty": """6:{V} is empty | 2:there is nothing {IN} {V} | 2:nothing is {IN} {V} | {V} has nothing {IN} it | {V} does not have anything {IN} it
        | there isnt anything {IN} {V} | {V} holds nothing | {V} is free | {IN} {V} there is nothing | {V} doesnt hold anything
        | no (thing|object) is {IN} {V} | there is no object {IN} {V} | {V} carries nothing | nothing sits {IN} {V}""",
    "empty_no": """5:{V} is not empty | 2:there is something {IN} {V} | 2:something is {IN} {V} | {V} has something {IN} it | {V} isnt empty
        | {V} holds something | {V} is not free | {IN} {V} there is something | an object is {IN} {V} | there is (a thing|an object) {IN} {V}
        | {V} carries something | something sits {IN} {V} | at least one thing is {IN} {V}""",
    "empty_ask": """6:is {V} empty | 2:is nothing {IN} {V} | is there nothing {IN} {V} | is {V} free | does {V} hold nothing | would you say {V} is empty
        | is it true that {V} is empty | is {V} without anything {IN} it | {V} is empty , right | tell me if {V} is empty | tell me whether {V} is empty | let me know if {V} is empty | i wonder if {V} is empty | check if {V} is empty""",
    "full_ask": """4:is there (anything|something) {IN} {V} | 2:is (anything|something) {IN} {V} | does {V} have (anything|something) {IN} it
        | is there (a thing|an object) {IN} {V} | does {V} hold (anything|something) | has {V} got (anything|something) {IN} it | does (anything|something) lie {IN} {V}
        | do you see (anything|something) {IN} {V}""",
    # relations
    "relation": """8:{T} is {REL} {R} | {T} (sits|stands) {REL} {R} | {REL} {R} is {T} | {T} is placed {REL} {R} | {T} can be (seen|found) {REL} {R}
        | you [can] (find|see) {T} {REL} {R} | {T} (was|has been) put {REL} {R} | {T} is now {REL} {R} | i see {T} {REL} {R}""",
    "relation_no": """6:{T} is not {REL} {R} | 3:{T} isnt {REL} {R} | {T} does not (lie|sit|stand|rest) {REL} {R} | {T} doesnt (lie|sit|stand|rest) {REL} {R}
        | {T} is not placed {REL} {R} | {T} can not be (seen|found) {REL} {R} | {T} is no longer {REL} {R}""",
    "relation_ask": """8:is {T} {REL} {R} | does {T} (lie|sit|stand|rest) {REL} {R} | is {T} placed {REL} {R} | do you see {T} {REL} {R}
        | has {T} been put {REL} {R} | can you see {T} {REL} {R} | did you put {T} {REL} {R} | {T} is {REL} {R} , right | would you say {T} is {REL} {R} | tell me if {T} is {REL} {R} | tell me whether {T} is {REL} {R} | is it true that {T} is {REL} {R} | let me know if {T} is {REL} {R} | i wonder if {T} is {REL} {R} | can you tell me if {T} is {REL} {R} | check if {T} is {REL} {R}""",
    # amounts
    "exactly": """4:there are {N} {P} | 2:there are exactly {N} {P} | 2:there are {N} {P} on the table | i [can] see {N} {P} | the number of {P} is {N}
        | there are just {N} {P} | {N} {P} are on the table | {N} is the number of {P} | you have {N} {P} | the table has {N} {P} on it | there are {N} {P} in (total|all)
        | exactly {N} {P} are on the table | you can see {N} {P} | {N} {P} are there | there are only {N} {P}""",
    "exactly_no": """3:there are not {N} {P} | there arent {N} {P} | there are not exactly {N} {P} | the number of {P} is not {N} | {N} is not the number of {P}
        | there are not {N} {P} on the table""",
    "exactly_ask": """4:are there {N} {P} | 2:are there exactly {N} {P} | do you see {N} {P} | is the number of {P} {N} | are there {N} {P} on the table | do you have {N} {P}
        | can you see [exactly] {N} {P} | are there just {N} {P} | are there {N} {P} in total""",
    "exactly_one": """3:there is (exactly|only|just) one {X} | there is one {X} | the number of {P} is {N} | i see (exactly|only|just) one {X} | there is one {X} and no more
        | only one {X} is on the table | you have (exactly|only|just) one {X} | there is (exactly|only|just) one {X} on the table""",
    "exactly_one_no": "2:there is not exactly one {X} | the number of {P} is not {N} | there isnt (exactly|just) one {X} | not exactly one {X} is on the table",
    "exactly_one_ask": "3:is there (exactly|only|just) one {X} | is there one {X} | is the number of {P} {N} | do you see (exactly|only|just) one {X} | is there one {X} and no more",
    "at_least": "4:there are at least {N} {P} | 2:there are {N} or more {P} | i [can] see at least {N} {P} | at least {N} {P} are on the table | you have at least {N} {P} | there are {N} {P} or more | {N} {P} or more are there",
    "at_least_no": "there are not at least {N} {P} | there arent {N} or more {P} | i dont see at least {N} {P}",
    "at_least_ask": "4:are there at least {N} {P} | 2:are there {N} or more {P} | do you see at least {N} {P} | do you have at least {N} {P} | can you see {N} or more {P}",
    "at_most": "4:there are at most {N} {P} | 2:there are no more than {N} {P} | i [can] see at most {N} {P} | at most {N} {P} are on the table | there are {N} {P} at most | there are {N} or fewer {P}",
    "at_most_no": "there are not at most {N} {P} | it is not at most {N} {P} that i see",
    "at_most_ask": "4:are there at most {N} {P} | are there no more than {N} {P} | do you see at most {N} {P} | are there {N} or fewer {P}",
    "more_than": "4:there are more than {N} {P} | 2:i [can] see more than {N} {P} | more than {N} {P} are on the table | you have more than {N} {P} | the number of {P} is (more|greater|higher|bigger) than {N} | there are over {N} {P}",
    "more_than_no": "there are not more than {N} {P} | there arent more than {N} {P} | i dont see more than {N} {P}",
    "more_than_ask": "4:are there more than {N} {P} | do you see more than {N} {P} | is the number of {P} (more|greater|higher) than {N} | do you have more than {N} {P} | are there over {N} {P}",
    "fewer_than": "4:there are fewer than {N} {P} | 2:there are less than {N} {P} | i [can] see (fewer|less) than {N} {P} | (fewer|less) than {N} {P} are on the table | the number of {P} is (less|lower|smaller) than {N} | there are under {N} {P}",
    "fewer_than_no": "there are not fewer than {N} {P} | there arent (fewer|less) than {N} {P}",
    "fewer_than_ask": "4:are there fewer than {N} {P} | are there less than {N} {P} | is the number of {P} (less|lower|smaller) than {N} | do you have (fewer|less) than {N} {P} | are there under {N} {P}",
    # attributes
    "color": """8:{T} is {C} | {T} is {C} in color | {T} has a {C} color | the color of {T} is {C} | {T} looks {C} | {T} is colored {C} | {T} has the color {C}
        | {C} is the color of {T} | {T} is {CA} | {T} is of {C} color | the colour of {T} is {C} | {T} appears {C}""",
    "color_no": "6:{T} is not {C} | 3:{T} isnt {C} | the color of {T} is not {C} | {T} does not have a {C} color | {T} does not look {C} | {T} is not {CA} | {C} is not the color of {T} | {T} doesnt look {C}",
    "color_ask": "8:is {T} {C} | is {T} {C} in color | is the color of {T} {C} | does {T} have a {C} color | does {T} look {C} | is {C} the color of {T} | is {T} {CA} | is {T} colored {C} | {T} is {C} , right | would you say {T} is {C} | tell me if {T} is {C} | tell me whether {T} is {C} | is it true that {T} is {C} | let me know if {T} is {C} | i wonder if {T} is {C}",
    "shape": "8:{T} is {A} | {T} is in fact {A} | {T} looks like {A} | {T} has the shape of {A} | {T} is shaped like {A} | the shape of {T} is that of {A} | {T} appears to be {A}",
    "shape_no": "6:{T} is not {A} | 3:{T} isnt {A} | {T} is no {X} | {T} does not look like {A} | {T} does not have the shape of {A} | {T} is not shaped like {A} | {T} isnt really {A}",
    "shape_ask": "8:is {T} {A} | does {T} look like {A} | does {T} have the shape of {A} | is {T} shaped like {A} | would you call {T} {A} | is {T} really {A} | {T} is {A} , right | tell me if {T} is {A} | tell me whether {T} is {A} | is it true that {T} is {A} | let me know if {T} is {A}",
    "size": "6:{T} is {S} | {T} is the {S} kind | {T} is of the {S} size | {T} is (a|the) {S} one | {T} looks {S} | {T} has a {S} size",
    "size_no": "5:{T} is not {S} | 2:{T} isnt {S} | {T} is not (a|the) {S} one | {T} does not look {S}",
    "size_ask": "6:is {T} {S} | is {T} (a|the) {S} one | does {T} look {S} | would you say {T} is {S} | is {T} of the {S} size",
    "label_is": """4:{T} is marked {L} | 3:{T} says {L} | 2:{T} is (labelled|labeled) {L} | 2:{T} has {L} on it | the label on {T} is {L} | the label of {T} is {L} | {L} is (on|written on) {T}
        | it says {L} on {T} | {T} reads {L} | {T} is tagged {L} | {T} has the label {L} | {T} shows {L} | the (letters|sign|print) on {T} (say|says|is) {L} | {T} bears {L}
        | you can read {L} on {T}""",
    "label_is_no": "3:{T} is not marked {L} | 2:{T} does not say {L} | {T} isnt (marked|labelled|labeled) {L} | {T} does not have {L} on it | the label on {T} is not {L} | it does not say {L} on {T} | {L} is not [written] on {T} | {T} doesnt say {L}",
    "label_is_ask": "3:is {T} marked {L} | 3:does {T} say {L} | is {T} (labelled|labeled|tagged) {L} | does {T} have {L} on it | is the label (on|of) {T} {L} | does it say {L} on {T} | is {L} [written] on {T} | does {T} read {L} | can you read {L} on {T}",
    # comparisons
    "larger": "5:{T} is (bigger|larger) than {R} | {T} has a (bigger|larger) size than {R} | compared (to|with) {R} {T} is (bigger|larger) | {T} takes more space than {R} | of {T} and {R} the first is the (bigger|larger) one",
    "smaller": "5:{T} is smaller than {R} | {T} has a smaller size than {R} | compared (to|with) {R} {T} is smaller | {T} is littler than {R} | {T} takes less space than {R} | of {T} and {R} the first is the smaller one",
    "larger_no": "3:{T} is not (bigger|larger) than {R} | {T} isnt (bigger|larger) than {R} | compared to {R} {T} is not (bigger|larger)",
    "smaller_no": "3:{T} is not smaller than {R} | {T} isnt smaller than {R} | compared to {R} {T} is not smaller",
    "larger_ask": "5:is {T} (bigger|larger) than {R} | is {T} of a (bigger|larger) size than {R} | does {T} take more space than {R} | {T} is (bigger|larger) than {R} , right | would you say {T} is (bigger|larger) than {R} | compared to {R} is {T} (bigger|larger)",
    "smaller_ask": "5:is {T} smaller than {R} | is {T} of a smaller size than {R} | does {T} take less space than {R} | {T} is smaller than {R} , right | would you say {T} is smaller than {R} | compared to {R} is {T} smaller",
    "same_color": "3:{T} and {R} have the same color | 2:{T} is the same color as {R} | {T} has the same color as {R} | {T} and {R} are [of] the same color | {T} has the color of {R} | {T} and {R} match in color | the color of {T} is the color of {R}",
    "same_color_no": "2:{T} and {R} do not have the same color | {T} and {R} have different colors | {T} is not the same color as {R} | {T} is another color than {R} | {T} has a different color than {R} | {T} and {R} differ in color",
    "same_color_ask": "3:do {T} and {R} have the same color | is {T} the same color as {R} | does {T} have the same color as {R} | are {T} and {R} the same color | do {T} and {R} match in color",
    "same_shape": "3:{T} and {R} have the same shape | 2:{T} is the same shape as {R} | {T} has the same shape as {R} | {T} and {R} are [of] the same shape | {T} and {R} are the same kind of thing | {T} is the same kind of thing as {R}",
    "same_shape_no": "2:{T} and {R} do not have the same shape | {T} and {R} have different shapes | {T} is not the same shape as {R} | {T} has another shape than {R} | {T} and {R} are different kinds of things",
    "same_shape_ask": "3:do {T} and {R} have the same shape | is {T} the same shape as {R} | does {T} have the same shape as {R} | are {T} and {R} the same kind of thing | is {T} the same kind of thing as {R}",
    "superlative": "6:{T} is {E} | {E} is {T} | of all {P} {T} is {E} | it is {T} that is {E} | {T} is in fact {E} | {T} would be {E}",
    "superlative_no": "4:{T} is not {E} | 2:{T} isnt {E} | {E} is not {T} | {T} is not in fact {E} | it is not {T} that is {E}",
    "superlative_ask": "6:is {T} {E} | is {E} {T} | is it {T} that is {E} | would {T} be {E} | {T} is {E} , right | would you say {T} is {E}",
    # open questions
    "how_many": """8:how many {P} are there | 3:how many {P} are (on the table|here) | 2:how many {P} do you see | how many {P} can you see | count {P} | count the {P}
        | what is the number of {P} | how many {P} do you have | tell me the number of {P} | number of {P} | how many {P} | can you count the {P} | how many {P} have you got
        | how many {P} are there in (total|all) | i want to know how many {P} there are | please count the {P} | tell me how many {P} there are | the number of {P} is what
        | how many {P} does the table have | do you know how many {P} there are | how many are there of the {P} | let me know how many {P} there are | report the number of {P} | find out how many {P} there are | what number of {P} is there | {P} , how many are there | i wonder how many {P} there are | say how many {P} you see | what is the total of {P} | what is the amount of {P} | how many {P} in all | could you count the {P} | work out how many {P} there are | please tell me the number of {P} | how many of the things are {P} | show me how many {P} there are | how many {P} would you say there are | give me the number of {P} | name the number of {P} | can you say how many {P} there are | count up the {P} | count how many {P} there are | the count of {P} please | total number of {P} | tell me , how many {P} are there""",
    "what_color": """6:what color is {T} | 3:what is the color of {T} | 2:which color is {T} | what color does {T} have | which color does {T} have | what colour is {T} | {T} is what color
        | tell me the color of {T} | can you tell me what color {T} is | in what color is {T} | what is the colour of {T} | do you know the color of {T} | the color of {T}
        | say what color {T} is | name the color of {T} | how is {T} colored | let me know the color of {T} | give me the color of {T} | report the color of {T} | i wonder what color {T} is | find out the color of {T} | could you tell me the color of {T} | what would you say the color of {T} is | {T} has what color | please name the color of {T} | what color do you see on {T} | tell me which color {T} has | what hue is {T} | what is the hue of {T} | show me the color of {T} | the colour of {T} please""",
    "what_shape": """6:what shape is {T} | 2:what is the shape of {T} | 2:which shape is {T} | what shape does {T} have | what kind of (thing|object) is {T} | {T} is what shape
        | tell me the shape of {T} | what form does {T} have | can you tell me what shape {T} is | what sort of (thing|object) is {T} | do you know the shape of {T} | the shape of {T}
        | which shape does {T} have | name the shape of {T} | what type of (thing|object) is {T} | let me know the shape of {T} | give me the shape of {T} | report the shape of {T} | i wonder what shape {T} is | could you tell me the shape of {T} | tell me what shape {T} has | {T} has what shape | what would you say the shape of {T} is | what form is {T} | tell me which kind of (thing|object) {T} is | the shape of {T} please""",
    "what_size": """4:how big is {T} | 2:what size is {T} | 2:is {T} (large or small|big or small|small or large|small or big) | how large is {T} | what is the size of {T} | tell me the size of {T}
        | which size is {T} | what size does {T} have | is {T} (large|big) or is it small | how small is {T} | tell me how big {T} is | let me know how big {T} is | report the size of {T} | could you tell me the size of {T} | i wonder how big {T} is | {T} is what size | would you say {T} is (large or small|big or small) | is it a (large|big) or a small one , {T}""",
    "what_label": """4:what does it say on {T} | 3:what is written on {T} | 3:what does {T} say | 2:what is on the label of {T} | what is the label (of|on) {T} | which label does {T} have | how is {T} marked
        | how is {T} (labelled|labeled) | read {T} | read what it says on {T} | read the label (of|on) {T} | what can you read on {T} | what letters are on {T} | tell me what {T} says | what does {T} read
        | which letters are on {T} | can you read [the label on] {T} | what is printed on {T} | tell me the label of {T} | what does the label on {T} say | let me know what {T} says | report the label of {T} | could you read {T} [to me] | i wonder what it says on {T} | give me the label of {T} | what text is on {T} | what are the letters on {T} | what sign is on {T} | {T} says what | please read {T} | read out {T} | read out the label on {T} | what mark is on {T} | tell me what is written on {T} | could you tell me the label of {T}""",
    "what_is": """8:what is {REL} {R} | 2:what (sits|stands) {REL} {R} | which (thing|object) is {REL} {R} | which (things|objects) are {REL} {R} | what do you see {REL} {R} | what is there {REL} {R}
        | what can you see {REL} {R} | tell me what is {REL} {R} | name (the things|what is|everything|the objects) {REL} {R} | {REL} {R} is what | {REL} {R} there is what | what things are {REL} {R}
        | list (the things|what is|everything) {REL} {R} | what have you {REL} {R} | can you tell me what is {REL} {R} | what objects are {REL} {R} | what all is {REL} {R} | let me know what is {REL} {R} | report what is {REL} {R} | i wonder what is {REL} {R} | could you tell me what is {REL} {R} | tell me everything {REL} {R} | say what is {REL} {R} | find out what is {REL} {R} | what could be {REL} {R} | show me what is {REL} {R} | which thing do you see {REL} {R}""",
    "what_in": """4:what does {V} (hold|contain) | what has {V} {IN} it | what did you put {IN} {V} | what is {V} holding | what have you put {IN} {V} | what are the contents of {V} | what does {V} have {IN} it""",
    "which": """3:what is {E} | 2:which (thing|object|one) is {E} | tell me what is {E} | name {E} | what do you call {E} | what would {E} be | can you tell me what {E} is | {E} is what
        | what is it that is {E} | describe {E} | let me know what is {E} | i wonder what is {E} | could you tell me what {E} is | report what {E} is | say what {E} is | which thing would be {E} | show me what is {E}""",
    "which_one": """2:which {X} is {REL} {R} | 2:which one of the {P} is {REL} {R} | what {X} is {REL} {R} | which {P} are {REL} {R} | which of the {P} are {REL} {R} | tell me which {X} is {REL} {R} | name the {P} {REL} {R}""",
}
HELDOUT = {
    "exists": "{A} sits somewhere on the table | among everything here is {A} | my eyes find {A} | somewhere there is {A}",
    "exists_no": "{P} are missing | {P} are absent | not one {X} can be spotted | we lack {A}",
    "exists_ask": "could i find {A} somewhere | does {A} exist | any {P} around | would i find {A} on this table",
    "empty": "{V} does not contain a thing | {V} stands vacant | not a thing is {IN} {V}",
    "empty_no": "{V} contains some object | {V} is occupied | {V} is filled",
    "empty_ask": "does {V} stand vacant | is {V} still unfilled",
    "full_ask": "does {V} contain a thing | is {V} occupied | is {V} filled with something",
    "relation": "{T} has its place {REL} {R} | the place of {T} is {REL} {R} | we find {T} {REL} {R}",
    "relation_no": "{T} has no place {REL} {R} | nobody will find {T} {REL} {R} | it is wrong that {T} is {REL} {R}",
    "relation_ask": "could {T} be {REL} {R} | am i right that {T} is {REL} {R} | do we find {T} {REL} {R}",
    "exactly": "{P} count {N} | i count {N} {P} | {P} there are {N}",
    "exactly_ask": "can one count {N} {P} | am i right that there are {N} {P}",
    "at_least": "no fewer than {N} {P} are there | i count at least {N} {P}",
    "more_than": "{P} outnumber {N} | i count more than {N} {P}",
    "fewer_than": "i count fewer than {N} {P} | {P} do not reach {N}",
    "color": "someone painted {T} {C} | {C} is what {T} is | {T} comes in {C}",
    "color_no": "nobody painted {T} {C} | it is wrong that {T} is {C}",
    "color_ask": "has someone painted {T} {C} | does {T} come in {C} | am i right that {T} is {C}",
    "shape": "people would call {T} {A} | {T} can be described as {A}",
    "shape_ask": "would people call {T} {A} | am i right that {T} is {A}",
    "label_is": "someone wrote {L} on {T} | {T} carries the inscription {L}",
    "label_is_ask": "did someone write {L} on {T} | does {T} carry the inscription {L}",
    "larger": "{T} beats {R} in size | {R} is outsized by {T}",
    "smaller": "{T} is dwarfed by {R} | in size {T} loses to {R}",
    "larger_ask": "does {T} beat {R} in size | comparing the two is {T} bigger than {R}",
    "smaller_ask": "does {T} lose to {R} in size | comparing the two is {T} smaller than {R}",
    "same_color": "{T} shares its color with {R} | one color is on both {T} and {R}",
    "superlative": "{T} counts as {E} | nothing but {T} is {E}",
    "superlative_ask": "does {T} count as {E} | am i right that {T} is {E}",
    "how_many": "give me the count of {P} | {P} , how many exist | what does your count of the {P} come to | how large is the group of {P}",
    "what_color": "which paint does {T} wear | {T} , what color | describe the color on {T} | by color , what is {T}",
    "what_shape": "describe the shape that {T} has | {T} , what shape | how is {T} formed | what geometry has {T}",
    "what_size": "give me the size of {T} | {T} , big or small | how much space does {T} take",
    "what_label": "which inscription does {T} carry | spell the writing on {T} | {T} , what is its label | what did someone write on {T}",
    "what_is": "give me everything {REL} {R} | whatever is {REL} {R} | do tell , what waits {REL} {R} | what would i find {REL} {R}",
    "which": "identify {E} | give me the name of {E} | {E} , what is that",
}
TALK = Grammar(TRAIN, HELDOUT)
