"""Small Zarr stores of both versions, with every codec that fields come in, and the arrays xarray reads from them: test/golden/zarr/.

    pip install zarr==3.1.6 xarray==2026.9.0 numcodecs==0.16.6 numpy==2.4.6; python scripts/golden/zarr_stores.py
"""
import json, pathlib, shutil, numcodecs, numpy as np, xarray as xr, zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

out = pathlib.Path(__file__).parents[2] / "test/golden/zarr"
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
LAT, LON, TIMES = np.arange(60, -61, -30.0), np.arange(0, 360, 30.0), np.array([0, 6, 12], "i8")
shape = (len(TIMES), len(LAT), len(LON))
values = np.round(np.arange(np.prod(shape)).reshape(shape) * 0.5 - 7, 2)
ATTRIBUTES = dict(units="hPa")


def coordinates(group, version):
    for name, data, units in (("time", TIMES, "hours since 2005-12-01"), ("lat", LAT, "degrees_north"), ("lon", LON, "degrees_east")):
        add(group, version, name, data, [name], dict(units=units), chunks=data.shape)


def add(group, version, name, data, dims, attributes=ATTRIBUTES, **how):
    if version == 2: attributes = attributes | dict(_ARRAY_DIMENSIONS=dims)
    else: how["dimension_names"] = dims
    how.setdefault("fill_value", None if version == 2 else 0)
    array = group.create_array(name, shape=data.shape, dtype=how.pop("dtype", data.dtype), **how)
    array[:] = data
    array.attrs.update(attributes)
    return array


DIMS = ["time", "lat", "lon"]
f4 = values.astype("f4")
two = zarr.open_group(out / "two.zarr", mode="w", zarr_format=2)
coordinates(two, 2)
for name, compressor in dict(none=None, zlib=numcodecs.Zlib(), gzip=numcodecs.GZip(), zstd=numcodecs.Zstd(), lz4=numcodecs.LZ4(), blosc=numcodecs.Blosc("zstd", shuffle=2)).items():
    add(two, 2, name, f4, DIMS, chunks=(2, 5, 7), compressors=compressor)
add(two, 2, "bigend", values.astype(">i2"), DIMS, chunks=(1, 5, 12), fill_value=-1, dtype=">i2")
add(two, 2, "fortran", f4, DIMS, chunks=(3, 2, 12), order="F")
add(two, 2, "nested", values, DIMS, chunks=(1, 5, 6), chunk_key_encoding=dict(name="v2", separator="/"))
add(two, 2, "packed", np.arange(np.prod(shape)).reshape(shape).astype("i2"), DIMS, dict(units="hPa", scale_factor=0.5, add_offset=1000.0), chunks=(3, 5, 12), fill_value=7)
holes = add(two, 2, "holes", f4, DIMS, chunks=(1, 5, 12), fill_value=np.nan)
shutil.rmtree(out / "two.zarr/holes/1.0.0", ignore_errors=True)
(out / "two.zarr/holes/1.0.0").unlink(missing_ok=True)
zarr.consolidate_metadata(out / "two.zarr")

three = zarr.open_group(out / "three.zarr", mode="w", zarr_format=3)
coordinates(three, 3)
for name, compressors in dict(none=[], gzip=[GzipCodec()], zstd=[ZstdCodec()], blosc=[BloscCodec(cname="lz4")], checked=[ZstdCodec(), Crc32cCodec()]).items():
    add(three, 3, name, f4, DIMS, chunks=(2, 5, 7), compressors=compressors)
add(three, 3, "bigend", values.astype("i2"), DIMS, chunks=(1, 5, 12), serializer=BytesCodec(endian="big"))
add(three, 3, "turned", f4, DIMS, chunks=(3, 2, 12), filters=[TransposeCodec(order=(2, 0, 1))])
add(three, 3, "sharded", f4, DIMS, chunks=(1, 3, 6), shards=(3, 6, 12), compressors=[ZstdCodec()])
add(three, 3, "keyed", values, DIMS, chunks=(1, 5, 6), chunk_key_encoding=dict(name="v2", separator="."))

# As xarray itself writes them, packed and with missing values.
field = np.where(values > 70, np.nan, values)
for version, name in ((2, "xarray_two"), (3, "xarray_three")):
    ds = xr.Dataset(dict(msl=(DIMS, field, ATTRIBUTES), t2m=(DIMS, field.astype("f4"), dict(units="K"))), dict(time=np.datetime64("2005-12-01", "ns") + TIMES * np.timedelta64(1, "h"), lat=("lat", LAT, dict(units="degrees_north")), lon=("lon", LON, dict(units="degrees_east"))))
    ds.to_zarr(out / f"{name}.zarr", mode="w", zarr_format=version, consolidated=version == 2, encoding=dict(msl=dict(dtype="i2", scale_factor=0.5, add_offset=10.0, _FillValue=-32767)))

index = {}
for store in sorted(out.glob("*.zarr")):
    with xr.open_zarr(store, consolidated=None) as ds:
        index[store.name] = dict(times=[str(t)[:19] + "Z" for t in ds["time"].values], bands={name: [None if np.isnan(v) else round(float(v), 6) for v in ds[name].values.ravel()] for name in sorted(ds.data_vars)})
json.dump(index, open(out / "index.json", "w"))
