/** Takes out of the wheels what the addon needs: two libraries and the C headers, not the 2 GB around them. */
import { command, lastLines } from './command.js';
import { unavailable } from './requirements.js';

export interface Extraction {
  python: string;
  wheels: string[];
  /** Receives `include/`, `lib/` and, for CUDA, `nvidia/` (where the libraries look for it: $ORIGIN/../nvidia). */
  to: string;
  /** Take every header; the addon's usual ones are a few hundred. */
  allHeaders?: boolean;
  signal?: AbortSignal;
}

/** Unpacks with Python's zipfile, which is there because pip was. */
export async function extractWheels({ python, wheels, to, allHeaders, signal }: Extraction): Promise<void> {
  const { code, stderr } = await command(python, ['-', to, allHeaders ? 'all' : 'needed', ...wheels], {
    input: SCRIPT,
    signal,
  });
  if (code !== 0)
    throw unavailable('wheel', `unpacking failed: ${lastLines(stderr)}`, 'see that the disk has 4 GB free');
}

/** Names of the CUDA packages that the TensorFlow wheel asks for, e.g. `nvidia-cudnn-cu12<10.0,>=9.3`. */
export async function cudaRequirements(
  python: string,
  wheel: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const { stdout, stderr } = await command(python, ['-', wheel], { input: REQUIREMENTS_SCRIPT, signal });
  const names = stdout.split('\n').filter(Boolean);
  if (names.length) return names;
  throw unavailable('wheel', `${wheel} names no CUDA packages ${lastLines(stderr)}`, 'use --cpu');
}

const SCRIPT = `
import os, shutil, sys, zipfile
to, headers, *wheels = sys.argv[1:]
root = 'tensorflow/include/'
needed = tuple(root + p for p in ('tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'))
libraries = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2')
for wheel in wheels:
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            name = entry.filename
            if name.endswith('.h') and name.startswith(root if headers == 'all' else needed):
                target = os.path.join(to, 'include', name[len(root):])
            elif name in libraries:
                target = os.path.join(to, 'lib', os.path.basename(name))
            elif name.startswith('nvidia/') and not name.endswith('/'):
                target = os.path.join(to, name)
            else:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(entry) as source, open(target, 'wb') as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            if entry.external_attr >> 16 & 0o111:
                os.chmod(target, 0o755)
lib = os.path.join(to, 'lib')
for link, target in (
    ('libtensorflow.so', 'libtensorflow_cc.so.2'),
    ('libtensorflow.so.2', 'libtensorflow_cc.so.2'),
    ('libtensorflow.so.2.9.1', 'libtensorflow_cc.so.2'),
    ('libtensorflow_framework.so', 'libtensorflow_framework.so.2'),
    ('libtensorflow_framework.so.2.9.1', 'libtensorflow_framework.so.2'),
):
    if not os.path.lexists(os.path.join(lib, link)):
        os.symlink(target, os.path.join(lib, link))
`;

const REQUIREMENTS_SCRIPT = `
import re, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    name = next(n for n in archive.namelist() if n.endswith('.dist-info/METADATA'))
    for line in archive.read(name).decode().splitlines():
        match = re.match(r"Requires-Dist: (nvidia-[^;]+);.*extra == .and-cuda.", line)
        if match:
            print(re.sub(r'[() ]', '', match.group(1)))
`;
