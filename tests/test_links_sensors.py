"""Links to the sensor page that were made before its settings had ids: each opens what it opened, without a note."""

import pytest

from pages.ui.frame import links
from tests.test_pages import SENSORS, inline, opened  # noqa: F401 (a fixture)
from tests.test_sensors_page import said

PAGE = "sensor_anomalies"
OLD = [(key, label, id) for key, old in links.OLD[PAGE].items() for label, id in old.values.items()]
NEEDED = {  # what must be said with it for its control to be there
    "spall": {"source": "Ball bearing"}, "mishap": {"source": "Office room"},
    "risk": {"rule": "the tail of the normal scores"},
}  # fmt: skip
OF_A_FILE = {"separator", "decimal", "encoding", "header", "time", "unit", "label"}


def old_links():
    """Each old label once, as one link and what it must show; the room's, which take long to open, two at a time."""
    by_key = {key: [(label, id) for of, label, id in OLD if of == key] for key in ("mishap", "sensor")}
    mishaps = [each for each in by_key["mishap"] if each[1] not in ("none", "window")]  # which befall one sensor
    for turn, sensor in enumerate(by_key["sensor"]):
        pair = {"mishap": mishaps[turn % len(mishaps)], "sensor": sensor}
        yield (
            {"source": "Office room"} | {k: label for k, (label, _) in pair.items()},
            {k: id for k, (_, id) in pair.items()},
        )
    for key, label, id in OLD:
        if key not in OF_A_FILE | {"sensor"} and (key != "mishap" or id in ("none", "window")):
            yield NEEDED.get(key, {}) | {key: label}, {key: id}


@pytest.mark.parametrize(("link", "shown"), list(old_links()), ids=lambda value: "-".join(value.values()))
def test_an_old_link_opens_the_same_setting(link, shown):
    app = opened(SENSORS, **link)
    assert not app.exception
    assert "The link asks" not in said(app, "info")
    assert {key: app.session_state[key] for key in shown} == shown


def test_every_old_label_is_tried():
    tried = {(key, text) for link, _ in old_links() for key, text in link.items()}
    assert {(key, label) for key, label, _ in OLD if key not in OF_A_FILE} <= tried


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
