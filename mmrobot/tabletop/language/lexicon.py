# ruff: noqa: E501 (word lists read best as they are)
"""The words for things, as data. A noun may cover several shapes (a category).

Decisions: a "block" is a cube (a bar is a "long block"); a "box" is a cube or a tray, whichever there
is; a "dish" is a bowl or a plate; a "container" is a bowl, cup or tray (a plate contains nothing).
"""

from __future__ import annotations

import random

# (shapes, ((singular, plural, weight), ...)); the first noun is the plain name.
_NOUNS: tuple[tuple[str, str], ...] = (
    ("cube", "12 cube cubes, 7 block blocks, 0.6 square_block square_blocks, 0.3 dice dice, 0.4 toy_block toy_blocks, 0.3 die dice, 0.3 cubic_block cubic_blocks, 0.2 wooden_block wooden_blocks, 0.2 building_block building_blocks"),
    ("ball", "12 ball balls, 3 sphere spheres, 0.5 orb orbs, 0.7 round_one round_ones, 0.4 round_thing round_things, 0.3 globe globes, 0.3 round_ball round_balls, 0.2 bouncy_ball bouncy_balls, 0.2 round_object round_objects, 0.2 marble marbles"),
    ("cylinder", "12 cylinder cylinders, 2 can cans, 1 tin tins, 0.5 canister canisters, 0.4 tube tubes, 0.3 drum drums, 0.3 barrel barrels, 0.3 tin_can tin_cans, 0.2 soda_can soda_cans, 0.3 pillar pillars, 0.2 round_block round_blocks, 0.2 roll rolls"),
    ("bar", "12 bar bars, 2 stick sticks, 1 rod rods, 1 plank planks, 0.5 beam beams, 0.5 long_block long_blocks, 0.3 strip strips, 0.3 slat slats, 0.3 long_bar long_bars, 0.2 long_piece long_pieces, 0.2 lath laths, 0.2 long_thing long_things"),
    ("cup", "12 cup cups, 3 mug mugs, 0.8 glass glasses, 0.4 beaker beakers, 0.3 tumbler tumblers, 0.4 coffee_mug coffee_mugs, 0.4 coffee_cup coffee_cups, 0.3 teacup teacups, 0.3 tea_cup tea_cups, 0.3 drinking_cup drinking_cups, 0.2 goblet goblets, 0.2 drinking_glass drinking_glasses"),
    ("bowl", "14 bowl bowls, 1 basin basins, 0.4 soup_bowl soup_bowls, 0.4 salad_bowl salad_bowls, 0.3 mixing_bowl mixing_bowls, 0.3 cereal_bowl cereal_bowls, 0.3 fruit_bowl fruit_bowls"),
    ("plate", "14 plate plates, 1 saucer saucers, 0.5 platter platters, 0.4 dinner_plate dinner_plates, 0.3 flat_plate flat_plates, 0.3 side_plate side_plates, 0.3 round_plate round_plates"),
    ("tray", "14 tray trays, 0.3 serving_tray serving_trays, 0.3 baking_tray baking_trays, 0.3 flat_tray flat_trays, 0.3 food_tray food_trays"),
    ("bowl plate", "1 dish dishes"),
    ("bowl cup tray", "3 container containers, 0.7 vessel vessels, 0.5 receptacle receptacles, 0.3 holder holders"),
    ("cube tray", "1 box boxes"),
)

_COLORS: dict[str, str] = {
    "red": "14 red, 0.6 crimson, 0.6 scarlet, 0.3 reddish, 0.3 bright_red, 0.3 dark_red, 0.3 cherry, 0.3 ruby, 0.3 deep_red, 0.2 blood_red, 0.2 tomato_red, 0.2 fire_red",
    "green": "14 green, 0.5 emerald, 0.4 dark_green, 0.3 greenish, 0.3 bright_green, 0.3 deep_green, 0.3 grass_green, 0.3 forest_green, 0.2 light_green, 0.2 lime",
    "blue": "14 blue, 0.5 navy, 0.5 dark_blue, 0.3 navy_blue, 0.3 bluish, 0.3 deep_blue, 0.3 royal_blue, 0.3 cobalt, 0.2 ocean_blue, 0.2 bright_blue",
    "yellow": "14 yellow, 0.4 bright_yellow, 0.3 golden, 0.3 lemon, 0.3 gold, 0.2 light_yellow, 0.3 yellowish, 0.2 sunny_yellow, 0.2 canary_yellow",
    "orange": "14 orange, 0.3 bright_orange, 0.3 tangerine, 0.2 dark_orange, 0.2 orangish, 0.2 deep_orange",
    "purple": "12 purple, 3 violet, 0.3 lilac, 0.3 lavender, 0.3 dark_purple, 0.3 plum, 0.2 purplish, 0.2 mauve, 0.2 bright_purple",
    "white": "14 white, 0.3 pure_white, 0.3 snow_white, 0.2 whitish, 0.2 bright_white, 0.2 ivory",
    "black": "14 black, 0.3 jet_black, 0.3 pitch_black, 0.2 coal_black, 0.2 blackish, 0.2 deep_black, 0.2 ebony",
    "cyan": "12 cyan, 3 turquoise, 0.5 aqua, 0.8 light_blue, 0.4 teal, 0.4 sky_blue, 0.2 cyan_blue",
    "pink": "14 pink, 0.5 rose, 0.3 light_pink, 0.3 hot_pink, 0.2 pinkish, 0.2 bright_pink",
    "brown": "14 brown, 0.3 dark_brown, 0.3 chocolate, 0.2 light_brown, 0.2 brownish, 0.2 chestnut",
    "grey": "8 grey, 6 gray, 0.3 silver, 0.2 dark_grey, 0.2 light_gray, 0.2 greyish",
}
_SIZES: dict[str, str] = {
    "large": "7 large, 7 big, 0.7 huge, 1 bigger, 1 larger, 0.4 giant, 0.3 bulky, 0.3 large_sized, 0.3 very_big, 0.3 massive, 0.3 oversized",
    "small": "10 small, 4 little, 1 tiny, 1 smaller, 0.3 mini, 0.3 miniature, 0.3 petite, 0.3 small_sized, 0.3 very_small, 0.2 minute, 0.2 wee",
}
_GENERIC: tuple[tuple[str, str, float], ...] = (("one", "ones", 5.0), ("thing", "things", 2.0), ("object", "objects", 2.0), ("item", "items", 1.0), ("piece", "pieces", 0.4))
# Said without any attribute ("everything", "the leftmost thing"), "one" would lean on an earlier noun.
_GENERIC_BARE = _GENERIC[1:]


def _weighted(text: str) -> tuple[tuple[tuple[str, ...], ...], tuple[float, ...]]:
    entries, weights = [], []
    for entry in text.split(","):
        weight, *names = entry.split()
        entries.append(tuple(n.replace("_", " ") for n in names))
        weights.append(float(weight))
    total, cumulative = 0.0, []
    for w in weights:
        total += w
        cumulative.append(total)
    return tuple(entries), tuple(cumulative)


NOUNS = {frozenset(shapes.split()): _weighted(nouns) for shapes, nouns in _NOUNS}
COLOR_WORDS = {name: _weighted(w) for name, w in _COLORS.items()}
SIZE_WORDS = {name: _weighted(w) for name, w in _SIZES.items()}
SHAPE_SETS = tuple(NOUNS)
CATEGORIES = tuple(s for s in SHAPE_SETS if len(s) > 1)


def pick_word(table: tuple[tuple[tuple[str, ...], ...], tuple[float, ...]], rng: random.Random, plain: bool) -> tuple[str, ...]:
    """One entry by weight, or the plain name."""
    entries, cumulative = table
    if plain:
        return entries[0]
    x = rng.random() * cumulative[-1]
    return entries[next(i for i, c in enumerate(cumulative) if x < c)]


def noun(shapes: frozenset[str] | None, rng: random.Random, *, plural: bool, bare: bool, plain: bool = False) -> str:
    """A noun for a set of shapes, or a generic one for None. `bare`: nothing else describes the thing."""
    if shapes is not None:
        return pick_word(NOUNS[shapes], rng, plain)[1 if plural else 0]
    options = _GENERIC_BARE if bare else _GENERIC
    singular, many, _ = rng.choices(options, [o[2] for o in options])[0]
    return many if plural else singular


GENERIC_WORDS = frozenset(w for g in _GENERIC for w in g[:2])
