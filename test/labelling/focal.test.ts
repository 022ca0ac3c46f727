import { expect, it } from 'vitest';
import { calibrateModel } from '../../pipeline/labelling/calibration/calibrateModel.js';
import { small, trainingConfig } from '../training/fixture.js';

it.each(['weighted', 'focal'])(
  'a %s model that nothing could be fitted for says what its probabilities are',
  async (loss) => {
    const made = small();
    const split = { ...made.split, part: made.split.part.map((p) => (p === 1 ? 4 : p)) }; // no validation part
    const lines: string[] = [];
    const input = {
      ...made,
      split,
      runDir: 'nowhere',
      config: { labelling: { calibrationFolds: 0, fillGap: 1, minimumRun: 1 } },
      log: (line: string) => lines.push(line),
    };
    const trained = { prior: 0.7, training: trainingConfig({ loss }) };
    const calibration = await calibrateModel(input as never, trained as never);
    expect(calibration).toMatchObject({ method: 'prior', prior: 0.7, a: 1, b: 0 });
    expect(/focal loss bends/.test(calibration.fittedOn)).toBe(loss === 'focal');
    expect(lines.length).toBe(loss === 'focal' ? 1 : 0);
  },
);
