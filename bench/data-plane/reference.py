"""The same job as people write it with pandas: chunks of 500,000 rows, names normalised, blank rows and duplicates of the
chunk dropped, dates read, two columns added. Without a Parquet engine installed the chunks are written as nothing, and
the line says so. Prints one JSON line."""

import json
import resource
import sys

path, duplicates = sys.argv[1], sys.argv[2]
try:
    import pandas
except ImportError:
    print(json.dumps({"bench": "data", "engine": "pandas", "left": "pandas is not installed"}))
    sys.exit(0)

try:
    import pyarrow  # noqa: F401

    writes = True
except ImportError:
    writes = False

rows = kept = 0
for index, chunk in enumerate(pandas.read_csv(path, dtype=str, chunksize=500_000)):
    rows += len(chunk)
    chunk.columns = [name.strip().lower().replace(" ", "_") for name in chunk.columns]
    chunk = chunk.dropna(how="all").copy()
    if duplicates != "none":
        chunk = chunk.drop_duplicates()
    for name in chunk.columns:
        if "date" in name or "fecha" in name:
            chunk[name] = pandas.to_datetime(chunk[name], errors="coerce", utc=True)
    chunk["_processed_at"] = pandas.Timestamp(0, tz="UTC")
    chunk["_source_file"] = "bench"
    kept += len(chunk)
    if writes:
        chunk.to_parquet(f"{path}.{index}.parquet", compression="snappy")

used = resource.getrusage(resource.RUSAGE_SELF)
cpu = used.ru_utime + used.ru_stime
with open(path, "rb") as file:
    size = file.seek(0, 2) / 1e6
print(
    json.dumps(
        {
            "bench": "data",
            "engine": f"pandas {pandas.__version__}",
            "writesParquet": writes,
            "MB": round(size, 1),
            "cpuSeconds": round(cpu, 2),
            "MBPerCpuSecond": round(size / cpu, 2),
            "peakRssMb": round(used.ru_maxrss / 1024),
            "rowsIn": rows,
            "rowsOut": kept,
        }
    )
)
