/** Learning rate at `step` (from 0): linear warm-up, then half a cosine down to 0 after the last step. */
export function learningRateAt(
  step: number,
  { steps, warmup, learningRate }: { steps: number; warmup: number; learningRate: number },
): number {
  const rise = Math.round(steps * warmup);
  if (step < rise) return (learningRate * (step + 1)) / rise;
  const done = (step - rise) / Math.max(1, steps - rise);
  return learningRate * 0.5 * (1 + Math.cos(Math.PI * Math.min(1, done)));
}
