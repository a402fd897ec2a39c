"""Links to the sensor page that were made before its settings had ids: each opens what it opened, without a note."""

import pytest

from pages.ui.frame import links
from tests.test_pages import SENSORS, inline, opened  # noqa: F401 (a fixture)
from tests.test_sensors_page import said

PAGE = "sensor_anomalies"
OLD = [(key, label, id) for key, old in links.OLD[PAGE].items() for label, id in old.values.items()]
NEEDED = {  # what must be said with it for its control to be there
    "spall": {"source": "Ball bearing"}, "mishap": {"source": "Office room"},
    "sensor": {"source": "Office room", "mishap": "A stuck sensor"},
    "risk": {"rule": "the tail of the normal scores"},
}  # fmt: skip
OF_A_FILE = {"separator", "decimal", "encoding", "header", "time", "unit", "label"}


@pytest.mark.parametrize(("key", "label", "id"), [each for each in OLD if each[0] not in OF_A_FILE])
def test_an_old_link_opens_the_same_setting(key, label, id):
    app = opened(SENSORS, **NEEDED.get(key, {}), **{key: label})
    assert not app.exception
    assert "The link asks" not in said(app, "info")
    assert app.session_state[key] == id


def test_the_old_key_of_the_rows_a_second_and_columns_of_a_file():
    from tests.test_sensors_page import log, uploaded

    app = uploaded("a.csv", log().to_csv(index=False).encode(), rate="50", time="none", channels=["sensor 0"])
    assert not app.exception and not app.error
    assert app.number_input(key="sample_rate").value == 50
    assert app.selectbox(key="time").value == "none"
    assert app.multiselect(key="channels").value == ["sensor 0"]
    assert "The link asks" not in said(app, "info")


@pytest.mark.parametrize("query", [{"severity": "7"}, {"fault": "Gremlins"}, {"normal": "60"}, {"sigmas": "nan"}])
def test_a_bad_value_gets_a_note_and_leaves(query):
    app = opened(SENSORS, **query)
    assert not app.exception
    assert "The link asks" in said(app, "info")
