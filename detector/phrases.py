"""What the inputs of a network say of a segment, in words: one phrase where an input is high, another where it is low."""

from __future__ import annotations

from detector.data import LABELS
from detector.features import dom

_AMOUNTS = {
    "log_words": "words",
    "letter_ratio": "letters",
    "upper_ratio": "capitals",
    "digit_ratio": "digits",
    "short_lower_word_ratio": "short lower-case words",
    "lower_word_ratio": "lower-case words",
    "title_word_ratio": "capitalised words",
    "title_word_ratio_after_first": "capitalised words after the first",
    "caps_word_ratio": "words in capitals",
    "number_word_ratio": "numbers among the words",
    "alphanumeric_word_ratio": "words with digits in them",
    "terminals_per_word": "full stops and the like",
    "commas_per_word": "commas",
    "separators_per_word": "dashes, bars and bullets",
    "quotes_per_word": "quotation marks",
    "brackets_per_word": "brackets",
    "symbols_per_word": "symbols",
    "address_marks_per_word": "marks as in addresses",
    "other_marks_per_word": "other marks",
    "log_sentences": "sentences",
    "log_separators": "dashes, bars and bullets",
    "distinct_word_ratio": "words that are not repeated in it",
    "years": "years",
    "date_pairs": "dates",
    "times": "times of day",
    "log_numbers": "numbers",
    "recurring_phrase_ratio": "phrases that recur on the page",
    "log_phrase_recurrence": "phrases that recur on the page",
    "recurring_marker_ratio": "recurring markers",
    "log_marker_recurrence": "recurring markers",
    "marker_recurrence_in_page": "recurring markers",
    "log_markers": "recurring markers",
    "log_exact_duplicates": "exact repeats on the page",
    "log_near_duplicates": "near-duplicates on the page",
    "near_duplicate_ratio_in_page": "near-duplicates on the page",
    "log_shape_duplicates": "segments of its shape on the page",
    "shape_duplicate_ratio_in_page": "segments of its shape on the page",
    "log_segments_before": "segments before it",
    "log_segments_after": "segments after it",
    "log_segments": "segments on the page",
    "page_prose_ratio": "segments of prose on the page",
    "words_in_prose_before": "of its words in the prose before it",
    "words_in_prose_after": "of its words in the prose after it",
    "words_in_prose": "of its words in the page's prose",
    "words_in_page": "of its words elsewhere on the page",
    "names_in_prose": "of its names in the page's prose",
    "names_in_page": "of its names elsewhere on the page",
    "log_words_in_prose": "of its words in the page's prose",
    "stems_in_prose_before": "of its words in the prose before it",
    "stems_in_prose_after": "of its words in the prose after it",
    "stems_in_prose": "of its words in the page's prose",
    "stems_in_page": "of its words elsewhere on the page",
    "name_stems_in_prose": "of its names in the page's prose",
    "name_stems_in_page": "of its names elsewhere on the page",
    "log_stems_in_prose": "of its words in the page's prose",
    "log_long_words": "longer words",
    "links_per_word": "links for its words",
    "log_same_element": "elements of its kind on the page",
    "same_element_ratio_in_page": "elements of its kind on the page",
}
"""Inputs of which there are many or few."""

_TRAITS = {
    "log_chars": ("long", "short"),
    "mean_word_chars": ("long words", "short words"),
    "unspaced_ratio": ("a script without spaces", "a script with spaces"),
    "caseless_ratio": ("a script without capitals", "a script with capitals"),
    "log_words_per_sentence": ("long sentences", "short sentences"),
    "starts_lower": ("begins with a small letter", "does not begin with a small letter"),
    "starts_upper": ("begins with a capital", "does not begin with a capital"),
    "starts_number": ("begins with a number", "does not begin with a number"),
    "starts_separator": ("begins with a bullet or dash", "does not begin with a bullet or dash"),
    "starts_bracket_or_quote": (
        "begins with a bracket or quotation mark",
        "does not begin with a bracket or quotation mark",
    ),
    "starts_numbered_item": ("begins like a numbered item", "does not begin like a numbered item"),
    "ends_terminal": ("ends like a sentence", "does not end like a sentence"),
    "ends_ellipsis": ("ends in an ellipsis", "does not end in an ellipsis"),
    "ends_comma_or_colon": ("ends in a comma or colon", "does not end in a comma or colon"),
    "ends_number": ("ends in a number", "does not end in a number"),
    "ends_close_bracket": ("ends in a bracket", "does not end in a bracket"),
    "ends_count_in_brackets": ("ends in a count in brackets", "does not end in a count in brackets"),
    "ends_separator": ("ends in a dash or bar", "does not end in a dash or bar"),
    "has_url": ("has an address", "has no address"),
    "source_suffix": ("ends in the name of a source", "does not end in the name of a source"),
    "log_indent": ("indented", "not indented"),
    "recurring_head": ("begins like other segments", "begins unlike other segments"),
    "recurring_tail": ("ends like other segments", "ends unlike other segments"),
    "words_like_previous": ("words as in the segment before", "other words than the segment before"),
    "words_like_next": ("words as in the segment after", "other words than the segment after"),
    "shape_like_previous": ("shaped like the segment before", "shaped unlike the segment before"),
    "shape_like_next": ("shaped like the segment after", "shaped unlike the segment after"),
    "shape_like_second_previous": ("shaped like the segment two before", "shaped unlike the segment two before"),
    "shape_like_second_next": ("shaped like the segment two after", "shaped unlike the segment two after"),
    "position": ("late on the page", "early on the page"),
    "is_prose": ("prose", "no prose"),
    "log_distance_to_prose_before": ("far below prose", "close below prose"),
    "log_distance_to_prose_after": ("far above prose", "close above prose"),
    "prose_chars_before": ("most of the prose is before it", "little of the prose is before it"),
    "prose_chars_after": ("most of the prose is after it", "little of the prose is after it"),
    "log_non_prose_run": ("in a long run without prose", "in a short run without prose, or in none"),
    "position_in_non_prose_run": ("late in a run without prose", "early in a run without prose"),
    "page_prose_char_ratio": ("a page of prose", "a page of little prose"),
    "log_chars_to_page_mean": ("longer than most of the page", "shorter than most of the page"),
    "log_chars_to_neighbours": ("longer than its neighbours", "shorter than its neighbours"),
    "link_char_ratio": ("much of it is linked", "little of it is linked"),
    "is_all_link": ("all of it is linked", "not all of it is linked"),
    "is_p": ("a paragraph", "no paragraph"),
    "is_li": ("an entry of a list", "no entry of a list"),
    "is_heading": ("a heading", "no heading"),
    "is_div": ("directly in a div", "not directly in a div"),
    "is_cell": ("a cell of a table", "no cell of a table"),
    "is_pre": ("preformatted", "not preformatted"),
    "is_definition": ("in a list of definitions", "not in a list of definitions"),
    "is_button": ("a button or choice", "no button or choice"),
    "is_figcaption": ("a caption", "no caption"),
    "is_other": ("in an element of a rarer kind", "in an element of a common kind"),
    "heading_level": ("a heading of a low level", "no heading, or one of a high level"),
    "log_depth": ("deep in the markup", "not deep in the markup"),
    "is_hidden": ("hidden", "not hidden"),
    "element_like_previous": ("in an element like the one before", "in another element than the one before"),
    "element_like_next": ("in an element like the one after", "in another element than the one after"),
}

_AROUND = {name: (f"in {name}", f"not in {name}") for name in dom.AROUND} | {
    name: (f"in a {name}", f"not in a {name}") for name in ("form", "table", "list", "figure", "section", "blockquote")
}

_LEVELS = (
    "its element",
    "the element around it",
    *(f"the element {steps} levels around it" for steps in ("two", "three", "four")),
)
_OF_LEVEL = {
    "log_segments": ("many segments in", "few segments in"),
    "link_ratio": ("much is linked in", "little is linked in"),
    "log_mean_chars": ("long segments in", "short segments in"),
    "page_char_ratio": ("much of the page is in", "little of the page is in"),
    "prose_ratio": ("much prose in", "little prose in"),
}


def _of_label(label: str) -> dict[str, tuple[str, str]]:
    name = {"link_list": "link lists"}.get(label, label)
    sources = {"words": "words", "classes": "class names"}
    return {f"{label}_{source}": (f"{noun} as in {name}", f"{noun} unlike {name}") for source, noun in sources.items()}


PHRASES: dict[str, tuple[str, str]] = {
    **{name: (f"many {noun}", f"few {noun}") for name, noun in _AMOUNTS.items()},
    **_TRAITS,
    **{f"in_{name}": phrases for name, phrases in _AROUND.items()},
    **{
        f"level_{level}_{name}": (f"{high} {element}", f"{low} {element}")
        for level, element in enumerate(_LEVELS)
        for name, (high, low) in _OF_LEVEL.items()
    },
    **{name: phrases for label in LABELS for name, phrases in _of_label(label).items()},
}
"""For each input: what is said where it is above its mean, and where it is below."""
