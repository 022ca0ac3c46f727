"""GeoTIFF files of the rarer variants, and hashes of what rasterio reads from them: test/golden/raster/variants/.

    pip install rasterio==1.4.3 numpy==2.2.6; python scripts/golden/raster_variants.py
"""
import hashlib, json, pathlib, numpy as np, rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

out = pathlib.Path(__file__).parents[2] / "test/golden/raster/variants"
out.mkdir(parents=True, exist_ok=True)
rng = np.random.default_rng(7)
H, W = 37, 45
TILE = dict(tiled=True, blockxsize=16, blockysize=32)
smooth = np.add.outer(np.arange(H), 2 * np.arange(W))[None] * np.array([1, 2, 1, 1])[:, None, None]
hole = np.zeros((H, W), bool)
hole[5:20, 9:30] = True
index = {}


def values(dtype, count):
    numbers = smooth[:count] + rng.integers(0, 9, (count, H, W))
    if dtype == "uint8": return (numbers % 250).astype(dtype)
    if dtype == "int8": return (numbers % 250 - 120).astype(dtype)
    return (numbers * 37 / 7 if dtype.startswith("float") else numbers * 37 - (900 if dtype.startswith("int") else 0)).astype(dtype)


def sha(array, dtype): return hashlib.sha256(np.ascontiguousarray(array).astype(dtype).tobytes()).hexdigest()


def put(name, data, mask=None, alpha=False, env={}, keep=False, **options):
    """`mask`: an internal one; `alpha`: the last band is opacity. Hashes are of float64 numbers, 0 where invalid."""
    path = out / f"{name}.tif"
    with rasterio.Env(**env), rasterio.open(path, "w", driver="GTiff", width=W, height=H, count=len(data), dtype=data.dtype,
                       crs="EPSG:4326", transform=from_origin(-6, 46, .5, .25), **options) as f:
        if alpha: f.colorinterp = [*f.colorinterp[:-1], ColorInterp.alpha]
        if options.get("SPARSE_OK"): f.write(data[:, :32, :16], window=((0, 32), (0, 16)))
        else: f.write(data)
        if mask is not None: f.write_mask(mask)
    with rasterio.open(path) as f:
        read = f.read()
        bands = read[:-1] if alpha else read
        valid = (f.dataset_mask() > 0) & np.isfinite(bands.astype("float64")).all(axis=0)
        seen = np.where(valid, bands, 0).astype("float64")
        index[name] = dict(bands=[sha(b, "<f8") for b in seen], valid=sha(valid, "u1"), invalid=int((~valid).sum()))
        # A lossy picture is decoded by another library: its numbers are kept, to be met within a step or two.
        if keep: index[name]["numbers"] = [b.astype("u1").tobytes().hex() for b in seen]


holes = values("float32", 1)
holes[0][hole] = np.nan
for outer in ("lerc", "lerc_deflate", "lerc_zstd"): put(f"{outer}_float32", values("float32", 1), compress=outer, **TILE)
put("lerc_float32_holes", holes, compress="lerc", **TILE)
put("lerc_float32_bands", values("float32", 2), compress="lerc", interleave="pixel", **TILE)
put("lerc_int16_lossy", values("int16", 2), compress="lerc", max_z_error=4, interleave="pixel")
put("lerc_uint8_separate", values("uint8", 3), compress="lerc_zstd", interleave="band", **TILE)
opaque = values("uint8", 4)
opaque[3] = np.where(hole, 0, 255)
put("lerc_uint8_alpha", opaque, alpha=True, compress="lerc", photometric="rgb", interleave="pixel", **TILE)
for model in ("ycbcr", "rgb"): put(f"jpeg_{model}", values("uint8", 3), keep=True, compress="jpeg", photometric=model, interleave="pixel", **{**TILE, "blockxsize": 32})
put("jpeg_grey_strips", values("uint8", 1), keep=True, compress="jpeg", blockysize=8)
put("jpeg_separate", values("uint8", 2), keep=True, compress="jpeg", interleave="band", **TILE)
put("webp_lossless", values("uint8", 3), compress="webp", WEBP_LOSSLESS="YES", interleave="pixel", **TILE)
put("webp_alpha", opaque, alpha=True, compress="webp", WEBP_LOSSLESS="YES", photometric="rgb", interleave="pixel", **TILE)
put("packbits", np.where(hole, 7, values("uint8", 2)).astype("uint8"), compress="packbits", interleave="pixel")
put("mask_bits", values("int16", 2), mask=~hole, compress="deflate", env=dict(GDAL_TIFF_INTERNAL_MASK=True), **TILE)
put("mask_jpeg", values("uint8", 3), keep=True, mask=~hole, compress="jpeg", photometric="ycbcr", interleave="pixel", env=dict(GDAL_TIFF_INTERNAL_MASK=True), **TILE)
put("alpha_rgba", opaque, alpha=True, compress="lzw", predictor=2, photometric="rgb", interleave="pixel")
put("alpha_grey", opaque[[0, 3]].astype("uint16"), alpha=True, ALPHA="PREMULTIPLIED", interleave="band")
put("sparse_nodata", values("int16", 2), nodata=-999, SPARSE_OK=True, **TILE)
put("sparse", values("float32", 1), compress="deflate", predictor=3, SPARSE_OK=True, **TILE)
put("bigtiff", values("int16", 2), BIGTIFF="YES", compress="zstd", predictor=2, interleave="band", **TILE)
put("big_endian_int16", values("int16", 2), ENDIANNESS="BIG", compress="lzw", predictor=2, interleave="pixel")
put("big_endian_int32", values("int32", 3), ENDIANNESS="BIG", compress="deflate", predictor=2, interleave="pixel", **TILE)
put("big_endian_float32_p2", values("float32", 1), ENDIANNESS="BIG", compress="deflate", predictor=2)
put("big_endian_float32_p3", values("float32", 3), ENDIANNESS="BIG", compress="zstd", predictor=3, interleave="pixel", **TILE)
put("big_endian_lerc", values("float32", 1), ENDIANNESS="BIG", compress="lerc")
put("float32_p2", values("float32", 2), compress="deflate", predictor=2, interleave="pixel", **TILE)
put("float64_lzw", values("float64", 2), compress="lzw", interleave="pixel")
put("float64_p3", values("float64", 2), compress="zstd", predictor=3, interleave="pixel", **TILE)
put("uint32_p2", values("uint32", 1), compress="deflate", predictor=2)
put("uint8_p2_five", np.concatenate([values("uint8", 4), values("uint8", 1)]), compress="lzw", predictor=2, photometric="minisblack", interleave="pixel", **TILE)
put("int8", values("int8", 2), compress="deflate", predictor=2, interleave="pixel")
for bits in (1, 2, 4): put(f"bits_{bits}", (values("uint8", 2) % 2**bits).astype("uint8"), NBITS=bits, interleave="pixel", compress="deflate")
put("nodata_nan", holes, nodata=np.nan, compress="deflate", predictor=3)
put("nodata_float", np.where(hole, np.float32(-3.4e38), values("float32", 1)).astype("float32"), nodata=-3.4e38)
# A fourth band that the writer takes for opacity, as GDAL does with four bands of bytes, but that has a name.
with rasterio.open(out / "alpha_named.tif", "w", driver="GTiff", width=W, height=H, count=4, dtype="uint8", compress="deflate",
                   photometric="rgb", interleave="pixel") as f:
    f.write(opaque); f.descriptions = ("vis", "ir", "wv", "swir")
json.dump(index, open(out / "index.json", "w"), indent=0)
