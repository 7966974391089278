/** Builds the binding between Node and TensorFlow's C library, in the cache. */
import { existsSync, realpathSync } from 'node:fs';
import { appendFile, cp, mkdir, rename, symlink } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '../../errors.js';
import { withWorkFolder } from './cache.js';
import { bindingName, NODE_API, type TfjsPackage } from './package.js';
import { lastLines, runProgram } from './run.js';
import { SIGNAL_MASK } from './signal-mask.js';

/** Where the built binding is kept. */
export function cachedBinding(prefix: string, tfjs: TfjsPackage): string {
  return join(prefix, 'binding', bindingName(tfjs));
}

/** Compiles the package's sources, and the signal mask, beside the libraries with its own node-pre-gyp (about 15 s). */
export async function buildBinding(prefix: string, tfjs: TfjsPackage): Promise<void> {
  await withWorkFolder(async (work) => {
    for (const name of ['binding', 'binding.gyp', 'package.json']) {
      await cp(join(tfjs.folder, name), join(work, name), { recursive: true });
    }
    await appendFile(join(work, 'binding', 'tfjs_binding.cc'), SIGNAL_MASK);
    await symlink(prefix, join(work, 'deps'));
    const result = await runProgram(process.execPath, [tfjs.builder, 'install', '--build-from-source'], {
      cwd: work,
      env: buildEnvironment(),
    });
    const built = join(work, 'lib', `napi-v${NODE_API}`, 'tfjs_binding.node');
    if (result.code !== 0 || !existsSync(built)) {
      throw new UserError(`cannot build the binding:\n${buildErrors(result.stderr + result.stdout)}`, {
        hint: 'it takes make, g++ and python3, and the headers of Node (a folder include/node beside bin/node, or a network)',
      });
    }
    await mkdir(dirname(cachedBinding(prefix, tfjs)), { recursive: true });
    await rename(built, cachedBinding(prefix, tfjs));
  });
}

/** node-gyp downloads Node's headers unless it is told where they are; it is part of npm. */
function buildEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  const nodePrefix = dirname(dirname(realpathSync(process.execPath)));
  if (existsSync(join(nodePrefix, 'include', 'node', 'node_api.h'))) env.npm_config_nodedir = nodePrefix;
  const gyp = gypOfNpm();
  if (!env.npm_config_node_gyp && gyp) env.npm_config_node_gyp = gyp;
  return env;
}

function gypOfNpm(): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const npm = join(folder, 'npm');
    if (!existsSync(npm)) continue;
    const gyp = join(dirname(realpathSync(npm)), '..', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
    if (existsSync(gyp)) return gyp;
  }
  return undefined;
}

/** The lines that name the error, else the last ones. */
function buildErrors(log: string): string {
  const errors = log
    .split('\n')
    .filter((line) => /\berror:|not found|ERR! (?!System|node -v|cwd|command|not ok)/.test(line));
  return lastLines(errors.length > 0 ? errors.slice(0, 6).join('\n') : log, 6);
}
