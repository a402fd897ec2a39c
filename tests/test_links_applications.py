"""Links to the Applications page as they were written before its settings had ids: each opens what it opened."""

import pytest

from pages.ui.applications.section import SECTIONS as APPLICATIONS
from pages.ui.frame import links
from tests.test_applications_opened import address, at, inline, well  # noqa: F401

SECTIONS = {
    "anomaly detection": "anomaly",
    "denoising": "denoising",
    "dimension reduction": "dimensions",
    "pre-training": "pretraining",
    "generation": "generation",
    "interpolation": "interpolation",
    "clustering": "clustering",
    "conditional VAE": "conditional",
}
# section, what the link held, the values that its controls show; each value that has another name now stands once
OLD = [
    ("anomaly detection", {"ano_machine": "inverter currents", "ano_fault": "sensor offset"}, {"ano_fault": "offset"}),
    ("anomaly detection", {"ano_fault": "open switch", "ano_network": "as it ships"},
     {"ano_machine": "inverter", "ano_fault": "open_switch", "ano_network": "builtin"}),
    ("anomaly detection", {"ano_fault": "sensor gain"}, {"ano_fault": "gain"}),
    ("anomaly detection", {"ano_fault": "inter-turn short", "ano_network": "trained here", "ano_points": "8"},
     {"ano_fault": "inter_turn", "ano_network": "own", "ano_points": 8}),
    ("anomaly detection", {"ano_fault": "none"}, {"ano_fault": "none"}),
    ("anomaly detection", {"ano_machine": "bearing vibration", "ano_spall": "outer race", "ano_speed_bearing": "1200"},
     {"ano_machine": "bearing", "ano_spall": "outer", "ano_speed_bearing": 1200.0}),
    ("anomaly detection", {"ano_machine": "bearing vibration", "ano_spall": "inner race"}, {"ano_spall": "inner"}),
    ("anomaly detection", {"ano_machine": "bearing vibration", "ano_spall": "ball"}, {"ano_spall": "ball"}),
    ("denoising", {"den_signal": "phase current", "den_kind": "white noise", "den_level": "1 %"},
     {"den_signal": "current", "den_kind": "white", "den_level": "1"}),
    ("denoising", {"den_signal": "DC-link voltage", "den_kind": "switching ripple", "den_level": "2 %"},
     {"den_signal": "link", "den_kind": "ripple", "den_level": "2"}),
    ("denoising", {"den_kind": "EMI bursts", "den_level": "5 %", "den_mode": "as it comes"},
     {"den_kind": "bursts", "den_level": "5", "den_mode": "live"}),
    ("denoising", {"den_kind": "quantisation", "den_level": "10 %", "den_mode": "afterwards"},
     {"den_kind": "quantisation", "den_level": "10", "den_mode": "afterwards"}),
    ("denoising", {"den_level": "20 %", "den_network": "trained here", "den_code": "16"},
     {"den_level": "20", "den_network": "own", "den_code": 16}),
    ("denoising", {"den_network": "as it ships"}, {"den_network": "builtin"}),
    ("dimension reduction", {"dim_size": "5", "dim_machine": "3", "dim_network": "trained here"},
     {"dim_size": "5", "dim_machine": 3, "dim_network": "own"}),
    ("dimension reduction", {"dim_network": "as it ships"}, {"dim_network": "builtin"}),
    ("pre-training", {"pre_task": "machine faults", "pre_labels": "30"}, {"pre_task": "faults", "pre_labels": 30}),
    ("pre-training", {"pre_task": "digits", "pre_seed": "4"}, {"pre_task": "digits", "pre_seed": 4}),
    ("generation", {"gen_fault": "misfiring switch", "gen_vae": "as it ships"},
     {"gen_fault": "misfiring", "gen_vae": "builtin"}),
    ("generation", {"gen_fault": "inter-turn short", "gen_rare": "50", "gen_vae": "trained here"},
     {"gen_fault": "inter_turn", "gen_rare": "50", "gen_vae": "own"}),
    ("interpolation", {"int_data": "phase currents", "int_walk": "round the middle", "int_networks": "as they ship"},
     {"int_data": "currents", "int_walk": "round", "int_networks": "builtin"}),
    ("interpolation", {"int_data": "shapes", "int_walk": "straight", "int_size": ["6", "8"]},
     {"int_data": "shapes", "int_walk": "straight", "int_size": (6.0, 8.0)}),
    ("interpolation", {"int_networks": "trained here", "int_pull": "very strong"},
     {"int_networks": "own", "int_pull": "very_strong"}),
    ("interpolation", {"int_networks": "trained here", "int_pull": "as it ships"}, {"int_pull": "builtin"}),
    ("clustering", {"clu_length": "30 s", "clu_network": "trained here"}, {"clu_length": "30", "clu_network": "own"}),
    ("clustering", {"clu_length": "60 s", "clu_network": "as it ships"},
     {"clu_length": "60", "clu_network": "builtin"}),
    ("clustering", {"clu_length": "120 s"}, {"clu_length": "120"}),
    ("conditional VAE", {"con_class": "open switch", "con_model": "as it ships"},
     {"con_class": "open_switch", "con_model": "builtin"}),
    ("conditional VAE", {"con_class": "inter-turn short", "con_model": "trained here", "con_epochs": "50"},
     {"con_class": "inter_turn", "con_model": "own", "con_epochs": 50}),
    ("conditional VAE", {"con_class": "sensor offset"}, {"con_class": "offset"}),
    ("conditional VAE", {"con_class": "sensor gain"}, {"con_class": "gain"}),
    ("conditional VAE", {"con_class": "healthy"}, {"con_class": "healthy"}),
]  # fmt: skip


@pytest.mark.parametrize(("section", "link", "shown"), OLD, ids=lambda value: value if isinstance(value, str) else "")
def test_an_old_link_opens_the_same_settings_without_a_note(section, link, shown):
    app = at({"section": section} | link)
    assert well(app)
    assert not [note.value for note in app.info if "The link" in note.value]
    assert app.segmented_control(key="application").value == SECTIONS[section]
    assert {key: app.session_state[key] for key in shown} == shown
    assert "section" not in address(app)


def test_every_old_value_is_tried():
    tried = {("section", section) for section, _, _ in OLD}
    tried |= {(key, text) for _, link, _ in OLD for key, text in link.items() if isinstance(text, str)}
    wanted = {(key, text) for key, old in links.OLD["applications"].items() for text in old.values}
    # networks were called "as they ship" in one section only
    wanted -= {(key, "as they ship") for key in links.OLD["applications"] if key != "int_networks"}
    wanted -= {("int_networks", "as it ships")}
    assert not wanted - tried


def test_the_sections_are_called_as_their_modules():
    assert set(SECTIONS.values()) == set(APPLICATIONS)
    assert set(SECTIONS) == set(APPLICATIONS.values())
