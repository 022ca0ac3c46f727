"""Small GeoTIFF files of every variant and the arrays rasterio reads from them: test/golden/raster/.

    pip install rasterio==1.4.3 numpy==2.2.6; python scripts/golden/raster.py
"""
import json, pathlib, numpy as np, rasterio
from rasterio.transform import from_origin

out = pathlib.Path(__file__).parents[2] / "test/golden/raster"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(7)
H, W, B = 37, 45, 2
smooth = np.add.outer(np.arange(H), np.arange(W))[None] * np.array([1, 3])[:, None, None]
index = {}
for dtype in ("uint8", "int16", "uint16", "float32"):
    noise = rng.integers(0, 9, (B, H, W))
    values = ((smooth + noise) % 250).astype(dtype) if dtype == "uint8" else (smooth * 40 + noise - (900 if dtype != "uint16" else 0)).astype(dtype)
    if dtype == "float32": values = values / 7
    for compress in ("none", "lzw", "deflate", "zstd"):
        for layout in ("strip", "tile"):
            predictors = [1] if compress == "none" else ([1, 3] if dtype == "float32" else [1, 2])
            for predictor in predictors:
                for interleave in ("pixel", "band"):
                    if interleave == "band" and (compress, layout) not in (("none", "strip"), ("deflate", "tile")): continue
                    name = f"{dtype}_{compress}_{layout}_p{predictor}_{interleave}.tif"
                    options = dict(tiled=True, blockxsize=16, blockysize=32) if layout == "tile" else dict(blockysize=8)
                    if compress != "none": options.update(compress=compress, predictor=predictor)
                    with rasterio.open(out / name, "w", driver="GTiff", width=W, height=H, count=B, dtype=dtype, crs="EPSG:4326",
                                       transform=from_origin(-6, 46, .5, .25), interleave=interleave, **options) as f:
                        f.write(values.astype(dtype))
                    with rasterio.open(out / name) as f:
                        data = f.read().astype("float64")
                        flat = data.transpose(1, 2, 0).ravel()
                        index[name] = dict(sum=[float(b.sum()) for b in data], weighted=float((flat * (np.arange(flat.size) % 97)).sum()),
                                           first=[float(v) for v in flat[:4]], last=[float(v) for v in flat[-4:]])
# Big-endian and BigTIFF, nodata, scale and offset, band names, pixel-is-point.
values = (smooth * 11 - 300).astype("int16")
values[:, 3, 4] = -32768
with rasterio.open(out / "described.tif", "w", driver="GTiff", width=W, height=H, count=B, dtype="int16", crs="EPSG:32633",
                   transform=from_origin(500000, 4600000, 1000, 1000), nodata=-32768, BIGTIFF="YES", ENDIANNESS="BIG") as f:
    f.write(values); f.scales = (.5, 2.0); f.offsets = (100.0, -1.0); f.descriptions = ("msl", "t2m"); f.units = ("hPa", "K")
    f.update_tags(TIME="2017-08-31T06:00:00Z")
with rasterio.Env(GTIFF_POINT_GEO_IGNORE=False), rasterio.open(out / "point.tif", "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8",
                   crs="EPSG:4326", transform=from_origin(10, 50, 2, 1)) as f:
    f.update_tags(AREA_OR_POINT="Point"); f.write(np.arange(12, dtype="uint8").reshape(1, 3, 4))
json.dump(index, open(out / "index.json", "w"), indent=0)
