/** What tfjs-node-gpu 4.22 still expects of Node's `util` and Node 23 removed. */
import { createRequire } from 'node:module';

/**
 * Puts `util.isNullOrUndefined` and `util.isArray` back where they are absent; call it before tfjs is loaded.
 * tfjs calls them for op attributes and `topK`; without them the first op fails in Node 23 and later.
 * Node 22 still has them and warns once (DEP0051), so its own are replaced too.
 */
export function installNodeShim(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util.isNullOrUndefined = (value: unknown) => value == null;
  util.isArray = Array.isArray;
}
