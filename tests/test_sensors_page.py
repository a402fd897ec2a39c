"""The sensor page opened as Streamlit would: samples and uploads scored, settings, links, refusals."""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from aecore import store
from aecore.data.simulators import bearing
from tests.test_pages import SENSORS, inline, log, opened, words  # noqa: F401 (a fixture)

SKAB = Path(__file__).parents[2] / "shared" / "data" / "anomaly" / "skab"


def uploaded(name: str, data: bytes, **query: str) -> AppTest:
    app = opened(SENSORS, source="own", **query)
    app.file_uploader(key="file:upload").upload(name, data)
    return app.run()


def test_sensors_opens_on_a_finished_result():
    app = opened(SENSORS)
    assert "event" in words(app)
    assert len(app.dataframe) == 1


@pytest.mark.parametrize("fault", ["offset", "inter_turn"])
def test_a_fault_of_the_visitor_s_choice_is_found(fault):
    app = opened(SENSORS)
    app.selectbox(key="fault").set_value(fault)
    app.slider(key="severity").set_value(1.0)
    app.run()
    assert not app.exception
    events = app.dataframe[0].value
    assert ((events["start"] < 1.5) & (events["end"] > 1.1)).any()


def test_an_upload_is_scored_to_the_end():
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    assert not app.exception
    assert not app.error
    events = app.dataframe[0].value
    assert ((events["first_row"] < 440) & (events["last_row"] >= 400)).any()
    assert "sensor 1" in set(events["leading_channel"])


@pytest.mark.skipif(not SKAB.is_dir(), reason="the labelled signals are not on this machine")
@pytest.mark.parametrize("path", sorted(SKAB.glob("*.csv"))[::6], ids=lambda p: p.name)
def test_skab_goes_through_as_it_is(path):
    app = uploaded(path.name, path.read_bytes())
    assert not app.exception
    assert not app.error
    assert "threshold" in words(app)


@pytest.mark.parametrize("source", ["bearing", "room"])
def test_every_sample_opens_on_a_finished_result(source):
    app = opened(SENSORS, source=source)
    assert not app.exception
    assert not app.error
    assert len(app.dataframe) == 1
    assert "above the threshold" in words(app)


def test_a_bearing_says_how_often_its_parts_strike_and_a_geometry_that_is_none_gets_a_sentence():
    app = opened(SENSORS, source="bearing", balls="12", shaft="600")
    found = bearing.frequencies(bearing.Geometry(balls=12), 10.0)
    assert f"BPFO {found.outer:.1f} Hz, BPFI {found.inner:.1f} Hz, BSF {found.ball:.1f} Hz" in words(app)
    app.number_input(key="ball").set_value(50.0)
    app.run()
    assert not app.exception
    assert "ball must be" in app.error[0].value


BAD = {
    "empty.csv": b"",
    "header.csv": b"time,current,voltage\n",
    "words.csv": b"place,person\nhere,me\nthere,you\n" * 40,
    "binary.csv": bytes(range(256)) * 40,
    "short.csv": b"a,b\n" + b"1,2\n3,4\n" * 10,
    "constant.csv": b"a,b\n" + b"1,2\n" * 400,
    "nans.csv": b"a,b\n" + b"nan,nan\n" * 400,
    "torn.csv.gz": gzip.compress(b"a,b\n" + b"1,2\n" * 4000)[:30],
    "sheet.xyz": b"PK\x03\x04",
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_gets_a_sentence_and_the_page_stays_usable(name):
    app = uploaded(name, BAD[name])
    assert not app.exception
    assert len(app.error) == 1
    assert len(app.error[0].value) > 20
    app.file_uploader(key="file:upload").upload("good.csv", log().to_csv(index=False).encode())
    app.run()
    assert not app.exception
    assert not app.error
    assert len(app.dataframe) == 1


def test_a_file_beyond_the_limit_gets_a_sentence(monkeypatch):
    monkeypatch.setattr("pages.ui.inputs.uploads.MAX_MEGABYTES", 0.001)
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    assert not app.exception
    assert "cut it" in app.error[0].value


def test_a_link_to_an_upload_asks_for_the_file_by_its_fingerprint():
    app = opened(SENSORS, source="own", file="pump.csv@ab12cd34ef56", sigmas="6")
    assert any("ab12cd34ef56" in note.value and "pump" in note.value for note in app.info)
    app.file_uploader(key="file:upload").upload("pump.csv", log().to_csv(index=False).encode())
    app.run()
    assert app.slider(key="sigmas").value == 6


def test_another_file_than_the_link_s_is_noticed():
    app = opened(SENSORS, source="own", file="pump.csv@ab12cd34ef56")
    app.file_uploader(key="file:upload").upload("pump.csv", log().to_csv(index=False).encode())
    app.run()
    assert any("ab12cd34ef56" in warning.value for warning in app.warning)


def test_an_odd_number_between_two_steps_is_moved_to_one():
    app = opened(SENSORS, sigmas="4.1")
    assert not app.exception
    assert "The link" not in said(app, "info")


def said(app: AppTest, kind: str) -> str:
    return " ".join(element.value for element in app.get(kind))


# ---------------------------------------------------------------------- settings
def test_alarms_an_hour_of_a_log_without_time_get_a_sentence_and_the_rest_of_the_page():
    app = uploaded("pump.csv", log().to_csv(index=False).encode(), rule="alarms")
    assert not app.exception
    assert "rows a second" in said(app, "warning")
    assert app.segmented_control(key="alarms").value == "1"
    assert len(app.dataframe) == 1
    assert "above the threshold" in words(app)
    assert app.get("download_button")


def test_a_normal_stretch_that_runs_downwards_in_a_link_is_not_used():
    app = opened(SENSORS, normal=["90", "10"])
    assert not app.exception and not app.error
    assert "showing 0 to 30 instead" in said(app, "info")
    assert app.slider(key="normal").value == (0.0, 30.0)
    assert len(app.dataframe) == 1


def test_an_empty_normal_stretch_leaves_the_rest_of_the_page():
    app = opened(SENSORS)
    app.slider(key="normal").set_value((50.0, 50.0))
    app.run()
    assert not app.exception
    assert "must run upwards" in app.error[0].value
    assert "Call the fault normal" in {button.label for button in app.button}
    app.slider(key="normal").set_value((0.0, 30.0))
    app.run()
    assert not app.error and len(app.dataframe) == 1


def test_a_prompt_shows_the_same_whatever_was_there_before():
    app = opened(SENSORS, source="bearing", spall="ball", depth="0.9", normal=["40", "60"], view=["10", "20"])
    next(button for button in app.button if button.label.startswith("A spall")).click()
    app.run()
    assert app.selectbox(key="spall").value == "inner" and app.slider(key="depth").value == 0.3
    assert app.slider(key="normal").value == (0.0, 30.0) and app.slider(key="view").value == (0.0, 100.0)


def test_the_settings_of_another_page_do_not_reach_this_one():
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    app.session_state["rate"] = "0.002"  # as another page's control once left it
    app.run()
    assert not app.exception
    assert app.number_input(key="sample_rate").value == 0.0


def test_a_saved_detector_scores_and_nothing_claims_to_have_learned_from_the_file():
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    assert "trained on the grey stretch" in words(app)
    app.file_uploader(key="detector:upload").upload("d.safetensors", detector())
    app.run()
    assert not app.exception and not app.error
    assert "trained elsewhere" in words(app)
    assert "trained on the grey stretch" not in words(app)
    assert not app.get("self-test:run") and "normal" not in {slider.key for slider in app.slider}
    assert len(app.dataframe) == 1


def detector(reason: str = "") -> bytes:
    """A saved detector that was trained on `log`; ``reason`` stands in for why its window is as long as it is."""
    from aecore.anomaly import AnomalyDetector

    tree = AnomalyDetector().fit(log(seed=1)[:400]).to_tree()
    if reason:
        tree["choices"]["window"] = [tree["choices"]["window"][0], reason]
    return store.dumps(tree)


def test_reasons_in_a_detector_that_was_brought_are_shown_as_text():
    app = uploaded("pump.csv", log().to_csv(index=False).encode(), closer="scores")
    app.file_uploader(key="detector:upload").upload("d.safetensors", detector("[free](https://elsewhere.example)"))
    app.run()
    assert not app.exception
    (table,) = app.table
    assert "\\[free\\]" in table.value["why"].to_list()[0]


def test_a_detector_of_other_channels_is_refused_in_a_sentence_and_not_offered_again():
    app = uploaded("pump.csv", log(channels=2).to_csv(index=False).encode())
    app.file_uploader(key="detector:upload").upload("d.safetensors", detector())
    app.run()
    assert "give it a signal with the same channels" in app.error[0].value
    assert not {"Train", "Score again"} & {button.label for button in app.button}


# ---------------------------------------------------------------------- data that stay in a worker
def test_a_file_is_parsed_once_whatever_is_said_of_its_columns(monkeypatch):
    from aecore.data.readers import uploads

    parsed, parse = [], uploads.parse
    monkeypatch.setattr(uploads, "parse", lambda *args: parsed.append(args) or parse(*args))
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    app.multiselect(key="channels").set_value(["sensor 1"]).run()
    app.number_input(key="sample_rate").set_value(2.0).run()
    assert not app.exception and not app.error
    assert set(app.dataframe[0].value["leading_channel"]) == {"sensor 1"}
    assert len(parsed) == 1
    app.selectbox(key="separator").set_value("comma").run()  # the text is read in another way
    assert not app.error and len(parsed) == 2


def held_bytes(value) -> int:
    """Bytes of arrays and text within a value, however deep."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, bytes | str):
        return len(value)
    if isinstance(value, pd.DataFrame):
        return int(value.memory_usage(deep=True).sum())
    if isinstance(value, dict):
        return sum(map(held_bytes, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(held_bytes, value))
    return sum(map(held_bytes, vars(value).values())) if dataclasses.is_dataclass(value) else 0


def test_the_server_holds_no_row_of_a_visitor_s_signal():
    rows = 60_000
    app = uploaded("pump.csv", log(rows).to_csv(index=False).encode())
    slots = app.session_state["work"]
    assert not app.error and len(app.dataframe) == 1
    results = {name: [held_bytes(each.job.result()) for each in all_.values()] for name, all_ in slots.entries.items()}
    assert set(results) >= {"sensors:read", "sensors:columns", "sensors:train", "sensors:view", "sensors:detect"}
    assert max(size for sizes in results.values() for size in sizes) < 4 * rows  # less than one of its columns
    found = held_bytes(app.session_state["sensors:shown"]["now"]) + held_bytes(app.session_state["sensors:outline"])
    assert found < 4 * rows


def test_data_that_are_gone_are_read_again_without_the_visitor():
    from aecore import jobs

    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    before = app.dataframe[0].value
    jobs._values.clear()  # as a worker's end would
    app.slider(key="sigmas").set_value(4.5).run()
    app.slider(key="sigmas").set_value(4.0).run()
    assert not app.exception and not app.error
    pd.testing.assert_frame_equal(app.dataframe[0].value, before)


def test_data_that_never_stay_end_in_a_sentence_and_not_in_a_circle(monkeypatch):
    from aecore import jobs

    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    put = jobs._values.put
    monkeypatch.setattr(jobs._values, "put", lambda *args: (put(*args), jobs._values.clear())[0])
    jobs._values.clear()
    app.slider(key="sigmas").set_value(4.5).run()
    assert not app.exception
    assert "no longer in memory" in app.error[0].value
    assert "Read again" in {button.label for button in app.button}


def test_my_data_are_removed_at_once():
    from aecore import jobs

    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    assert "Kept for this visit: pump" in said(app, "caption")
    app.button(key="file:remove").click().run()
    assert not app.exception and not app.error
    assert "Removed: pump" in said(app, "success")
    slots = app.session_state["work"]
    assert not [entry for entries in slots.entries.values() for entry in entries.values()]
    assert "file:kept" not in app.session_state and "sensors:shown" not in app.session_state
    assert "sensors:outline" not in app.session_state
    assert not jobs._values.size
    assert "This link was made" not in said(app, "info")
    app.file_uploader(key="file:upload:1").upload("other.csv", log(seed=2).to_csv(index=False).encode())
    app.run()
    assert not app.error and len(app.dataframe) == 1 and not app.success


def test_a_file_is_named_after_another_page_was_looked_at():
    app = uploaded("pump.csv", log().to_csv(index=False).encode())
    app.switch_page("pages/1_Bottleneck.py").run()
    app.switch_page(SENSORS)
    app.query_params.clear()
    app.query_params["source"] = "own"
    app.run()
    assert not app.exception
    assert "Kept for this visit: pump" in said(app, "caption")
    assert len(app.dataframe) == 1
