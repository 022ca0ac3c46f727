"""Small NetCDF files of every kind and the masked arrays netCDF4 reads from them: test/golden/netcdf/.

    pip install netCDF4==1.7.5.1.post1 numpy==2.4.6; python scripts/golden/netcdf.py
"""
import json, pathlib, numpy as np, netCDF4 as nc

out = pathlib.Path(__file__).parents[2] / "test/golden/netcdf"
out.mkdir(parents=True, exist_ok=True)
LAT, LON, N = np.arange(60, -61, -30.0), np.arange(0, 360, 30.0), 3
index = {}


def make(name, fmt="NETCDF3_CLASSIC", calendar="standard", units="hours since 2005-12-01 00:00:0.0", lat=LAT, lon=LON, order=("time", "lat", "lon"),
         times=(0, 6, 12), dtype="f4", attributes={}, change=None, unlimited=True, good=True):
    path = out / f"{name}.nc"
    with nc.Dataset(path, "w", format=fmt) as f:
        for key, size in (("time", None if unlimited else N), ("lat", len(lat)), ("lon", len(lon))): f.createDimension(key, size)
        for key, values, unit in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east"), ("time", times, units)):
            v = f.createVariable(key, "f8", (key,)); v.units = unit; v[:] = values
        f["time"].calendar = calendar
        fill = attributes.get("_FillValue")
        v = f.createVariable("msl", dtype, order, fill_value=fill)
        v.set_auto_maskandscale(False)
        v.setncatts({k: a for k, a in attributes.items() if k != "_FillValue"} | {"units": "hPa"})
        shape = tuple({"time": N, "lat": len(lat), "lon": len(lon)}[k] for k in order)
        values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        if change: change(values)
        v[:] = values
    if not good: return
    with nc.Dataset(path) as f:
        data = np.ma.masked_invalid(np.ma.asarray(f["msl"][:]).astype("f8"))
        if f["lat"][0] < f["lat"][-1]: data = data[:, ::-1]
        index[path.name] = dict(times=[t.strftime("%Y-%m-%dT%H:%M:%SZ") for t in nc.num2date(f["time"][:], units, calendar, only_use_cftime_datetimes=True)],
                                frames=[[None if m else float(x) for x, m in zip(d.data.ravel(), np.ma.getmaskarray(d).ravel())] for d in data])


def put(*cells):
    def change(values):
        for at, value in cells: values.ravel()[at] = value
    return change


packed = dict(scale_factor=0.5, add_offset=1000.0, _FillValue=np.int16(-999))
for fmt in ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA", "NETCDF4"):
    make(f"packed_{fmt.lower()}", fmt, dtype="i2", attributes=packed, change=put((1, -999), (70, -999)))
make("fixed_length", unlimited=False)
make("south_first", lat=LAT[::-1])
make("unwritten_cells", change=put((5, nc.default_fillvals["f4"]), (80, np.nan), (90, np.inf)))
make("unwritten_shorts", dtype="i2", change=put((5, nc.default_fillvals["i2"])))
make("missing_value", attributes=dict(missing_value=np.float32(7)))
make("valid_range", attributes=dict(valid_range=np.array([3, 100], "f4")))
make("valid_minmax", attributes=dict(valid_min=np.float32(3), valid_max=np.float32(100)))
make("unsigned_bytes", dtype="i1", attributes=dict(_Unsigned="true", scale_factor=2.0), change=put((0, -1), (9, -128)))
make("days_since_1800", units="days since 1800-01-01 00:00:0.0", times=(75000, 75000.25, 75000.5))
make("julian_start", units="hours since 1-1-1 00:00:0.0", times=(17566800, 17566806, 17566812))
make("minutes", units="minutes since 2000-02-28T23:00:00Z", times=(0, 60, 120))
for calendar in ("360_day", "noleap"): make(f"calendar_{calendar}", calendar=calendar, good=False)
# One bit of the second map is wrong, which its Fletcher-32 checksum tells; the values of another file lie behind a filter that few readers have.
for name, more in (("damaged_chunk", dict(fletcher32=True)), ("zstd_chunk", dict(compression="zstd"))):
    with nc.Dataset(out / f"{name}.nc", "w") as f:
        for key, values, unit in (("time", np.arange(3.0), "hours since 2005-12-01"), ("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east")):
            f.createDimension(key, len(values)); v = f.createVariable(key, "f8", (key,)); v.units = unit; v[:] = values
        f.createVariable("msl", "f4", ("time", "lat", "lon"), chunksizes=(1, 5, 12), **more)[:] = np.arange(180).reshape(3, 5, 12)
damaged = out / "damaged_chunk.nc"
spoilt = bytearray(damaged.read_bytes())
spoilt[spoilt.index(np.arange(60, 120, dtype="<f4").tobytes()) + 9] ^= 1
damaged.write_bytes(spoilt)
make("months", units="months since 2005-01-01", good=False)
make("longitude_first", order=("time", "lon", "lat"), good=False)
make("gaussian", lat=np.array([60, 25.0, 0, -30, -60]), good=False)
json.dump(index, open(out / "index.json", "w"))
