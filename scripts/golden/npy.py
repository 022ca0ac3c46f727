"""NumPy arrays of every kind and their values: test/golden/npy/.

    pip install numpy==2.4.6; python scripts/golden/npy.py
"""
import json, pathlib, numpy as np

out = pathlib.Path(__file__).parents[2] / "test/golden/npy"
out.mkdir(parents=True, exist_ok=True)
index = {}
base = np.arange(3 * 4 * 5 * 2).reshape(3, 4, 5, 2)
TIMES = ["2020-01-01T00:00:00Z", "2020-01-01T06:00:00Z", "2020-01-01T12:00:00Z"]


def put(name, array, sidecar, frames):
    np.save(out / f"{name}.npy", array)
    if sidecar: (out / f"{name}.json").write_text(json.dumps(sidecar))
    index[name] = [[float(v) for v in np.asarray(frame, "f8").ravel()] for frame in frames]


for dtype in ("|u1", "|i1", "<u2", ">u2", "<i2", ">i2", "<i4", ">u4", "<i8", ">f4", "<f4", "<f8", ">f8"):
    map_ = (base[0, :, :, 0] - (0 if "u" in dtype else 9)).astype(dtype)
    put(f"map_{dtype.replace('<', 'little_').replace('>', 'big_').replace('|', '')}", map_, None, [map_])
put("bool", base[0, :, :, 0] % 3 == 0, None, [base[0, :, :, 0] % 3 == 0])
put("fortran", np.asfortranarray(base[0, :, :, 0].astype("<i2")), None, [base[0, :, :, 0]])
put("stack", base[..., 0].astype("<f4"), dict(times=TIMES), base[..., 0])
put("fortran_stack", np.asfortranarray(base[..., 0].astype("<f4")), dict(times=TIMES), base[..., 0])
put("bands", base.astype("<u2"), dict(times=TIMES, bands=[dict(name="ir", unit="K", scale=0.5), "wv"], crs="EPSG:4326", transform=[10, 1, 0, 50, 0, -1]), base[..., 0])
put("bands_first", np.moveaxis(base[0], 2, 0).astype("<u2").copy(), dict(dimensions=["band", "y", "x"], time=TIMES[0]), [base[0, ..., 0]])
np.lib.format.write_array(open(out / "version_2.npy", "wb"), base[0, :, :, 0].astype("<i2"), version=(2, 0))
index["version_2"] = [base[0, :, :, 0].astype("f8").ravel().tolist()]
json.dump(index, open(out / "index.json", "w"))
np.save(out / "objects.npy", np.array([[None, {}], [1, 2]], dtype=object), allow_pickle=True)
np.save(out / "records.npy", np.zeros((2, 2), dtype=[("a", "i4"), ("b", "f4")]))
np.save(out / "complex.npy", np.zeros((2, 2), "c8"))
