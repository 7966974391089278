/** What Python can give: a TensorFlow that is installed, or pip's download of one. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { type Device, pipPackage, TENSORFLOW_VERSION } from './release.js';
import { lastLines, runProgram } from './run.js';

/** Finds the package without importing it, which would take seconds. */
const FIND = `
import importlib.metadata as metadata, importlib.util, json
spec = importlib.util.find_spec('tensorflow')
found = None
if spec and spec.submodule_search_locations:
    found = {'folder': list(spec.submodule_search_locations)[0], 'version': ''}
    for name in ('tensorflow', 'tensorflow-cpu', 'tensorflow-intel'):
        try:
            found['version'] = metadata.version(name)
            break
        except metadata.PackageNotFoundError:
            pass
print(json.dumps(found))
`;

export async function findInPython(): Promise<{ folder: string; version: string }> {
  const { code, stdout, stderr } = await runProgram('python3', ['-c', FIND]);
  if (code !== 0) throw new UserError(code === 127 ? 'there is no python3' : lastLines(stderr));
  const found = JSON.parse(stdout) as { folder: string; version: string } | null;
  if (!found) throw new UserError('it has no TensorFlow');
  return found;
}

/**
 * Lets pip download the wheels into `folder` and returns their paths. The libraries inside use no Python, so one
 * wheel serves every Python; asking for a fixed one makes its digests known. The GPU's CUDA libraries are wheels too.
 */
export async function pipDownload(folder: string, device: Device, show: boolean): Promise<string[]> {
  const name = pipPackage(device, process.arch);
  const wanted =
    device === 'gpu' ? [`${name}[and-cuda]==${TENSORFLOW_VERSION}`] : ['--no-deps', `${name}==${TENSORFLOW_VERSION}`];
  const args = ['download', '--only-binary=:all:', '--python-version', '3.11', '--dest', folder, ...wanted];
  let result = await runProgram('python3', ['-m', 'pip', ...args], { show });
  if (result.code === 127 || /No module named pip/.test(result.stderr))
    result = await runProgram('pip', args, { show });
  if (result.code === 127) throw new UserError('there is no pip');
  if (result.code !== 0) throw new UserError(lastLines(result.stderr.replace(/^(WARNING|\[notice\]).*$/gm, '')));
  return (await readdir(folder)).filter((file) => file.endsWith('.whl')).map((file) => join(folder, file));
}
