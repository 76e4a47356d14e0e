"""Suggestions: the word that was most likely meant."""

from cuvee.manifest.documents.suggestions import did_you_mean, nearest


def test_the_nearest_of_many_words_is_found() -> None:
    words = [*(f"a{number}" for number in range(1000)), "numpy"]
    assert nearest("numpyy", words) == "numpy"


def test_the_first_letter_may_be_wrong() -> None:
    assert nearest("umpy", ["numpy", "scipy"]) == "numpy"
    assert did_you_mean("quite another", ["numpy", "scipy"]) == ""
