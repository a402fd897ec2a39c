"""Small files of every kind, made in memory; and ways to spoil them."""

import io
import json
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import soundfile
from scipy.io import savemat


def table(rows=20):
    """Three channels under a regular clock, no value a whole number."""
    t = np.arange(rows) * 0.5
    return pd.DataFrame({"time": t, "u [V]": np.sin(t) + 0.1, "i [A]": np.cos(t) * 3 + 0.01, "n": t**2 + 0.25})


def written(write):
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def xlsx(frame=None, **sheets):
    """A workbook of one sheet, or of those given as lists of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    frame = table() if frame is None else frame
    for title, rows in (sheets or {"Sheet1": [list(frame), *frame.to_numpy().tolist()]}).items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return written(book.save)


def parquet(frame=None, **options):
    return written(lambda file: (table() if frame is None else frame).to_parquet(file, index=False, **options))


def npy(array, **options):
    return written(lambda file: np.save(file, array, **options))


def npz(**arrays):
    return written(lambda file: np.savez(file, **arrays))


def mat(compressed=True, **arrays):
    return written(lambda file: savemat(file, arrays, do_compression=compressed))


def audio(kind="WAV", values=None, rate=8000, **options):
    values = table()[["u [V]", "i [A]"]].to_numpy() / 10 if values is None else values
    return written(lambda file: soundfile.write(file, values, rate, format=kind, **options))


def jsonl(frame=None):
    return (table() if frame is None else frame).to_json(orient="records", lines=True, double_precision=15).encode()


def zipped(*members, compression=zipfile.ZIP_DEFLATED):
    """An archive of (name, content) pairs."""

    def write(file):
        with zipfile.ZipFile(file, "w", compression) as archive:
            for name, content in members:
                archive.writestr(name, content)

    return written(write)


def npy_claiming(header, body=b""):
    """An array's file with any header."""
    text = str(header).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def records(*rows):
    return "\n".join(json.dumps(row) for row in rows).encode()
