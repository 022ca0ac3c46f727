import * as z from 'zod';

export const Dtype = z.enum(['u8', 'i16', 'u16', 'f32']);
export type Dtype = z.infer<typeof Dtype>;

/** Affine map from (column, row) of a cell corner to (x, y), GDAL order: x = t0 + t1 c + t2 r, y = t3 + t4 c + t5 r. */
export const Transform = z.tuple([z.number(), z.number(), z.number(), z.number(), z.number(), z.number()]);
export type Transform = z.infer<typeof Transform>;

export const Grid = z.strictObject({
  width: z.int().min(1),
  height: z.int().min(1),
  /** Null where the maps have no fixed place. */
  transform: Transform.nullable(),
  /** `EPSG:n`, another name, or `none`. */
  crs: z.string(),
});
export type Grid = z.infer<typeof Grid>;

export const Band = z.strictObject({
  name: z.string(),
  unit: z.string().nullable(),
  /** Physical value = stored value * scale + offset. */
  scale: z.number(),
  offset: z.number(),
});
export type Band = z.infer<typeof Band>;

/** West, south, east, north in degrees (or CRS units); east may exceed 180 where a tile crosses the date line. */
export const Footprint = z.tuple([z.number(), z.number(), z.number(), z.number()]);
export type Footprint = z.infer<typeof Footprint>;

export const Series = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/),
  /** A tile's own transform; null: the dataset's grid. */
  transform: Transform.nullable(),
  footprint: Footprint.nullable(),
  /** The part of the source grid that is this series; null: all of it. `column` may run past the width when the map wraps. */
  tile: z
    .strictObject({
      row: z.int(),
      column: z.int(),
      height: z.int(),
      width: z.int(),
      margin: z.int(),
      flip: z.boolean(),
    })
    .nullable(),
});
export type Series = z.infer<typeof Series>;

/** dataset.json: all that decoding needs besides the plan, so that a shard is a pure function of slot and sources. */
export const DatasetDescription = z.strictObject({
  formatVersion: z.literal(1),
  encoderVersion: z.literal(1),
  /** The grid of one frame (of a tile where there are tiles; its transform is then null and each series has its own). */
  grid: Grid,
  /** The grid that sources are resampled to before tiles are cut; equals `grid` without tiles. */
  sourceGrid: Grid,
  bands: z.array(Band).min(1),
  /** Type of the stored values. */
  dtype: Dtype,
  /** Of the record batches; absent: none. */
  compression: z.literal('lz4').optional(),
  resampling: z.enum(['nearest', 'bilinear', 'area']),
  /** Nominal step, milliseconds; null for pictures without times. */
  stepMs: z.number().positive().nullable(),
  /** `none` for pictures without times: `time` is then the position in name order and nothing is ever joined by it. */
  time: z.enum(['utc', 'none']),
  series: z.array(Series).min(1),
});
export type DatasetDescription = z.infer<typeof DatasetDescription>;

/** One file that gives some bands of one frame. */
export const FrameSource = z.strictObject({
  path: z.string(),
  size: z.int().min(0),
  mtimeMs: z.number(),
  etag: z.string().optional(),
  /** Position on the file's own time axis; 0 for a file of one map. */
  index: z.int().min(0).default(0),
  /** From the file's band (0-based, or a NetCDF variable) to the dataset's band (0-based). */
  bands: z.array(z.strictObject({ from: z.union([z.int().min(0), z.string()]), to: z.int().min(0) })).min(1),
});
export type FrameSource = z.infer<typeof FrameSource>;

export const PlannedFrame = z.strictObject({
  /** Milliseconds since 1970, UTC. */
  time: z.number(),
  sources: z.array(FrameSource).min(1),
});
export type PlannedFrame = z.infer<typeof PlannedFrame>;

/** One line of plan/0001.jsonl: the place of one shard. */
export const Slot = z.strictObject({
  slot: z.string(),
  series: z.string(),
  frames: z.array(PlannedFrame).min(1),
  /** Slots that this one takes the place of: their sources changed, or they were put together. */
  supersedes: z.array(z.string()).optional(),
});
export type Slot = z.infer<typeof Slot>;

export const FrameStatus = z.enum(['ok', 'bad']);
export type FrameStatus = z.infer<typeof FrameStatus>;

/** commits/<slot>.json, written once. */
export const Commit = z.strictObject({
  slot: z.string(),
  series: z.string(),
  /** Relative to the dataset folder. */
  shard: z.string(),
  sha256: z.string(),
  rows: z.int().min(0),
  frames: z.array(
    z.strictObject({
      time: z.number(),
      status: FrameStatus,
      /** Tag and text of what is wrong with a bad frame. */
      reason: z.string().nullable(),
      /** sha256 of the source files' bytes, in source order. */
      sources: z.array(z.string()),
      /** sha256 of the frame's decoded values and mask; null for a bad frame. */
      content: z.string().nullable(),
    }),
  ),
  attempt: z.int().min(1),
});
export type Commit = z.infer<typeof Commit>;
