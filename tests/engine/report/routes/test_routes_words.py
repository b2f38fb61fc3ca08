"""What is said of ways and of their check: figures as they were measured, and never that a way is safe."""

from __future__ import annotations

import math

import pytest
from kit.pages import collapse_blanks
from kit.routestudies import make_check, make_delivery, make_districts, make_exposure, make_only, make_way, make_ways
from kit.sentences import find_faults

from riskengine.contract.routes import BETWEEN, LEAST, SHORTEST
from riskengine.report.routes import checkwords, words
from riskengine.systems.routes.results import DistrictShare, Interval

SHORT = make_way(2000.0, 50.0, SHORTEST, (500.0,))


def test_a_pair_is_told_by_metres_and_by_what_they_save() -> None:
    said = collapse_blanks(words.describe_ways(make_ways()))
    assert said == (
        "The shortest way has 1,500 m (19 minutes). The least exposed way with a detour of at most 25 % is 300 m (20"
        " %) longer than the shortest way, and 50 % less exposed to reported crime."
    )


def test_a_shortest_way_that_is_the_least_exposed_is_told_once() -> None:
    found = make_only(900.0)
    said = collapse_blanks(words.describe_ways(found))
    assert said == (
        "The shortest way has 900 m (11 minutes); no way with a detour of at most 25 % is less exposed to reported"
        " crime."
    )
    assert words.label_way(found.ways[0], found.ways[0]) == "900\N{NO-BREAK SPACE}m"


def test_a_pair_without_a_way_is_told_by_its_reason() -> None:
    reason = "Start and end are not connected."
    assert words.describe_ways(make_ways(reason=reason)) == reason


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [
        (25.0, "50 % less exposed to reported crime"),
        (50.0, "as exposed to reported crime"),
        (49.9, "less than 1 % less exposed"),
        (0.0, "100 % less exposed"),
        (60.0, "20 % more exposed to reported crime, but along lit streets"),
    ],
)
def test_a_way_says_what_it_saves(exposure: float, expected: str) -> None:
    assert expected in collapse_blanks(words.describe_way(make_way(2200.0, exposure, LEAST), SHORT))


def test_alike_is_saved_where_alike_was_passed() -> None:
    empty = make_way(2000.0, 0.0, SHORTEST)
    said = words.describe_way(make_way(2100.0, 0.0, LEAST), empty)
    assert "passes none" in said
    assert math.isnan(empty.compute_saved(empty))
    assert words.label_way(make_way(2100.0, 0.0, LEAST), empty) == "+100\N{NO-BREAK SPACE}m"


def test_unlit_streets_and_an_unknown_risk_are_told_with_the_way() -> None:
    said = collapse_blanks(words.describe_way(make_way(2100.0, 40.0, BETWEEN, unlit=0.4, outside=1.0), SHORT))
    assert "40 % of it is unlit." in said
    assert "All of it lies where no risk is known" in said


def test_ways_by_weights_are_said_to_be_some() -> None:
    assert "may be missing" in words.describe_front(make_ways(exact=False))
    assert "no other way beats" in words.describe_front(make_ways())


def test_only_a_place_far_from_the_streets_is_told() -> None:
    said = words.describe_moved(make_ways(moved=(3.0, 80.4)))
    assert [collapse_blanks(each) for each in said] == [
        "The end lies 80 m from the nearest street that can be used; metres count from there."
    ]


def test_many_pairs_are_added_up() -> None:
    said = collapse_blanks(words.describe_many([make_ways(), make_only(500.0, 20.0), make_ways(reason="No street.")]))
    # 1,800 + 500 against 1,500 + 500 metres; 20 + 20 against 40 + 20 of exposure.
    assert said == (
        "2 of 3 pairs have a way. Added up, the least exposed ways are 15 % longer than the shortest ones, and 33 %"
        " less exposed to reported crime."
    )
    none = [make_ways(reason="No street."), make_ways(reason="No street.")]
    assert words.describe_many(none) == "None of the 2 pairs has a way."


def test_districts_are_avoided_and_gained_by_their_shares() -> None:
    avoided, gained = words.list_district_changes(make_districts())
    assert [each.name for each in avoided] == ["Central"]
    assert [each.name for each in gained] == ["Western", "Northern"]
    said = collapse_blanks(" ".join(words.describe_districts(make_districts())))
    assert "avoid Central (from 40 % to 25 %)" in said
    assert "go instead through Western (from 20 % to 29 %), Northern (from 10 % to 16 %)" in said
    assert words.describe_districts([DistrictShare("All", 1.0, 1.0)]) == [
        "Less exposed ways go through the same districts as the shortest ones."
    ]


def test_the_risk_says_how_it_was_looked_up() -> None:
    said = " ".join(words.describe_exposure(make_exposure()))
    assert "density of 43,210 incidents of 12 months, in incidents per km² and year" in said
    assert "every 25 m" in said
    field = words.describe_exposure(make_exposure(step=math.nan, mean=math.nan, title="field exposure", unit=""))
    assert len(field) == 1
    assert "read from the layer" in field[0]


def test_a_check_says_what_was_delivered_and_what_was_promised() -> None:
    assert collapse_blanks(checkwords.describe_check(make_check())) == (
        "100 pairs of places in 2 months not seen: within 100 m, the less exposed ways passed 25 % fewer incidents than"
        " the shortest ones (95 % interval: 21 % to 29 % fewer). The risk had promised 30 % less."
    )


@pytest.mark.parametrize(
    ("delivered", "judged", "expected"),
    [
        (0.7, "fewer", "30 % fewer incidents than the shortest ones (95 % interval: 26 % to 34 % fewer)."),
        (0.98, "unsure", "than the shortest ones (95 % interval: 6 % fewer to 2 % more); that may be chance."),
        (1.0, "unsure", "as many incidents as the shortest ones (95 % interval: 4 % fewer to 4 % more)"),
        (1.2, "more", "20 % more incidents than the shortest ones (95 % interval: 16 % to 24 % more)."),
    ],
)
def test_a_check_judges_by_its_interval(delivered: float, judged: str, expected: str) -> None:
    check = make_check(make_delivery("A map", 0.7, delivered))
    assert checkwords.judge(check.deliveries[0].delivered[100]) == judged
    assert expected in collapse_blanks(checkwords.describe_check(check))


def test_a_promise_is_kept_or_broken_by_the_interval_of_the_gap() -> None:
    assert "kept its promise" in checkwords.describe_gap(make_check(make_delivery("A map", 0.7, 0.71)))
    assert "delivered less" in checkwords.describe_gap(make_check(make_delivery("A map", 0.3, 0.9)))
    assert "delivered more" in checkwords.describe_gap(make_check(make_delivery("A map", 0.9, 0.5)))


def test_a_risk_that_random_maps_equal_is_not_told_from_them() -> None:
    risk, control = make_delivery("A map", 0.7, 0.9), make_delivery("Random map 1", 0.7, 0.88, control=True)
    assert "not told from them" in checkwords.describe_controls(make_check(risk, control))
    assert "a detour alone does not explain it" in checkwords.describe_controls(make_check())
    assert checkwords.describe_controls(make_check(risk)) == ""


def test_a_walker_reads_how_often_it_helped_and_that_nobody_counts_walkers() -> None:
    said = collapse_blanks(checkwords.describe_for_walker(make_check()))
    assert "12 % longer passed fewer reported incidents in 71 of 100 cases, as many in 12 and more in 17" in said
    assert "nobody counts walkers" in said


def test_repeated_places_are_told_where_there_are_many() -> None:
    assert "80 % of the tested incidents" in collapse_blanks(checkwords.describe_distances(make_check()))
    assert "geocoding" not in checkwords.describe_distances(make_check(repeated=0.1))


def test_the_detour_that_gives_most_is_named() -> None:
    assert "A cap of 10 % gives 72 % of the gain of 25 %" in collapse_blanks(checkwords.describe_detours(make_check()))
    useless = make_check(by_detour=((5.0, Interval(1.0)), (25.0, Interval(1.1))))
    assert "no fewer" in checkwords.describe_detours(useless)
    assert checkwords.describe_detours(make_check(by_detour=())) == ""


def list_all() -> list[str]:
    ways, one, check = make_ways(moved=(50.0, 70.0)), make_only(), make_check()
    alike = make_delivery("A map", 1.0, 1.0)
    checks = [check, make_check(alike, months=("2015-06",), pairs=1)]
    return [
        *(words.describe_way(way, ways.ways[0]) for way in ways.ways),
        *(each for found in (ways, one) for each in (words.describe_ways(found), words.describe_front(found))),
        words.describe_front(make_ways(exact=False)),
        *words.describe_moved(ways),
        *(words.describe_many(found) for found in ([ways], [ways, one], [ways, make_ways(reason="No street.")])),
        *words.describe_exposure(make_exposure()),
        *words.describe_districts(make_districts()),
        words.WALKER,
        words.MINUTES,
        *(
            say(each)
            for each in checks
            for say in (
                checkwords.describe_check,
                checkwords.describe_for_walker,
                checkwords.describe_gap,
                checkwords.describe_distances,
            )
        ),
        checkwords.describe_controls(check),
        checkwords.describe_detours(check),
    ]


@pytest.mark.parametrize("text", list_all())
def test_every_sentence_keeps_the_rules_and_calls_no_way_safe(text: str) -> None:
    assert find_faults(text) == []
    assert "safe" not in text.lower()
