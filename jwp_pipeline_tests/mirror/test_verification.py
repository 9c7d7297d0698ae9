"""A listing counts as complete if its pages, totals and keys raise no doubts."""

from dataclasses import replace

import pytest

from jwp_pipeline.mirror.verification import PageFacts, doubts, doubts_of_changes


def pages(*counts, total=None, length=10, stretch=0, first=1, listing_total=None):
    """Make the pages of a stretch, with these numbers of elements."""
    total = sum(counts) if total is None else total
    return [
        PageFacts(
            number=number,
            stretch=stretch,
            stretch_total=total,
            page_length=length,
            listing_total=total if listing_total is None else listing_total,
            count=count,
            fingerprint=hash((stretch, number, count)),
        )
        for number, count in enumerate(counts, first)
    ]


def ranges(listing_total):
    return [
        *pages(10, 3, listing_total=listing_total),
        *pages(7, stretch=1, first=3, listing_total=listing_total),
        *pages(0, stretch=2, first=4, listing_total=listing_total),
    ]


def total_moves():
    first, last = pages(10, 5)
    return [replace(first, stretch_total=14), last]


def page_repeats():
    first, second, third = pages(10, 10, 10)
    return [first, replace(second, fingerprint=first.fingerprint), third]


@pytest.mark.parametrize(
    ("listing", "repeated_keys", "expected"),
    [
        (pages(10, 10, 4), 0, []),
        (pages(10, 10), 0, []),
        (pages(4), 0, []),
        (pages(0), 0, []),
        (pages(0, total=0), 0, []),
        (ranges(20), 0, []),
        (pages(10, 9, 4), 0, ["page 2 is short (9 of 10) and not the last"]),
        (pages(10, 10, 4, total=25), 0, ["24 resources were listed of 25 announced"]),
        (pages(10, 10, 4, total=23), 0, ["24 resources were listed of 23 announced"]),
        (pages(0, total=25), 0, ["0 resources were listed of 25 announced"]),
        (pages(10, 0, total=25), 0, ["10 resources were listed of 25 announced"]),
        (total_moves(), 0, ["the total moved from 14 on page 1 to 15 on page 2"]),
        (page_repeats(), 0, ["page 2 repeats page 1"]),
        (pages(10, 4), 2, ["2 resources were listed more than once, so others may have been missed"]),
        (ranges(23), 0, ["its ranges of id hold 20 resources, the whole listing 23"]),
        (
            [*pages(10, 3, total=14), *pages(7, stretch=1, first=3, listing_total=21)],
            0,
            ["13 resources were listed of 14 announced"],
        ),
    ],
)
def test_reasons_why_a_listing_may_be_incomplete(listing, repeated_keys, expected):
    assert doubts(listing, repeated_keys=repeated_keys) == expected


def test_pages_without_any_key_do_not_repeat_one_another():
    unusable = [replace(page, fingerprint=None) for page in pages(10, 10, 10)]
    assert doubts(unusable, repeated_keys=0) == []


@pytest.mark.parametrize(
    ("read", "repeated_keys", "expected"),
    [
        # It may end early with a full page, when the rest is older.
        (pages(10, 10, total=500), 0, []),
        (pages(10, 4), 0, []),
        ([*pages(10, total=10), *pages(3, first=2, total=13)], 0, []),
        (total_moves(), 0, []),
        (
            [replace(page, stretch_total=total) for page, total in zip(pages(10, 5), (16, 15), strict=True)],
            0,
            ["the total moved from 16 on page 1 to 15 on page 2"],
        ),
        (pages(10, 4, total=25), 0, ["14 resources were listed of 25 announced"]),
        (pages(9, 10, total=500), 0, ["page 1 is short (9 of 10) and not the last"]),
        (
            [*pages(9, 10, total=500), *pages(8, 10, total=500, stretch=1, first=3)],
            2,
            [
                "page 1 is short (9 of 10) and not the last",
                "page 3 is short (8 of 10) and not the last",
                "2 resources were listed more than once, so others may have been missed",
            ],
        ),
        (
            [
                *(replace(page, stretch_total=total) for page, total in zip(pages(9, 5), (16, 15), strict=True)),
                *(
                    replace(page, stretch_total=total)
                    for page, total in zip(pages(10, 5, stretch=1, first=3), (26, 25), strict=True)
                ),
            ],
            0,
            [
                "the total moved from 16 on page 1 to 15 on page 2",
                "14 resources were listed of 15 announced",
                "page 1 is short (9 of 10) and not the last",
                "the total moved from 26 on page 3 to 25 on page 4",
                "15 resources were listed of 25 announced",
            ],
        ),
    ],
)
def test_reasons_why_a_read_of_changes_may_have_missed_some(read, repeated_keys, expected):
    assert doubts_of_changes(read, repeated_keys=repeated_keys) == expected
