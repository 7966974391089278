/** `bigbigan inception`: what a file of the 2015 Inception network's weights is, and the same weights in our form. */
import { Command } from 'commander';
import { usage } from '../core/errors.js';
import { checkOutputFile } from '../core/formats/output-file.js';
import { packageVersion } from '../core/version.js';
import { examples, type OutputOptions, outputOptions } from './options/options.js';
import { createReport } from './report.js';

interface ConversionOptions extends OutputOptions {
  out?: string;
  force?: boolean;
}

export function inceptionCommand(): Command {
  const command = new Command('inception')
    .summary("check the weights of FID's network, and convert them")
    .description(
      'Checks that WEIGHTS hold the Inception network of 2015, which fid measures with, and prints their digests. With ' +
        '--out they are also written as .safetensors, which is the quickest form to read; all forms give the same ' +
        'numbers. WEIGHTS is classify_image_graph_def.pb, a frozen TensorFlow graph; pt_inception-2015-12-05-6726825d.pth, ' +
        'a state dict of PyTorch in either of its layouts; or .safetensors with the names of either or our own. A pickle ' +
        'is read as data: nothing in it is run.',
    )
    .argument('[weights]', 'the file (default: the environment variable BIGBIGAN_INCEPTION)')
    .option('--out <file>', 'the .safetensors file to write')
    .option('--force', 'replace an existing file')
    .action(inception);
  outputOptions(command);
  return examples(command, [
    'bigbigan inception pt_inception-2015-12-05-6726825d.pth --out inception.safetensors',
    'bigbigan fid dataset samples --inception-weights inception.safetensors',
  ]);
}

async function inception(given: string | undefined, options: ConversionOptions): Promise<void> {
  using report = createReport(options);
  const path = given ?? process.env.BIGBIGAN_INCEPTION;
  const { publishedFiles } = await import('../core/inception/published.js');
  if (!path)
    throw usage('WEIGHTS is missing: a file with the Inception network of 2015', `it takes ${publishedFiles()}`);
  const { out, force } = options;
  if (out !== undefined) await checkOutputFile(out, force);
  const { readInceptionWeights, writeInceptionWeights } = await import('../core/inception/weights.js');
  const weights = await readInceptionWeights(path);
  if (out !== undefined) await writeInceptionWeights(out, weights);
  const { file, digest, tensors } = weights;
  const parameters = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
  report.result(
    {
      path,
      format: file.format,
      names: file.naming,
      sha256: file.digest,
      published: file.published ?? null,
      digest,
      tensors: tensors.size,
      parameters,
      out,
      version: packageVersion,
    },
    [
      `${path}: the Inception network of 2015, ${file.format} with the names of ${file.naming}`,
      `SHA-256 of the file: ${file.digest}, ${file.published ?? 'not that of a published file that this program knows'}`,
      `SHA-256 of its ${tensors.size} tensors: ${digest}`,
    ].join('\n'),
  );
  if (out !== undefined) report.path(out);
}
