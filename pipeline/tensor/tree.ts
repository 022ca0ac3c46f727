/**
 * Parameters as a plain tree: objects and arrays whose leaves are tensors. A leaf's name is its path, e.g.
 * `encoder/conv0/kernel`; leaves come in the order in which the tree was built.
 */
import { ModelMismatchError } from '../errors.js';
import { type Tensor, tf } from './backend/tfjs.js';

export type ParameterTree = { [name: string]: Tensor | ParameterTree } | (Tensor | ParameterTree)[];
export interface Leaf<T = Tensor> {
  name: string;
  tensor: T;
}
/** What is kept of a leaf outside the backend. */
export interface StoredTensor {
  shape: number[];
  values: Float32Array;
}

/** All tensors of `tree` with their names. */
export function leaves(tree: ParameterTree): Leaf[] {
  const found: Leaf[] = [];
  visit(tree, '', (name, tensor) => found.push({ name, tensor }));
  return found;
}

/** A tree of the same form, each leaf replaced; the new leaf may be anything, e.g. null. */
export function mapTree<Tree extends ParameterTree>(
  tree: Tree,
  f: (tensor: Tensor, name: string) => Tensor,
): Tree {
  return map(tree, '', f) as Tree;
}

/** Builds the tree that `leaves` named. Arrays come back as objects with keys '0', '1', …; both index alike. */
export function treeFrom(list: Iterable<Leaf>): ParameterTree {
  const root: Record<string, unknown> = {};
  for (const { name, tensor } of list) {
    const path = name.split('/');
    const last = path.pop()!;
    let node = root;
    for (const key of path) node = (node[key] ??= {}) as Record<string, unknown>;
    node[last] = tensor;
  }
  return root as ParameterTree;
}

/** Values of every leaf by name, read from the backend. */
export async function readTree(tree: ParameterTree): Promise<Map<string, StoredTensor>> {
  const read = await Promise.all(
    leaves(tree).map(
      async ({ name, tensor }): Promise<[string, StoredTensor]> => [
        name,
        { shape: [...tensor.shape], values: Float32Array.from(await tensor.data()) },
      ],
    ),
  );
  return new Map(read);
}

/** Tensors from stored values; the inverse of `readTree`. */
export function writeTree(stored: Iterable<[string, StoredTensor]>): ParameterTree {
  return treeFrom(
    [...stored].map(([name, { shape, values }]) => ({ name, tensor: tf.tensor(values, shape, 'float32') })),
  );
}

/**
 * Tensors in the form of `like` from stored values.
 * @throws ModelMismatchError naming every leaf that is missing, extra or of another shape.
 */
export function fillTree<Tree extends ParameterTree>(like: Tree, stored: Map<string, StoredTensor>): Tree {
  const wanted = new Map(leaves(like).map(({ name, tensor }) => [name, tensor.shape]));
  const missing = [...wanted.keys()].filter((name) => !stored.has(name));
  const extra = [...stored.keys()].filter((name) => !wanted.has(name));
  const shapes = [...wanted]
    .filter(([name, shape]) => stored.has(name) && stored.get(name)!.shape.join() !== shape.join())
    .map(([name, shape]) => `${name}: [${stored.get(name)!.shape}], expected [${shape}]`);
  if (missing.length || extra.length || shapes.length)
    throw new ModelMismatchError(
      `cannot load weights: missing [${missing}], extra [${extra}], other shape [${shapes.join('; ')}]`,
      { hint: 'load them into the model they were saved from', fields: { missing, extra, shapes } },
    );
  return mapTree(like, (_, name) => {
    const { shape, values } = stored.get(name)!;
    return tf.tensor(values, shape, 'float32');
  });
}

/** Frees every tensor of a tree, list or single tensor; what was freed already is left alone. */
export function dispose(tree: ParameterTree | Tensor | null | undefined): void {
  if (!tree) return;
  if (tree instanceof tf.Tensor) {
    if (!tree.isDisposed) tree.dispose();
  } else for (const value of Object.values(tree)) dispose(value);
}

/** Protects every tensor of a tree from the `tidy` around it. */
export function keep<Tree extends ParameterTree | Tensor>(tree: Tree): Tree {
  if (tree instanceof tf.Tensor) tf.keep(tree);
  else for (const { tensor } of leaves(tree)) tf.keep(tensor);
  return tree;
}

/** Own handles on the same values; freeing one leaves the other. */
export function clone<Tree extends ParameterTree | Tensor>(tree: Tree): Tree {
  if (tree instanceof tf.Tensor) return tf.clone(tree) as Tree;
  return mapTree(tree, (tensor) => tf.clone(tensor)) as Tree;
}

/** Runs `f` and frees all tensors made in it but those in what it returns. */
export function tidy<A>(f: () => A): A {
  return tf.tidy(f as () => import('@tensorflow/tfjs-core').TensorContainer) as A;
}

/** Tensors alive now; a test ends with as many as it began with. */
export const tensorCount = (): number => tf.memory().numTensors;
/** Bytes of the tensors alive now. */
export const tensorBytes = (): number => tf.memory().numBytes;

function visit(node: unknown, path: string, see: (name: string, tensor: Tensor) => void): void {
  if (node instanceof tf.Tensor) see(path, node);
  else if (node && typeof node === 'object')
    for (const [key, value] of Object.entries(node)) visit(value, path ? `${path}/${key}` : key, see);
}

function map(node: unknown, path: string, f: (tensor: Tensor, name: string) => unknown): unknown {
  if (node instanceof tf.Tensor) return f(node, path);
  if (!node || typeof node !== 'object') return node;
  const inner = Object.entries(node).map(([key, value]) => [
    key,
    map(value, path ? `${path}/${key}` : key, f),
  ]);
  return Array.isArray(node) ? inner.map(([, value]) => value) : Object.fromEntries(inner);
}
