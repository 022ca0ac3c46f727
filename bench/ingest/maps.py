"""The maps of bench/ingest: a folder for each variant of GeoTIFF. `python maps.py FOLDER FILES`."""
import datetime, pathlib, sys, numpy as np, rasterio
from rasterio.transform import from_origin

folder, files = pathlib.Path(sys.argv[1]), int(sys.argv[2])
TILED = dict(tiled=True, blockxsize=256, blockysize=256)
PICTURE = dict(dtype="uint8", count=3, size=600)  # what an imager's quick-looks are
FIELD = dict(dtype="float32", count=1, size=500)  # what a reanalysis field is
VARIANTS = {
    "u8_none_strips": (PICTURE, dict()),
    "u8_none_tiled": (PICTURE, dict(**TILED)),
    "u8_deflate_p2_strips": (PICTURE, dict(compress="deflate", predictor=2)),
    "u8_deflate_p2_tiled": (PICTURE, dict(compress="deflate", predictor=2, **TILED)),
    "u8_lzw_p2_tiled": (PICTURE, dict(compress="lzw", predictor=2, **TILED)),
    "u8_zstd_p2_tiled": (PICTURE, dict(compress="zstd", predictor=2, **TILED)),
    "u8_jpeg_tiled": (PICTURE, dict(compress="jpeg", photometric="ycbcr", **TILED)),
    "f32_none_strips": (FIELD, dict()),
    "f32_deflate_p1_tiled": (FIELD, dict(compress="deflate", predictor=1, **TILED)),
    "f32_deflate_p3_tiled": (FIELD, dict(compress="deflate", predictor=3, **TILED)),
    "f32_lzw_p3_tiled": (FIELD, dict(compress="lzw", predictor=3, **TILED)),
    "f32_zstd_p3_tiled": (FIELD, dict(compress="zstd", predictor=3, **TILED)),
    "f32_lerc_tiled": (FIELD, dict(compress="lerc", max_z_error=0.01, **TILED)),
}


def field(rng, size, count):
    """Smooth weather with some instrument noise: compresses to about a half, as real maps do."""
    y, x = np.mgrid[0:size, 0:size] / size
    out = np.empty((count, size, size), "float32")
    for band in range(count):
        waves = sum(
            rng.normal() / (k + 1) * np.sin(2 * np.pi * ((k + 1) * (x * rng.normal() + y * rng.normal()) + rng.uniform()))
            for k in range(6)
        )
        out[band] = 250 + 20 * waves + rng.normal(0, 0.6, (size, size))
    return out


for name, (kind, options) in VARIANTS.items():
    (folder / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    size, count = kind["size"], kind["count"]
    # Twelve weathers, used in turn with a shift: no two files are equal, and a thousand do not take an hour.
    weathers = [field(rng, size, count) for _ in range(12)]
    for i in range(files):
        values = np.roll(weathers[i % 12], i * 7, axis=2)
        if kind["dtype"] == "uint8":
            values = np.clip((values - 190) * 2, 0, 255)
        with rasterio.open(
            folder / name / f"map_{datetime.date(2000, 1, 1) + datetime.timedelta(i):%Y%m%d}.tif", "w", driver="GTiff",
            width=size, height=size, count=count, dtype=kind["dtype"], crs="EPSG:4326", interleave="pixel",
            transform=from_origin(-10, 60, 30 / size, 30 / size), **options,
        ) as file:
            file.write(values.astype(kind["dtype"]))
