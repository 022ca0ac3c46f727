/** TensorFlow.js' plain JavaScript backend: slow; only for whoever asks for it by name. */
import type { Opened } from './choice.js';
import { load, tf } from './tfjs.js';

export async function openCpu(): Promise<Opened> {
  load('@tensorflow/tfjs-backend-cpu');
  await tf.setBackend('cpu');
  await tf.ready();
  return { name: 'cpu', device: 'javascript', threads: 1, versions: { tfjs: tf.version_core } };
}
