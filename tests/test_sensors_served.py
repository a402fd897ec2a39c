"""The sensor page on a real server with real workers: data that a killed worker held, and data that are removed."""

import os
import re
import signal

import numpy as np
import pandas as pd
import psutil
import pytest
from streamlit.proto.Common_pb2 import DoubleArray

from tests.servers import serving
from tests.visitor import Visitor, run

PAGE, OWN = "Sensor_Anomalies", "source=own"
SECONDS = 170.0  # two busy cores


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running


def log(seed: int = 0) -> bytes:
    t = np.arange(3000)[:, None]
    values = np.sin(t / 7 + np.arange(3)) + 0.1 * np.random.default_rng(seed).normal(size=(3000, 3))
    values[2000:2060, 1] += 3
    return pd.DataFrame(values, columns=["current", "voltage", "speed"]).to_csv(index=False).encode()


def workers(server) -> list[psutil.Process]:
    """Processes that run tasks."""
    found = psutil.Process(server.process.pid).children(recursive=True)
    return [each for each in found if "spawn_main" in " ".join(each.cmdline())]


def thresholds(visitor: Visitor) -> list[str]:
    """Sentences of what was found, as they came."""
    return re.findall(rb"events? above the threshold of ([\d.]+)", bytes(visitor.raw))


async def scored(server) -> Visitor:
    visitor = await Visitor.open(server.url, PAGE, OWN)
    visitor.raw = bytearray()
    assert await visitor.upload("A sensor log", "pump.csv", log()) == 204
    await visitor.until(lambda: thresholds(visitor), seconds=SECONDS)
    visitor.check()
    return visitor


def test_what_killed_workers_held_is_read_and_scored_again_by_itself(server):
    async def play():
        visitor = await scored(server)
        first = thresholds(visitor)[-1]
        for worker in workers(server):
            os.kill(worker.pid, signal.SIGKILL)
        await visitor.set("slider", "Standard deviations", wait=False, double_array_value=DoubleArray(data=[5.0]))
        await visitor.until(lambda: thresholds(visitor)[-1] != first, seconds=SECONDS)
        await visitor.set("slider", "Standard deviations", wait=False, double_array_value=DoubleArray(data=[4.0]))
        await visitor.until(lambda: thresholds(visitor)[-1] == first, seconds=SECONDS)
        visitor.check()
        await visitor.close()

    run(play)


def test_removed_data_leave_the_workers(server):
    async def play():
        visitor = await scored(server)
        button, fragment = visitor.widget("button", "Remove my data")
        await visitor.send_value(button.id, fragment, trigger_value=True)
        await visitor.until(lambda: "Removed: pump" in visitor.words().replace("\\", ""))
        assert "file=" not in visitor.query
        visitor.check()
        await visitor.close()

    run(play)
