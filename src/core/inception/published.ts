/** The files in which the network's weights are published; none is downloaded, and none comes with this program. */

export interface PublishedFile {
  name: string;
  /** Where its digest is not known here, it is recognised by its tensors alone. */
  sha256?: string;
  bytes?: number;
  origin: string;
}

const PORT = { bytes: 95_628_359, sha256: '6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2' };

export const PUBLISHED: readonly PublishedFile[] = [
  { name: 'classify_image_graph_def.pb', origin: 'in inception-2015-12-05.tgz of TensorFlow' },
  { name: 'pt_inception-2015-12-05-6726825d.pth', ...PORT, origin: 'of pytorch-fid' },
  { name: 'weights-inception-2015-12-05-6726825d.pth', ...PORT, origin: 'the same of torch-fidelity' },
];

/** The name of the published file with this SHA-256. */
export function publishedName(sha256: string | undefined): string | undefined {
  return PUBLISHED.find((file) => file.sha256 !== undefined && file.sha256 === sha256)?.name;
}

/** What a user without weights should look for. */
export function publishedFiles(): string {
  const [graph, port, same] = PUBLISHED;
  const digest = `${port.bytes} bytes, SHA-256 ${port.sha256}`;
  return `${graph.name} (${graph.origin}), ${port.name} (${port.origin}; ${digest}), or ${same.name} (${same.origin})`;
}
