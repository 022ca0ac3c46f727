import * as z from 'zod';
import { Count, Duration, spanMs } from './common.js';

/** How big maps are cut into several series, one a tile. Rows and columns count cells of the full map. */
export const Tiles = z.strictObject({
  /** Edge of a tile in cells. */
  size: Count,
  /** Cells between tile starts along columns (and along rows unless `rows` is given). */
  stride: Count,
  /** Cells at each edge of a tile that belong to the frame but not to its label area. */
  margin: z.int().min(0).default(0),
  /** Top rows of the tiles; default: 0, stride, 2 stride ... while a whole tile fits. */
  rows: z.array(z.int().min(0)).optional(),
  /** Tiles run over the right edge of a map that spans 360 degrees of longitude. */
  wrap: z.boolean().default(false),
  /** Tiles whose centre lies south of the equator are turned upside down, so that the pole is at the top. */
  flipSouth: z.boolean().default(false),
});

/** Where maps come from and the grid they are brought to. */
export const IngestConfig = z.strictObject({
  /** Folders, globs or files, relative to the config file. */
  sources: z.array(z.string()).min(1),
  /** Pattern of the time in a file name, e.g. `medicane_{YYYY}{MM}{DD}_{hh}{mm}.tif`; default: the usual forms, refused when ambiguous. */
  time: z.string().optional(),
  /** Name of the one series, or a pattern part `{series}` of `time`. */
  series: z.string().optional(),
  /** Band names in dataset order; names what unnamed bands are, chooses and reorders named ones. */
  bands: z.array(z.string()).optional(),
  /** Times without a zone are UTC. */
  assumeUtc: z.boolean().default(false),
  /** Dates of model calendars (noleap, all_leap, 360_day) are the same dates of the standard calendar; without it they are refused. */
  modelDates: z.boolean().default(false),
  /** What numbers on time axes without units count, e.g. `hours since 1940-01-01`. */
  timeUnits: z.string().optional(),
  /** Time of STAC items that cover a span; without it they are refused. */
  stacTime: z.enum(['start', 'end']).optional(),
  /** Size of the dataset's grid over `extent`; default: the cells of the first map. */
  grid: z.strictObject({ width: Count, height: Count }).optional(),
  /** CRS of the dataset's grid: `EPSG:n`, a PROJ text or WKT; maps of any other known CRS are reprojected. Default: that of the first map. */
  crs: z.string().min(1).optional(),
  /** West, south, east and north edge of the dataset's grid, in degrees or units of its CRS; default: those of the first map. */
  extent: z
    .tuple([z.number(), z.number(), z.number(), z.number()])
    .refine(([west, south, east, north]) => west < east && south < north, {
      error: 'expected west < east and south < north',
    })
    .optional(),
  resampling: z.enum(['nearest', 'bilinear', 'area']).default('bilinear'),
  tiles: Tiles.optional(),
  /** Two files for one time. */
  duplicates: z.enum(['error', 'first', 'last']).default('error'),
  onBadFrame: z.enum(['stop', 'skip']).default('stop'),
  /** Reads what symbolic links in a folder point to, also outside of it; a link that is named itself is always read. */
  followLinks: z.boolean().default(false),
  /** Nominal step; default: the median step of the series. */
  step: Duration.refine((step) => !(spanMs(step) <= 0), 'expected a step of more than nothing').optional(),
  /** Maps are pictures without times: `time: none`, sequence length 1. */
  pictures: z.boolean().default(false),
  /** Frames in one shard. */
  shardFrames: Count.default(64),
  /** Of shards: `lz4` makes them smaller and slower to read. */
  compression: z.enum(['none', 'lz4']).default('none'),
});
export type IngestConfig = z.infer<typeof IngestConfig>;
export type Tiles = z.infer<typeof Tiles>;
