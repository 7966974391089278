/** The one release of TensorFlow that the engine is built on, and which of its files are needed. */

export const TENSORFLOW_VERSION = '2.21.0';

/** Any patch release of 2.21 has the same C interface. */
export function isSupported(version: string): boolean {
  return /^2\.21\.\d+/.test(version);
}

/** Where the project publishes its C library, for machines without pip. */
export function tarballUrl(device: Device): string {
  return `https://storage.googleapis.com/tensorflow/versions/${TENSORFLOW_VERSION}/libtensorflow-${device}-linux-x86_64.tar.gz`;
}

export type Device = 'cpu' | 'gpu';

/** The package in which pip delivers the libraries: for ARM only the plain one is published. */
export function pipPackage(device: Device, arch: string): string {
  return device === 'cpu' && arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
}

/** SHA-256 of the libraries in the x86-64 wheel of tensorflow-cpu 2.21.0. */
export const WHEEL_DIGESTS: Record<string, string> = {
  'lib/libtensorflow_cc.so.2': '6505a4b9657e62100c6bdacb683957a395cb047725042945aaa50e40a71e429e',
  'lib/libtensorflow_framework.so.2': 'f060b323b26ef80add21b9df9428de3aeaf2843d772c5bb098745f7abff3709b',
};

/** The library with the C functions: called `_cc` in the wheel, plain in the C tarball. */
export const MAIN_LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow.so.2'];
export const FRAMEWORK_LIBRARY = 'libtensorflow_framework.so.2';

/** All that `tensorflow/c/c_api.h` and `tensorflow/c/eager/c_api.h` include. */
export const HEADERS = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
];

/**
 * Where a file of a wheel, tarball or folder belongs in the prefix (`lib/…`, `include/…`); undefined when it is not
 * needed. `path` has forward slashes. The C tarball's libraries carry the full version in their names
 * (`libtensorflow.so.2.21.0`); the loader looks for the first number only.
 */
export function placeOf(path: string): string | undefined {
  const library = /(?:^|\/)(libtensorflow(?:_cc|_framework)?\.so\.2)(?:\.\d+\.\d+)?$/.exec(path);
  if (library) return `lib/${library[1]}`;
  const cuda = /(?:^|\/)nvidia\/[^/]+\/lib\/([^/]+\.so[.\d]*)$/.exec(path);
  if (cuda) return `lib/${cuda[1]}`;
  const header = /(?:^|\/)include\/(.+\.h)$/.exec(path);
  if (header && HEADERS.includes(header[1])) return `include/${header[1]}`;
  return undefined;
}
