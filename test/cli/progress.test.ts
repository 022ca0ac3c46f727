import { describe, expect, it } from 'vitest';
import { duration, pace } from '../../cli/progress.js';

describe('pace()', () => {
  it('counts from where a resumed stage began', () => {
    let now = 0;
    const of = pace(() => now);
    of(400, 1000);
    now = 10_000;
    expect(of(500, 1000)).toEqual({ rate: '10', left: '50 s' });
  });

  it('begins anew when a stage is done again', () => {
    let now = 0;
    const of = pace(() => now);
    of(0, 100);
    now = 100_000;
    of(100, 100);
    now = 101_000;
    of(10, 100);
    now = 102_000;
    expect(of(20, 100)).toEqual({ rate: '20', left: '4 s' });
  });

  it('says when nothing can be foretold', () => {
    expect(pace(() => 0)(0, 100)).toEqual({ rate: '0.00', left: '?' });
  });
});

describe('duration()', () => {
  it('is read as people say it', () => {
    expect([41.2, 200, 7_500].map(duration)).toEqual(['41 s', '3 min 20 s', '2 h 5 min']);
  });
});
