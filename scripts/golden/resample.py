"""A map brought to other grids by rasterio (GDAL's warper): test/golden/resample.json.

    pip install rasterio==1.4.4 numpy==2.4.6; python scripts/golden/resample.py
"""
import json, pathlib, numpy as np
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject

H, W = 12, 16
rng = np.random.default_rng(3)
plain = np.round(rng.normal(size=(H, W)) * 100, 3)
holes = plain.copy()
holes[3:6, 4:7] = np.nan
holes[0, 0] = np.nan
source = Affine(0.5, 0, 10, 0, -0.5, 45)
# width, height, transform: finer, coarser, shifted by part of a cell, reaching over the edge, rows from the south
targets = dict(
    finer=(32, 24, Affine(0.25, 0, 10, 0, -0.25, 45)),
    uneven=(23, 17, Affine(8 / 23, 0, 10, 0, -6 / 17, 45)),
    coarser=(5, 4, Affine(8 / 5, 0, 10, 0, -6 / 4, 45)),
    shifted=(14, 10, Affine(0.5, 0, 10.3, 0, -0.5, 44.6)),
    over=(12, 8, Affine(1, 0, 7, 0, -1, 46)),
    south_first=(16, 12, Affine(0.5, 0, 10, 0, 0.5, 39)),
)
methods = dict(nearest=Resampling.nearest, bilinear=Resampling.bilinear, area=Resampling.average)
cases = []
for name, (w, h, transform) in targets.items():
    for method, code in methods.items():
        # GDAL widens the bilinear kernel where the target is coarser; ours is always the four cells around, as in xarray.
        if method == "bilinear" and name in ("coarser", "over"): continue
        for kind, values in (("plain", plain), ("holes", holes)):
            out = np.full((h, w), np.nan)
            reproject(values, out, src_transform=source, dst_transform=transform, src_crs="EPSG:4326", dst_crs="EPSG:4326",
                      src_nodata=np.nan, dst_nodata=np.nan, resampling=code, tolerance=0)
            cases.append(dict(name=name, method=method, kind=kind, width=w, height=h, transform=list(transform.to_gdal()),
                              values=[None if np.isnan(v) else round(float(v), 6) for v in out.ravel()]))
out = pathlib.Path(__file__).parents[2] / "test/golden/resample.json"
tolist = lambda a: [None if np.isnan(v) else float(v) for v in a.ravel()]
json.dump(dict(width=W, height=H, transform=list(source.to_gdal()), plain=tolist(plain), holes=tolist(holes), cases=cases), open(out, "w"))
