/** The ways to a TensorFlow, tried in order, until one gives all the files. */
import { mkdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { sha256File } from '../../formats/digest.js';
import { checkSpace, prefixFolder, publish, withWorkFolder } from './cache.js';
import { takeFolder } from './folder.js';
import { completePrefix, readManifest, writeManifest } from './prefix.js';
import { findInPython, pipDownload } from './python.js';
import { type Device, isSupported, pipPackage, TENSORFLOW_VERSION, tarballUrl, WHEEL_DIGESTS } from './release.js';
import { downloadTarball, unpackTarball } from './tarball.js';
import { unpackWheel } from './wheel.js';

export interface SourceSettings {
  device: Device;
  /** A wheel, a C tarball, or a folder; the only source that is tried when given. */
  from?: string;
  /** Take it anew even when the cache has one. */
  force: boolean;
  say(message: string): void;
  /** Let pip show its own progress. */
  show: boolean;
}

interface LibrarySource {
  /** What it is called in messages and in the manifest. */
  name: string;
  /** Puts files into `prefix`; throws a reason when it cannot. `work` is for files that are not kept. */
  fetch(prefix: string, work: string): Promise<void>;
  /** Digests that the libraries must have. */
  digests?: Record<string, string>;
}

/** Returns the cached prefix that holds TensorFlow's libraries and headers, after filling it when needed. */
export async function obtainTensorflow(settings: SourceSettings): Promise<string> {
  const target = prefixFolder(settings.device);
  const from = settings.from === undefined ? undefined : resolve(settings.from);
  const manifest = readManifest(target);
  if (manifest && !settings.force && (from === undefined || manifest.source === from)) {
    settings.say(`TensorFlow's libraries are in the cache: ${target} (from ${manifest.source})`);
    return target;
  }
  const sources = from === undefined ? automatic(settings) : [named(from, settings.device)];
  const failures: string[] = [];
  for (const source of sources) {
    settings.say(`taking TensorFlow from ${source.name} ...`);
    const failure = await withWorkFolder((work) => attempt(source, settings, work, target));
    if (failure === undefined) return target;
    settings.say(`  not possible: ${failure}`);
    failures.push(`  ${source.name}: ${failure.replace(/\n/g, '\n    ')}`);
  }
  throw new UserError(`found no TensorFlow ${TENSORFLOW_VERSION} for the engine; tried\n${failures.join('\n')}`, {
    hint: HINT,
  });
}

const HINT =
  `get the wheel with "pip download --no-deps tensorflow-cpu==${TENSORFLOW_VERSION}" where there is a network, ` +
  'then run "bigbigan engine install --from FILE.whl"';

/** One try: fetched into a work folder, checked, and moved into the cache; or the reason why not. */
async function attempt(
  source: LibrarySource,
  settings: SourceSettings,
  work: string,
  target: string,
): Promise<string | undefined> {
  await checkSpace(work);
  const prefix = join(work, 'prefix');
  const scratch = join(work, 'scratch');
  try {
    await mkdir(prefix);
    await mkdir(scratch);
    await source.fetch(prefix, scratch);
    await completePrefix(prefix);
    await checkDigests(prefix, source.digests);
    await writeManifest(prefix, source.name, settings.device);
  } catch (error) {
    return (error as Error).message;
  }
  // Another process may have filled the cache meanwhile and be building on it: then its folder stays.
  const replace = settings.force || settings.from !== undefined || readManifest(target) === undefined;
  await publish(prefix, target, replace);
  return undefined;
}

async function checkDigests(prefix: string, digests: Record<string, string> = {}): Promise<void> {
  for (const [file, digest] of Object.entries(digests)) {
    const found = await sha256File(join(prefix, file));
    if (found !== digest) throw new UserError(`expected SHA-256 ${digest} for ${basename(file)}, got ${found}`);
  }
}

function automatic(settings: SourceSettings): LibrarySource[] {
  const { device, show } = settings;
  const sources: LibrarySource[] = [
    {
      name: "the local Python's TensorFlow",
      fetch: async (prefix) => {
        const { folder, version } = await findInPython();
        if (!isSupported(version))
          throw new UserError(`expected version 2.21, got ${version || 'an unknown one'} in ${folder}`);
        await takeFolder(folder, prefix, device);
      },
    },
    {
      name: `pip (${pipPackage(device, process.arch)}==${TENSORFLOW_VERSION})`,
      digests: device === 'cpu' && process.arch === 'x64' ? WHEEL_DIGESTS : undefined,
      fetch: async (prefix, work) => {
        settings.say(device === 'cpu' ? '  downloading 274 MB' : '  downloading about 3 GB');
        for (const wheel of await pipDownload(work, device, show)) await unpackWheel(wheel, prefix);
      },
    },
  ];
  if (process.arch === 'x64') {
    sources.push({
      name: `the C library's tarball (${tarballUrl(device)})`,
      fetch: (prefix) => downloadTarball(tarballUrl(device), prefix),
    });
  }
  return sources;
}

function named(path: string, device: Device): LibrarySource {
  return {
    name: path,
    digests:
      basename(path).startsWith(`tensorflow_cpu-${TENSORFLOW_VERSION}-cp311-`) && path.endsWith('x86_64.whl')
        ? WHEEL_DIGESTS
        : undefined,
    fetch: async (prefix) => {
      const found = await stat(path).catch(() => undefined);
      if (!found) throw new UserError('there is no such file or folder');
      if (found.isDirectory()) await takeFolder(path, prefix, device);
      else if (path.endsWith('.whl')) await unpackWheel(path, prefix);
      else if (/\.(tar\.gz|tgz)$/.test(path)) await unpackTarball(path, prefix);
      else throw new UserError('expected a folder, a .whl file or a .tar.gz file');
    },
  };
}
