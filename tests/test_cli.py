"""``train`` and ``score`` as commands: exit codes, what they print, what they write, and the page's own results."""

import os
import re
import signal
import subprocess
import sys
import tomllib
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from aecore import __main__, export, jobs
from aecore.anomaly import AnomalyDetector
from aecore.cli import sources
from aecore.cli.reports import TableWriter, name_results
from aecore.cli.sources import Stretch
from aecore.concepts import Pretraining
from aecore.concepts import sensor_anomalies as sensors
from aecore.concepts.sensor_anomalies import tables as sensor_tables
from aecore.data.readers import uploads
from aecore.errors import SettingError, StoreError
from aecore.numerics.progress import finish

ROOT = Path(__file__).parents[1]
FAULT = slice(900, 940)


def log(rows=1500, fault=True, seed=0):
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(rows)[:, None] / 4 + np.arange(3)) + 0.1 * rng.normal(size=(rows, 3))
    if fault:
        values[FAULT, 1] += 3
    frame = pd.DataFrame(values, columns=["ia", "ib", "ic"])
    frame.insert(0, "time", pd.date_range("2024-05-01 12:00", periods=rows, freq="s"))
    return frame


def aecore(*arguments):
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "aecore", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a faulty log, a clean one, and a detector trained on the clean one."""
    folder = tmp_path_factory.mktemp("logs")
    log().to_csv(folder / "faulty.csv", index=False)
    log(fault=False, seed=1).to_csv(folder / "clean.csv", index=False)
    trained = aecore("train", folder / "clean.csv", "--detector", folder / "d.safetensors", "--normal", "0%:60%")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == "" and "detector written to" in trained.stderr
    return folder


def test_scoring_says_events_writes_tables_and_exits_with_1(place, tmp_path):
    result = aecore("score", place / "faulty.csv", place / "clean.csv", "--detector", place / "d.safetensors",
                    "--out", tmp_path / "new" / "folder")  # fmt: skip
    assert result.returncode == 1, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 1
    assert re.fullmatch(
        r"faulty\.csv: 2024-05-01T12:1\d:\d\d to 2024-05-01T12:1\d:\d\d \(rows \d+ to \d+\), "
        r"peak [\d.]+, [\d.]+ times the threshold, led by ib",
        lines[0],
    )
    assert "clean.csv: no events" in result.stderr
    written = {path.name for path in (tmp_path / "new" / "folder").iterdir()}
    assert written == {"faulty.scores.csv", "faulty.events.csv", "clean.scores.csv", "clean.events.csv"}
    events = pd.read_csv(tmp_path / "new" / "folder" / "faulty.events.csv")
    assert events["first_row"][0] <= FAULT.start and events["last_row"][0] >= FAULT.stop - 1
    assert len(pd.read_csv(tmp_path / "new" / "folder" / "clean.events.csv")) == 0


# ------------------------------------------------------------------ in this process, which starts faster
def test_without_a_detector_the_tables_are_the_pages_downloads(place, tmp_path):
    assert __main__.main(["score", str(place / "faulty.csv"), "--out", str(tmp_path)]) == 1
    signal = uploads.read("faulty.csv", (place / "faulty.csv").read_bytes())
    steps = sensors.train(signal.values, signal.channels, signal.sample_rate, sensors.DEFAULT_NORMAL)
    analysis = sensors.Analysis.from_tree(finish(steps))
    threshold = AnomalyDetector.from_tree(analysis.detector).threshold_
    table = sensor_tables.score_table(analysis, signal.time, threshold)
    written = pd.read_csv(tmp_path / "faulty.scores.csv", parse_dates=["time"])
    pd.testing.assert_frame_equal(written, table, check_dtype=False, rtol=1e-4)
    events = export.csv(sensor_tables.event_table(analysis.events(threshold), signal.time)).decode()
    rows = [line.split(",")[:4] for line in (tmp_path / "faulty.events.csv").read_text().splitlines()]
    assert rows == [line.split(",")[:4] for line in events.splitlines()]


def test_a_clean_file_exits_with_0_and_prints_nothing(place, capsys):
    assert __main__.main(["score", str(place / "clean.csv"), "--detector", str(place / "d.safetensors")]) == 0
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_read_exits_with_2_and_the_others_are_scored(place, tmp_path, capsys):
    (tmp_path / "broken.csv").write_text("no numbers\nhere\nat all\n")
    files = [tmp_path / "broken.csv", tmp_path / "none.csv", place / "faulty.csv"]
    assert __main__.main(["score", *map(str, files), "--detector", str(place / "d.safetensors")]) == 2
    said = capsys.readouterr()
    assert "broken.csv: error: 'broken.csv' holds no column of numbers" in said.err
    assert "none.csv could not be read (no such file or directory); check the path." in said.err
    assert said.out.startswith("faulty.csv: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "x.csv", "--detector", "no.safetensors"], "Could not read no.safetensors"),
        (["score", "{place}/clean.csv", "--detector", "{place}/clean.csv"], "is not a stored result"),
        (["score", "{place}/clean.csv", "--normal", "5"], "must look like 0:400"),
        (["score", "{place}/"], "{place} could not be read (is a directory)"),
        (["train", "{place}/no.csv", "--detector", "{place}/no/where/d"], "There is no folder"),
        (["train", "{place}/no.csv", "--detector", "."], "'.' is a folder"),
        (["denoise", "{place}/clean.csv", "{place}/out.wav"], "cannot be opened as a WAV"),
        (["train", "{place}/clean.csv", "--detector", "d", "--normal", "0:9000"], "within the file's 1,500 rows"),
        (["train", "{place}/clean.csv", "--detector", "d", "--normal", "0:20"], "20 normal rows are too few"),
        (["pretrain", "nonsense"], "no model is called nonsense"),
        (["pretrain", "home"], "overwrites in"),  # a test's standard input is no terminal
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exits_with_2(place, capsys, arguments, message):
    assert __main__.main([argument.format(place=place) for argument in arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert message.format(place=place) in said[-1] and "error: " in said[-1]


@pytest.mark.parametrize("arguments", [["score"], ["train", "f"], ["score", "f", "--detector", "d", "--normal", "0:9"]])
def test_arguments_that_do_not_go_together_exit_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as exit_:
        __main__.main(arguments)
    assert exit_.value.code == 2


def test_a_long_parquet_file_in_blocks_is_scored_as_the_same_file_whole(place, tmp_path, monkeypatch, capsys):
    from aecore.data.readers import parquet_blocks

    log(4000).to_parquet(tmp_path / "log.parquet")
    options = [str(tmp_path / "log.parquet"), "--detector", str(place / "d.safetensors"), "--format", "parquet"]
    assert __main__.main(["score", *options, "--out", str(tmp_path / "whole")]) == 1
    said = capsys.readouterr().out
    monkeypatch.setattr(sources, "HELD", 1000)
    monkeypatch.setattr(parquet_blocks, "BLOCK", 700)
    assert __main__.main(["score", *options, "--out", str(tmp_path / "blocks")]) == 1
    assert capsys.readouterr().out == said
    for name in ("log.scores.parquet", "log.events.parquet"):
        whole, blocks = (pd.read_parquet(tmp_path / folder / name) for folder in ("whole", "blocks"))
        pd.testing.assert_frame_equal(blocks, whole, rtol=1e-4)


def test_channels_are_found_by_name(place, tmp_path, capsys):
    shuffled = log()[["time", "ic", "ia", "ib"]].assign(extra=np.arange(1500) ** 2)
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    detector = ["--detector", str(place / "d.safetensors")]
    assert __main__.main(["score", str(tmp_path / "shuffled.csv"), *detector]) == 1
    assert capsys.readouterr().out.endswith("led by ib\n")
    shuffled.rename(columns={"ib": "other"}).to_csv(tmp_path / "other.csv", index=False)
    assert __main__.main(["score", str(tmp_path / "other.csv"), *detector]) == 2
    assert "of these ib are not among ic, ia, other, extra" in capsys.readouterr().err


# ------------------------------------------------------------------ parts
@pytest.mark.parametrize(
    ("text", "rows", "expected"),
    [("0:400", 900, (0, 400)), ("0%:30%", 1000, (0, 300)), ("12.5%:50%", 80, (10, 40)), (":40", 90, (0, 40)),
     ("60%:", 90, (54, 90)), ("10:50%", 90, (10, 45))],
)  # fmt: skip
def test_a_stretch_is_rows_or_percent(text, rows, expected):
    assert Stretch.parse(text).within(rows) == expected


@pytest.mark.parametrize("text", ["", "4", "a:b", "9:3", "5:5", "-1:4", "0%:120%", "1.5:9", "nan%:5%", "0:inf", "::"])
def test_what_is_no_stretch_is_refused(text):
    with pytest.raises(SettingError, match="normal stretch"):
        Stretch.parse(text)


def test_stretches_of_rows_are_percent_of_the_page():
    assert Stretch.parse(__main__.DEFAULT_NORMAL).within(1234) == sensors.normal_rows(1234, sensors.DEFAULT_NORMAL)


def test_results_of_files_with_one_name_do_not_meet():
    assert name_results([Path("a/x.csv"), Path("b/x.csv.gz"), Path("y.csv")]) == ["x", "x-2", "y"]


def test_a_table_that_is_not_finished_leaves_nothing(tmp_path):
    sheet = TableWriter(tmp_path / "t.csv", "csv")
    sheet.__enter__()
    sheet.add(pd.DataFrame({"a": [1]}))
    sheet.__exit__(KeyError, KeyError(), None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_in_parts_is_the_table(tmp_path, kind):
    table = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "=1+1", "z"], "c": [0.5, np.nan, 2]})
    with TableWriter(tmp_path / "t", kind) as sheet:
        sheet.add(table[:1])
        sheet.add(table[1:])
    if kind == "csv":
        assert (tmp_path / "t").read_bytes() == export.csv(table)
    else:
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "t"), table)


def test_a_place_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="could not be written"), TableWriter(tmp_path / "file" / "t.csv", "csv"):
        pass


def test_patterns_are_resolved_in_order_and_one_that_fits_nothing_is_said(place, tmp_path, capsys):
    (tmp_path / "[1].csv").write_bytes(b"")  # a name that only looks like a pattern
    assert sources.find_files([str(place / "*.csv")]) == [place / "clean.csv", place / "faulty.csv"]
    assert sources.find_files([str(tmp_path / "[1].csv")]) == [tmp_path / "[1].csv"]
    assert __main__.main(["score", str(place / "*.parquet"), "--detector", str(place / "d.safetensors")]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "No file fits the pattern" in printed.err


def test_a_cluster_needs_a_detector_and_an_address_that_may_be_used(place, capsys, monkeypatch):
    monkeypatch.setenv("AECORE_SCHEDULER", "")  # the command sets it; this puts it back
    jobs.shutdown()  # the address is looked at when work begins, not while workers of an earlier test stand ready
    asked = ["score", str(place / "clean.csv"), "--scheduler"]
    with pytest.raises(SystemExit):
        __main__.main([*asked, "tls://127.0.0.1:9"])
    assert "train one first" in capsys.readouterr().err
    assert __main__.main([*asked, "tcp://10.0.0.5:1", "--detector", str(place / "d.safetensors")]) == 2
    assert "AECORE_SCHEDULER must be tls://" in capsys.readouterr().err


def test_progress_that_holds_curves_and_pictures_is_one_line_of_numbers():
    progress = {"part": "x", "epoch": 3, "loss": np.float64(0.123456), "curves": {"a": [1.0]}, "rebuilt": np.eye(2)}
    assert __main__._numbers(progress) == "epoch 3  loss 0.1235"


@pytest.fixture
def model(monkeypatch):
    """A model called "nothing"; its training runs what is appended to the list."""
    module, steps = types.ModuleType("aecore.made_by_a_test"), []
    module.pretrain = lambda: ({"progress": step() and 1.0} for step in steps)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(__main__.PRETRAINED, "nothing", Pretraining("nothing", "made_by_a_test:pretrain"))
    return steps


def test_what_ships_is_made_by_one_thread_unless_told_otherwise(monkeypatch, model):
    import torch

    seen = []
    model.append(lambda: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    try:
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert __main__.main(["pretrain", "nothing", "--yes"]) == 0
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert __main__.main(["pretrain", "nothing", "--yes"]) == 0
    finally:
        torch.set_num_threads(before)
    assert seen == [2, 1]


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("no", 2), ("", 2)])
def test_models_are_overwritten_on_a_terminal_once_that_is_agreed(monkeypatch, model, answer, code):
    made, asked = [], []
    model.append(lambda: made.append(True))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or answer)
    assert __main__.main(["pretrain", "nothing"]) == code
    assert bool(made) == (code == 0)
    assert "assets/models: nothing.safetensors." in asked[0]


# ------------------------------------------------------------------ as a program
def test_a_command_that_is_interrupted_says_one_word_and_exits_with_130(monkeypatch, model, capsys):
    model.append(lambda: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(sys, "argv", ["aecore", "pretrain", "nothing", "--yes"])
    assert __main__.run() == 130
    assert capsys.readouterr().err == "stopped\n"


def test_a_reader_that_has_seen_enough_is_no_error(place):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "aecore", "score", place / "faulty.csv", "--detector", place / "d.safetensors"],
        cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120,
    )  # fmt: skip
    os.close(writing)
    assert done.returncode == 141
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_the_installed_command_is_this_one_and_says_its_version(capsys):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ((name, target),) = project["scripts"].items()
    assert EntryPoint(name, target, "console_scripts").load() is __main__.run
    with pytest.raises(SystemExit):
        __main__.main(["--version"])
    assert capsys.readouterr().out == f"{name} {project['version']}\n"


def test_the_script_that_a_visitor_takes_away_runs_from_any_folder(place, tmp_path):
    (tmp_path / "score.py").write_text(sensor_tables.SNIPPET)
    (tmp_path / "detector.safetensors").write_bytes((place / "d.safetensors").read_bytes())
    done = subprocess.run(
        [sys.executable, "score.py", place / "faulty.csv"], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},  # as where the project is installed
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "leading_channel" in done.stdout and "of the rows pass the threshold" in done.stdout
