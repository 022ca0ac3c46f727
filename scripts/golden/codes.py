"""A point of every projected CRS of EPSG, by pyproj: lon, lat (WGS 84), x, y.

    pip install pyproj==3.7.2 numpy && python scripts/golden/codes.py

Off the middle of the area of use, where no axis is 0 and no two are alike.
"""

import json
import pathlib
import warnings

import pyproj
from pyproj.database import query_crs_info
from pyproj.enums import PJType

warnings.simplefilter("ignore")
points = {}
for info in query_crs_info("EPSG", [PJType.PROJECTED_CRS]):
    area = info.area_of_use
    if area is None:
        continue
    west, south, east, north = area.west, area.south, area.east, area.north
    if east < west:
        east += 360
    lon = round((west + (east - west) * 0.3 + 180) % 360 - 180, 3)
    lat = round(south + (north - south) * 0.7, 3)
    try:
        x, y = pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{info.code}", always_xy=True).transform(lon, lat)
    except pyproj.exceptions.ProjError:
        continue
    if max(abs(x), abs(y)) < 1e10:
        points[info.code] = [lon, lat, round(x), round(y)]
out = pathlib.Path(__file__).parents[2] / "test/golden/crs/codes.json"
rows = ",\n".join(f'"{code}":{json.dumps(point, separators=(",", ":"))}' for code, point in points.items())
out.write_text("{\n" + rows + "\n}\n")
print(len(points), out.stat().st_size)
