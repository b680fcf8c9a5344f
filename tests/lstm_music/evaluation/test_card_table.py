"""The score card as people read it."""

from test_scorecard import card

from lstm_music.evaluation.card_table import card_tables


def test_each_split_is_a_table_with_a_row_per_predictor_and_a_column_per_stream():
    (table,) = card_tables(card(lookup={"note": 0.5}))
    assert table.title.startswith(
        "Test, by piece: 13 events, nats per event, accuracy in brackets; 1.231 nats per note"
    )
    assert table.columns == ("", "sum", "offset", "note")
    assert table.rows == (
        ("models", "2.462", "0.962 (54%)", "1.500 (46%)"),
        ("majority", "3.962", "0.962 (54%)", "3.000 (46%)"),
        ("lookup", "", "", "(50%)"),
    )


def test_a_table_in_markdown_has_three_decimals():
    lines = card_tables(card())[0].markdown().splitlines()
    assert lines[2:] == [
        "|  | sum | offset | note |",
        "| --- | ---: | ---: | ---: |",
        "| models | 2.462 | 0.962 (54%) | 1.500 (46%) |",
        "| majority | 3.962 | 0.962 (54%) | 3.000 (46%) |",
    ]
