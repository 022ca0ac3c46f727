/**
 * Compiles each file of pipeline/kernels/assembly (AssemblyScript) into dist/pipeline/kernels/NAME.wasm. Options beyond
 * the common ones stand in the file's first line: `// asc: --enable simd`.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const sources = 'pipeline/kernels/assembly';
const out = 'dist/pipeline/kernels';
const COMMON = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--importMemory'];

mkdirSync(join(root, out), { recursive: true });
for (const file of readdirSync(join(root, sources)).filter((name) => name.endsWith('.ts'))) {
  const [, own = ''] = /^\/\/ asc: (.*)$/m.exec(readFileSync(join(root, sources, file), 'utf8')) ?? [];
  const target = `${out}/${file.replace(/\.ts$/, '.wasm')}`;
  const options = [
    `${sources}/${file}`,
    '--baseDir',
    root,
    '--outFile',
    target,
    ...COMMON,
    ...own.split(' ').filter(Boolean),
  ];
  const { error, stderr } = await asc.main(options);
  if (error) {
    console.error(`${file}: ${error.message}\n${stderr}`);
    process.exit(1);
  }
}
