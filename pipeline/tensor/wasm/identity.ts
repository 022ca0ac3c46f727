/** A second handle of the same numbers, as on other backends; the wasm backend's own Identity copies them. */
import { type Tensor, tf } from '../backend/tfjs.js';

interface Call {
  inputs: { x: Tensor };
  backend: { incRef(dataId: object): void };
}

export function registerIdentity(): void {
  tf.unregisterKernel('Identity', 'wasm');
  tf.registerKernel({
    kernelName: 'Identity',
    backendName: 'wasm',
    kernelFunc: (({ inputs: { x }, backend }: Call) => {
      backend.incRef(x.dataId);
      return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
    }) as unknown as never,
  });
}
