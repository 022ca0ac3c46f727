"""NetCDF files of calendars, groups, scalar times and grid mappings, and what cftime, netCDF4 and pyproj make of them: test/golden/cf/.

    pip install netCDF4==1.7.5.1.post1 cftime==1.6.6.1 pyproj==3.7.2 numpy==2.4.6; python scripts/golden/cf.py
"""
import json, pathlib, cftime, netCDF4 as nc, numpy as np, pyproj

out = pathlib.Path(__file__).parents[2] / "test/golden/cf"
out.mkdir(parents=True, exist_ok=True)
calendars, mappings, fields = {}, {}, {}


def axis(f, name, values, units, dtype="f8", **attributes):
    f.createDimension(name, len(values))
    v = f.createVariable(name, dtype, (name,))
    v.set_auto_maskandscale(False)
    v.setncatts(dict(units=units) | attributes)
    v[:] = values


# The same numbers on every calendar; real instants by day number, model dates by name.
for calendar in ("standard", "gregorian", "proleptic_gregorian", "julian", "noleap", "365_day", "all_leap", "366_day", "360_day"):
    for units, values in (("days since 1850-01-01", [0, 58.25, 54786.5]), ("hours since 1582-10-01 06:00", [0, 200, 5000]), ("seconds since 2000-02-28 23:59:30", [0, 31, 86400])):
        name = f"{calendar}_{units.split()[0]}.nc"
        with nc.Dataset(out / name, "w", format="NETCDF3_CLASSIC") as f:
            axis(f, "time", values, units, calendar=calendar)
            axis(f, "lat", [10.0, 0.0], "degrees_north")
            axis(f, "lon", [0.0, 10.0], "degrees_east")
            f.createVariable("v", "f4", ("time", "lat", "lon"))[:] = np.zeros((3, 2, 2))
        dates = cftime.num2date(values, units, calendar, only_use_cftime_datetimes=True)
        if calendar == "julian":
            # Julian day number and time of day are the instant; its name on the proleptic calendar is how instants are written.
            dates = [cftime.datetime.fromordinal(d.toordinal(fractional=True), calendar="proleptic_gregorian") for d in dates]
        if calendar in ("standard", "gregorian"):
            dates = [cftime.datetime.fromordinal(d.toordinal(fractional=True), calendar="proleptic_gregorian") for d in dates]
        calendars[name] = [(d if d.microsecond < 500000 else d + __import__("datetime").timedelta(microseconds=1000000 - d.microsecond)).strftime("%Y-%m-%dT%H:%M:%SZ") for d in dates]

WGS = dict(semi_major_axis=6378137.0, inverse_flattening=298.257223563)
kinds = dict(
    geostationary_x=(dict(grid_mapping_name="geostationary", perspective_point_height=35786023.0, longitude_of_projection_origin=-75.0, sweep_angle_axis="x", semi_major_axis=6378137.0, semi_minor_axis=6356752.31414), 5.6e-3, "rad"),
    geostationary_y=(dict(grid_mapping_name="geostationary", perspective_point_height=35785831.0, longitude_of_projection_origin=9.5, fixed_angle_axis="x", latitude_of_projection_origin=0.0, semi_major_axis=6378169.0, semi_minor_axis=6356583.8), 5.6e-3, "radian"),
    lambert_two=(dict(grid_mapping_name="lambert_conformal_conic", standard_parallel=[30.0, 60.0], latitude_of_projection_origin=45.0, longitude_of_central_meridian=10.0, **WGS), 2e5, "m"),
    lambert_one=(dict(grid_mapping_name="lambert_conformal_conic", standard_parallel=50.0, latitude_of_projection_origin=50.0, longitude_of_central_meridian=-107.0, earth_radius=6371229.0), 200.0, "km"),
    polar=(dict(grid_mapping_name="polar_stereographic", straight_vertical_longitude_from_pole=-45.0, latitude_of_projection_origin=90.0, standard_parallel=70.0, semi_major_axis=6378273.0, semi_minor_axis=6356889.449), 2e5, "m"),
    south=(dict(grid_mapping_name="polar_stereographic", straight_vertical_longitude_from_pole=0.0, latitude_of_projection_origin=-90.0, standard_parallel=-71.0, **WGS), 2e5, "m"),
    equal_area=(dict(grid_mapping_name="lambert_azimuthal_equal_area", latitude_of_projection_origin=52.0, longitude_of_projection_origin=10.0, false_easting=4321000.0, false_northing=3210000.0, **WGS), 1e5, "m"),
    albers=(dict(grid_mapping_name="albers_conical_equal_area", standard_parallel=[29.5, 45.5], latitude_of_projection_origin=23.0, longitude_of_central_meridian=-96.0, **WGS), 1e5, "m"),
    mercator=(dict(grid_mapping_name="mercator", longitude_of_projection_origin=0.0, standard_parallel=20.0, **WGS), 2e5, "m"),
    transverse=(dict(grid_mapping_name="transverse_mercator", latitude_of_projection_origin=0.0, longitude_of_central_meridian=15.0, scale_factor_at_central_meridian=0.9996, false_easting=500000.0, false_northing=0.0, **WGS), 2e4, "m"),
    rotated=(dict(grid_mapping_name="rotated_latitude_longitude", grid_north_pole_latitude=39.25, grid_north_pole_longitude=-162.0, earth_radius=6371229.0), 2.0, "degrees"),
)
for name, (attributes, step, unit) in kinds.items():
    with nc.Dataset(out / f"{name}.nc", "w", format="NETCDF3_CLASSIC") as f:
        # Off the centre, packed as satellite files are where the unit is an angle.
        packed = unit.startswith("rad")
        ticks = np.arange(6)
        for axis_name, values, scale, offset in (("y", ticks, -step, 3.2 * step), ("x", ticks, step, -2.1 * step)):
            if packed: axis(f, axis_name, values.astype("i2"), unit, "i2", scale_factor=scale, add_offset=offset)
            else: axis(f, axis_name, values * scale + offset, unit)
        f.createVariable("projection", "i4", ()).setncatts(attributes)
        v = f.createVariable("v", "f4", ("y", "x"))
        v.grid_mapping = "projection"
        v[:] = np.arange(36).reshape(6, 6)
    crs = pyproj.CRS.from_cf(attributes)
    factor = {"km": 1000.0}.get(unit, attributes.get("perspective_point_height", 1.0) if packed else 1.0)
    # Places are compared on the figure of the Earth of the file, as no datum is known.
    to = pyproj.Transformer.from_crs(crs, crs.geodetic_crs if name != "rotated" else pyproj.CRS("+proj=longlat +R=6371229"), always_xy=True)
    mappings[f"{name}.nc"] = [[r, c, *(float(v) for v in to.transform((c * step - 2.1 * step) * factor, (3.2 * step - r * step) * factor))] for r in (0, 3, 5) for c in (0, 2, 5)]

with nc.Dataset(out / "groups.nc", "w") as f:
    axis(f, "lat", [10.0, 0.0], "degrees_north")
    axis(f, "lon", [0.0, 10.0, 20.0], "degrees_east")
    group = f.createGroup("forecast")
    axis(group, "time", [0.0, 6.0], "hours since 2020-01-01")
    v = group.createVariable("msl", "i2", ("time", "lat", "lon"), zlib=True)
    v.setncatts(dict(units="hPa", scale_factor=0.5, add_offset=1000.0))
    v.set_auto_maskandscale(False)
    v[:] = np.arange(12).reshape(2, 2, 3)
with nc.Dataset(out / "scalar_time.nc", "w") as f:
    axis(f, "y", np.arange(3, dtype="i2"), "rad", "i2", scale_factor=-0.01, add_offset=0.01)
    axis(f, "x", np.arange(3, dtype="i2"), "rad", "i2", scale_factor=0.01, add_offset=-0.01)
    t = f.createVariable("t", "f8", ())
    t.units = "seconds since 2000-01-01 12:00:00"
    t[...] = 700000000.5
    f.createVariable("imager", "i4", ()).setncatts(kinds["geostationary_x"][0])
    v = f.createVariable("CMI", "i2", ("y", "x"), fill_value=-1, zlib=True)
    v.setncatts(dict(scale_factor=0.1, add_offset=173.15, units="K", grid_mapping="imager", coordinates="t y x", _Unsigned="true"))
    v.set_auto_maskandscale(False)
    v[:] = np.array([[0, 1, 2], [-1, -2, 5], [6, 7, 8]], "i2")
for name, variable in (("groups.nc", "forecast/msl"), ("scalar_time.nc", "CMI")):
    with nc.Dataset(out / name) as f:
        fields[name] = dict(band=variable, values=[None if m else round(float(x), 6) for x, m in zip(np.ma.getdata(f[variable][:]).ravel(), np.ma.getmaskarray(f[variable][:]).ravel())])
json.dump(dict(calendars=calendars, mappings=mappings, fields=fields), open(out / "index.json", "w"))
