/** The models of `npm run bench:train`, in our layers: shapes, start values, logits. */
import * as nn from '../../dist/pipeline/nn/index.js';
import * as t from '../../dist/pipeline/tensor/index.js';

const CHANNELS = [16, 32, 64, 64, 128];
const UNITS = 64;
const [BATCH, TIME, SIZE, BANDS] = [2, 15, 128, 3];

/** Five of convolution, batch norm, relu and 2 x 2 max-pool, mean over locations, GRU, a logit a frame. */
const cnn = {
  x: [BATCH * TIME, SIZE, SIZE, BANDS],
  y: [BATCH, TIME],
  init(random) {
    const blocks = CHANNELS.map((out, i) => ({
      conv: nn.conv2d.init({ in: i ? CHANNELS[i - 1] : BANDS, out, bias: false }, random.key(`conv${i}`)),
      norm: nn.batchNorm.init({ channels: out }),
    }));
    return {
      blocks,
      gru: nn.gru.init({ in: CHANNELS.at(-1), units: UNITS }, random.key('gru')),
      output: nn.linear.init({ in: UNITS, out: 1 }, random.key('output')),
    };
  },
  apply({ blocks, gru, output }, x, mode) {
    let h = x;
    for (const { conv, norm } of Object.values(blocks))
      h = t.tidy(() =>
        t.maxPool(t.relu(nn.batchNorm.apply(norm, nn.conv2d.apply(conv, { x: h }), mode).y), { size: 2 }),
      );
    const features = t.reshape(t.mean(h, [1, 2]), [BATCH, TIME, CHANNELS.at(-1)]);
    const { y } = nn.gru.apply(gru, { x: features });
    return t.reshape(nn.linear.apply(output, y), [BATCH, TIME]);
  },
};

export const MODELS = { cnn };
