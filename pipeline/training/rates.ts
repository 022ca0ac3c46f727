/** Learning rates by part of the model: the backbone slowly, what is new at full pace. */
import { ConfigError } from '../errors.js';
import type { Leaf } from '../tensor/index.js';

/**
 * Factor by leaf name: that of the longest key of `rates` that the name begins with (whole words), else 1.
 * @throws ConfigError for a key that no leaf begins with, or that all of whose leaves are frozen.
 */
export function learningRates(
  rates: Readonly<Record<string, number>>,
  leaves: readonly Leaf[],
  learns: (name: string) => boolean,
): (name: string) => number {
  const keys = Object.keys(rates).sort((a, b) => b.length - a.length);
  for (const key of keys) {
    const found = leaves.filter(({ name }) => begins(name, key));
    if (found.some(({ name }) => learns(name))) continue;
    throw new ConfigError(
      `training.learningRates names ${key}: ${found.length ? 'all of it is frozen' : 'the model has no such part'}`,
      {
        hint: `leave it out, or name one of ${partsOf(leaves.filter(({ name }) => learns(name))).join(', ')}`,
        fields: { key },
      },
    );
  }
  return (name) => {
    const key = keys.find((part) => begins(name, part));
    return key === undefined ? 1 : rates[key];
  };
}

const begins = (name: string, part: string): boolean => name === part || name.startsWith(`${part}/`);

/** First one, two and three words of the names. */
function partsOf(leaves: readonly Leaf[]): string[] {
  const parts = new Set<string>();
  for (const { name } of leaves) {
    const words = name.split('/').slice(0, -1);
    for (let n = 1; n <= Math.min(3, words.length); n++) parts.add(words.slice(0, n).join('/'));
  }
  return [...parts];
}
