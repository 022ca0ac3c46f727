/** Calls of single TensorFlow operations, past TensorFlow.js. */
import { type Tensor, tf } from '../backend/tfjs.js';

/** An attribute as the addon takes it. */
export interface Attribute {
  name: string;
  type: number;
  value: boolean | number | string | number[];
}
interface Metadata {
  id: number;
  shape: number[];
  dtype: number;
}
export interface Binding {
  TF_FLOAT: number;
  TF_ATTR_STRING: number;
  TF_ATTR_INT: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_SHAPE: number;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Metadata[];
  deleteTensor(id: number): void;
}
interface NativeBackend {
  binding: Binding;
  getInputTensorIds(tensors: Tensor[]): number[];
  createOutputTensor(metadata: Metadata): Tensor;
  executeMultipleOutputs(name: string, attributes: Attribute[], inputs: Tensor[], count: number): Tensor[];
}

export const isNative = (): boolean => tf.getBackend() === 'tensorflow';
export const nativeBackend = (): NativeBackend => tf.backend() as unknown as NativeBackend;

/** Runs one operation eagerly; nothing is recorded for gradients. */
export function execute(name: string, attributes: Attribute[], inputs: Tensor[], outputs = 1): Tensor[] {
  return nativeBackend().executeMultipleOutputs(name, attributes, inputs, outputs);
}

/** Attributes by their TensorFlow names and kinds. */
export function attributes() {
  const { binding } = nativeBackend();
  return {
    float32: (name: string): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }),
    float: (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_FLOAT, value }),
    bool: (name: string, value: boolean): Attribute => ({ name, type: binding.TF_ATTR_BOOL, value }),
    string: (name: string, value: string): Attribute => ({ name, type: binding.TF_ATTR_STRING, value }),
    shape: (name: string, value: number[]): Attribute => ({ name, type: binding.TF_ATTR_SHAPE, value }),
    integers: (name: string, value: number[]): Attribute => ({ name, type: binding.TF_ATTR_INT, value }),
  };
}
