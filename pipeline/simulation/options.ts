/** What a simulated season may be asked for. */
import * as z from 'zod';
import { Count, Instant, Share, Span, spanMs } from '../../schemas/config/index.js';
import { ConfigError } from '../errors.js';

export const SimulationConfig = z.strictObject({
  /** Nominal frames, those lost in gaps included. */
  frames: Count.default(240),
  /** Width and height of a map in cells. */
  size: z.int().min(8).max(8192).default(128),
  seed: z.int().min(0).default(0),
  /** Medicanes; default: one for every 160 hours, at least one. */
  storms: z.int().min(0).optional(),
  step: Span.default('1h'),
  /** Share of frames that are never received. */
  gaps: Share.max(0.5).default(0.02),
  /** Share of frames with lines lost by the scanner. */
  defects: Share.default(0.03),
  start: Instant.default('2020-09-01'),
});
export type SimulationConfig = z.input<typeof SimulationConfig>;

/** Checked options with everything that follows from them. */
export interface SeasonOptions {
  frames: number;
  size: number;
  seed: number;
  storms: number;
  stepMs: number;
  gaps: number;
  defects: number;
  /** Milliseconds since 1970, UTC. */
  start: number;
  /** Hours from the first frame to one step after the last. */
  hours: number;
}

/** Least hours a medicane needs with the calm around it. */
export const HOURS_PER_STORM = 28;
const HOURS_BETWEEN_STORMS = 160;

/** @throws ConfigError for a step that is no whole number of minutes and for more medicanes than the season has room for. */
export function seasonOptions(config: SimulationConfig): SeasonOptions {
  const { step, storms, start, ...rest } = SimulationConfig.parse(config);
  const stepMs = spanMs(step);
  if (!(stepMs >= 60_000 && stepMs % 60_000 === 0))
    throw new ConfigError(`cannot simulate a frame every ${step}: a whole number of minutes was expected`, {
      hint: 'give --step 15min, 1h or 6h',
      fields: { step },
    });
  const hours = (rest.frames * stepMs) / 3_600_000;
  const count = storms ?? Math.max(1, Math.round(hours / HOURS_BETWEEN_STORMS));
  if (count > 1 && count * HOURS_PER_STORM > hours)
    throw new ConfigError(`cannot place ${count} medicanes in ${hours} hours: they live 20 h or more`, {
      hint: `give --storms ${Math.max(1, Math.floor(hours / HOURS_PER_STORM))} or more --frames`,
      fields: { storms: count, hours },
    });
  return { ...rest, storms: count, stepMs, hours, start: Date.parse(start) };
}
