/** UnsortedSegmentSum, the gradient of gather, which the wasm backend lacks: rows added up in the wasm heap. */
import { tf } from '../backend/tfjs.js';

type Info = import('@tensorflow/tfjs-core').TensorInfo;
interface WasmBackend {
  makeOutput(shape: number[], dtype: 'float32'): Info;
  typedArrayFromHeap(tensor: Info): Float32Array | Int32Array;
}

export function registerSegmentSum(): void {
  if (tf.getKernel('UnsortedSegmentSum', 'wasm')) return;
  tf.registerKernel({
    kernelName: 'UnsortedSegmentSum',
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend, attrs }) =>
      segmentSum(
        inputs.x!,
        inputs.segmentIds!,
        Number(attrs!.numSegments),
        backend as unknown as WasmBackend,
      ),
  });
}

/** `x` `[rows, ...]` summed into `[segments, ...]`; ids outside are left out, as TensorFlow does. */
function segmentSum(x: Info, segmentIds: Info, segments: number, backend: WasmBackend): Info {
  const output = backend.makeOutput([segments, ...x.shape.slice(1)], 'float32');
  const size = x.shape.slice(1).reduce((a, b) => a * b, 1);
  const [from, ids, to] = [x, segmentIds, output].map((info) => backend.typedArrayFromHeap(info));
  to.fill(0);
  for (let row = 0; row < ids.length; row++) {
    const segment = ids[row];
    if (segment < 0 || segment >= segments) continue;
    for (let i = 0; i < size; i++) to[segment * size + i] += from[row * size + i];
  }
  return output;
}
