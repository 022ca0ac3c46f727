"""Maps brought from one CRS to another by rasterio (GDAL's warper), points by pyproj, and GeoTIFFs that spell a CRS out: test/golden/crs/.

    pip install rasterio==1.4.4 pyproj==3.7.2 numpy==2.4.6; python scripts/golden/reproject.py
"""
import json, pathlib, numpy as np, pyproj, rasterio
from rasterio.crs import CRS
from rasterio.transform import Affine, from_bounds
from rasterio.warp import Resampling, reproject

out = pathlib.Path(__file__).parents[2] / "test/golden/crs"
out.mkdir(parents=True, exist_ok=True)
SEVIRI = "+proj=geos +h=35785831 +lon_0=0 +sweep=y +a=6378169 +b=6356583.8 +units=m +no_defs"
GOES = "+proj=geos +h=35786023 +lon_0=-75 +sweep=x +ellps=GRS80 +units=m +no_defs"
LCC = "+proj=lcc +lat_1=30 +lat_2=60 +lat_0=45 +lon_0=10 +datum=WGS84 +units=m +no_defs"
NSIDC = "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45 +a=6378273 +b=6356889.449 +units=m +no_defs"
LAEA = "+proj=laea +lat_0=20 +lon_0=5 +R=6371229 +units=m +no_defs"
UTM_KM = "+proj=utm +zone=33 +datum=WGS84 +units=km +no_defs"
ROTATED = "+proj=ob_tran +o_proj=longlat +o_lat_p=39.25 +o_lon_p=0 +lon_0=18 +R=6371229 +no_defs"
DISC = 5568748.275756353  # edge of SEVIRI's picture, metres

# name: source CRS, bounds, size; target CRS, bounds, size
warps = dict(
    utm=("EPSG:32633", (3e5, 4.6e6, 7e5, 5e6), (12, 12), "EPSG:4326", (12.6, 41.7, 17.3, 45.0), (16, 16)),
    mercator=("EPSG:3857", (0, 4e6, 4e6, 8e6), (20, 20), "EPSG:4326", (-2, 30, 38, 60), (16, 12)),
    to_mercator=("EPSG:4326", (-10, 30, 40, 60), (25, 15), "EPSG:3857", (0, 4e6, 4e6, 8e6), (16, 12)),
    laea=("EPSG:3035", (2.5e6, 1.4e6, 7.4e6, 5.5e6), (20, 20), "EPSG:4326", (-10, 35, 30, 60), (16, 12)),
    to_arctic=("EPSG:4326", (-180, 30, 180, 90), (36, 12), "EPSG:3413", (-3e6, -3e6, 3e6, 3e6), (20, 20)),
    arctic=("EPSG:3413", (-3e6, -3e6, 3e6, 3e6), (24, 24), "EPSG:4326", (-180, 60, 180, 90), (24, 8)),
    antarctic=("EPSG:3031", (-3e6, -3e6, 3e6, 3e6), (24, 24), "EPSG:4326", (-180, -90, 180, -60), (24, 8)),
    seviri=(SEVIRI, (-DISC, -DISC, DISC, DISC), (40, 40), "EPSG:4326", (-90, -80, 90, 80), (18, 16)),
    to_seviri=("EPSG:4326", (-180, -90, 180, 90), (72, 36), SEVIRI, (-DISC, -DISC, DISC, DISC), (16, 16)),
    goes=(GOES, (-5.4e6, -5.4e6, 5.4e6, 5.4e6), (40, 40), "EPSG:4326", (-160, -80, 10, 80), (17, 16)),
    lcc=(LCC, (-2e6, -1.5e6, 2e6, 1.5e6), (24, 18), "EPSG:3035", (3e6, 2e6, 6e6, 4e6), (15, 10)),
    sphere=(LAEA, (-3e6, -3e6, 3e6, 3e6), (24, 24), "EPSG:4326", (-20, 0, 30, 40), (20, 16)),
    # 0 to 360 degrees against -180 to 180
    pacific=("EPSG:4326", (0, -60, 360, 60), (36, 12), "EPSG:3857", (-2e7, -5e6, -1e7, 5e6), (12, 12)),
)
cases = []
for name, (scrs, sb, (sw, sh), tcrs, tb, (tw, th)) in warps.items():
    r, c = np.mgrid[0:sh, 0:sw]
    # Smooth, and without a seam where a map goes round the Earth.
    values = np.round(100 * np.sin(2 * np.pi * c / sw) * np.cos(r / 4) + 2 * r, 3)
    case = dict(name=name, source=dict(crs=scrs, bounds=sb, width=sw, height=sh), target=dict(crs=tcrs, bounds=tb, width=tw, height=th), values=values.ravel().tolist())
    for method in ("nearest", "bilinear"):
        got = np.full((th, tw), np.nan)
        # The warper itself is off by up to 0.125 source cells; XSCALE 1 keeps its bilinear kernel at the four cells around.
        reproject(values, got, src_transform=from_bounds(*sb, sw, sh), dst_transform=from_bounds(*tb, tw, th), src_crs=CRS.from_string(scrs),
                  dst_crs=CRS.from_string(tcrs), src_nodata=np.nan, dst_nodata=np.nan, resampling=Resampling[method], XSCALE=1, YSCALE=1)
        case[method] = [None if np.isnan(v) else round(float(v), 3) for v in got.ravel()]
    cases.append(case)
json.dump(cases, open(out / "warps.json", "w"))

# Where places lie in each CRS: over its area of use, or the whole Earth; null where pyproj has no place.
points = {}
for crs in ("EPSG:32633", "EPSG:32719", "EPSG:3857", "EPSG:3035", "EPSG:3413", "EPSG:3031", "EPSG:3995", "EPSG:6933", "EPSG:2154", "EPSG:6931", "EPSG:6932",
            "EPSG:3395", "EPSG:3978", "EPSG:3979", "EPSG:3576", "EPSG:5070", "EPSG:3577", "EPSG:4326", "EPSG:7844", SEVIRI, GOES, LCC, NSIDC, LAEA, UTM_KM, ROTATED):
    to = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
    area = pyproj.CRS(crs).area_of_use
    west, south, east, north = (area.west, area.south, area.east, area.north) if area else (-180, -88, 179, 88)
    if west > east: east += 360
    found = []
    for lon in np.round(np.linspace(west + 0.1, east - 0.1, 7), 3):
        for lat in np.round(np.linspace(south + 0.1, north - 0.1, 6), 3):
            lon = lon - 360 if lon > 180 else lon
            x, y = to.transform(lon, lat)
            found.append([float(lon), float(lat)] + ([round(x, 6), round(y, 6)] if np.isfinite(x) else [None, None]))
    points[crs] = found
json.dump(points, open(out / "points.json", "w"))

for name, crs in dict(seviri=SEVIRI, goes=GOES, lcc=LCC, nsidc=NSIDC, laea=LAEA, utm_km=UTM_KM, epsg=("EPSG:3413")).items():
    with rasterio.open(out / f"{name}.tif", "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", crs=CRS.from_string(crs), transform=Affine(1000, 0, 0, 0, -1000, 0)) as f:
        f.write(np.arange(16, dtype="uint8").reshape(1, 4, 4))
json.dump(dict(seviri=SEVIRI, goes=GOES, lcc=LCC, nsidc=NSIDC, laea=LAEA, utm_km=UTM_KM, epsg="EPSG:3413"), open(out / "files.json", "w"))
