/** Which test files need neither TensorFlow nor a process of the program: those that `make unit` runs. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IMPORT = /\b(?:from\s*|import\s*\(?\s*)['"](\.[^'"]+)['"]/g;
/** Compiled files that start the engine, or the program. */
const HEAVY = [/\/core\/backend\/engine\.js$/, /\/test\/commands\//, /\/test\/(bench|package|library)\.test\.js$/];

/** True if the compiled file and all that it imports, types aside, get along without the engine. */
export function isEngineFree(file: string, seen = new Set<string>()): boolean {
  if (HEAVY.some((heavy) => heavy.test(file))) return false;
  if (seen.has(file)) return true;
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  if (/\bbigbigan\(/.test(text) && /\.test\.js$/.test(file)) return false;
  return [...text.matchAll(IMPORT)].every(([, path]) => isEngineFree(join(dirname(file), path), seen));
}
