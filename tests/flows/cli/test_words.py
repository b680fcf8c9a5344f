from flows.cli.words import capital, counted


def test_a_number_has_its_noun():
    assert [counted(number, "piece") for number in (0, 1, 2)] == ["0 pieces", "1 piece", "2 pieces"]
    assert counted(1_200, "entry", "entries") == "1,200 entries"


def test_only_the_first_letter_becomes_a_capital():
    assert [capital("the MIDI"), capital("")] == ["The MIDI", ""]
