"""Whose source is read: a user's, wherever it is, and a recipe's unless it points at this machine or its network."""

import pytest

from lstm_music.errors import SourceError
from lstm_music.sources.choice import chosen_source


@pytest.mark.parametrize("source", ["http://127.0.0.1:8000/", "my_music", "s3://bucket"])
def test_a_user_may_name_any_source(source):
    assert chosen_source(source, "corpus") == source


@pytest.mark.parametrize(
    "source", ["corpus", "kaggle:a/b", "my_music", "s3://10.0.0.1/x", "http://93.184.215.14/x.zip", "C:"]
)
def test_a_recipe_may_name_what_is_public_or_here_on_disk(source):
    assert chosen_source(None, source) == source


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost", "[::1]:80", "10.1.2.3", "192.168.0.1", "169.254.169.254"]
)
@pytest.mark.parametrize("scheme", ["http", "https", "ftp"])
def test_a_recipe_may_not_have_this_machine_or_its_network_asked(scheme, host):
    source = f"{scheme}://{host}/music"
    with pytest.raises(SourceError, match=r"names an address of this machine or its network; .*--source"):
        chosen_source(None, source)
