import * as z from 'zod';
import { AttentionConfig, AttentionWidth } from './attention.js';
import { Count, Share } from './common.js';
import { HeadConfig } from './heads.js';

/** Input channels made from a dataset's bands. Statistics are fitted on training frames only. */
export const ChannelsConfig = z.strictObject({
  /** What each band becomes: raw (standardised), minus the frame's mean, or minus the seasonal climatology of each cell. */
  anomaly: z.enum(['none', 'frame', 'seasonal']).default('none'),
  /** Annual harmonics of the seasonal climatology. */
  harmonics: z.int().min(0).max(4).default(2),
  /** Add the 5-point Laplacian of each raw band, 0 on the border, divided by its training sd. */
  laplacian: z.boolean().default(false),
  /** Add the gradient magnitude of each raw band, divided by its training sd. */
  gradient: z.boolean().default(false),
  /** Add two channels with row and column in [-1, 1]. */
  coordinates: z.boolean().default(false),
  /** Give sin and cos of the year (2 harmonics) to the head. */
  season: z.boolean().default(false),
});
export type ChannelsConfig = z.infer<typeof ChannelsConfig>;

/** Fully convolutional evidence map: conv layers without pooling, one map, logsumexp over cells. */
export const EvidenceConfig = z.strictObject({
  kind: z.literal('evidence'),
  /** Filters of each 3x3 convolution. */
  widths: z.array(Count).min(1).default([8, 16]),
  dropout: Share.default(0.1),
  /** `element` drops single activations, `channel` whole maps. */
  dropoutBy: z.enum(['element', 'channel']).default('element'),
  /** Learned bias for each cell of the map. */
  cellBias: z.boolean().default(true),
  /** Cells at each edge that take no part in the map (a tile's margin). */
  margin: z.int().min(0).default(0),
});

/** Conv blocks with squeeze-excite and element-wise attention (Wang et al. 2021) with an auxiliary loss. */
export const CnnConfig = z.strictObject({
  kind: z.literal('cnn'),
  /** Filters of each block; every block but the first halves the map. */
  widths: z.array(Count).min(1).default([16, 32, 64]),
  norm: z.enum(['batch', 'none']).default('batch'),
  /** Squeeze-excite reduction r. */
  reduction: Count.default(16),
  attentionWidth: AttentionWidth.default(32),
  /** Weight of the auxiliary losses of the taps, summed. */
  auxiliary: z.number().min(0).default(1),
  dropout: Share.default(0.1),
  /** Attention at chosen blocks; left out: a gate in every block and element attention on the last. */
  attention: AttentionConfig.optional(),
});

/** Parts of a deep backbone, front to back. */
export const BACKBONE_PARTS = ['stem', 'block1', 'block2', 'block3', 'block4'] as const;

/** What the deep backbones share: how they train, and the attention on their last map. */
const deep = {
  /**
   * `batch`: moments of the batch in training, running ones afterwards; `fixed`: the stored moments always, e.g. those of
   * pretrained weights, so that frames do not depend on their batch. Scale and offset learn either way.
   */
  norm: z.enum(['batch', 'fixed']).default('batch'),
  /** Parts that keep their weights and moments; needs training.init. */
  freeze: z.array(z.enum(BACKBONE_PARTS)).default([]),
  /** Squeeze-excite reduction r of the last map. */
  reduction: Count.default(16),
  attentionWidth: AttentionWidth.default(128),
  /** Weight of the auxiliary losses of the taps, summed. */
  auxiliary: z.number().min(0).default(1),
  dropout: Share.default(0.1),
  /** Attention at chosen blocks, block 0 being `block1`; left out: channel and element attention on the last. */
  attention: AttentionConfig.optional(),
};

/** DenseNet121 (Huang et al. 2017) as Keras builds it, without its top; maps of 61 cells a side and more. */
export const DenseNet121Config = z.strictObject({ kind: z.literal('densenet121'), ...deep });

/** ResNet18 (He et al. 2016) with a stem that keeps small maps: 3x3, no pooling; every block but the first halves the map. */
export const ResNet18Config = z.strictObject({
  kind: z.literal('resnet18'),
  /** Filters of each of the four blocks. */
  widths: z.tuple([Count, Count, Count, Count]).default([64, 128, 256, 512]),
  ...deep,
});

export const ModelConfig = z.strictObject({
  channels: ChannelsConfig.prefault({}),
  encoder: z
    .discriminatedUnion('kind', [EvidenceConfig, CnnConfig, DenseNet121Config, ResNet18Config])
    .prefault({ kind: 'evidence' }),
  head: HeadConfig.prefault({ kind: 'none' }),
});
export type EvidenceConfig = z.infer<typeof EvidenceConfig>;
export type CnnConfig = z.infer<typeof CnnConfig>;
export type DenseNet121Config = z.infer<typeof DenseNet121Config>;
export type ResNet18Config = z.infer<typeof ResNet18Config>;
/** Encoders whose first part is a deep backbone under `encoder/backbone`. */
export type DeepConfig = DenseNet121Config | ResNet18Config;
export type ModelConfig = z.infer<typeof ModelConfig>;
