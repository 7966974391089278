/** Class numbers from an .npy file. */
import { expected } from '../errors.js';
import { readNpy } from '../formats/npy/npy.js';

/** Reads `rows` class numbers (an integer type of up to 64 bits, one dimension, 0 or more). */
export async function readLabels(path: string, rows: number): Promise<Int32Array> {
  const { dtype, shape, data } = await readNpy(path);
  if (dtype.startsWith('float')) {
    throw expected(
      'class numbers of an integer type',
      path,
      dtype,
      "if they are whole numbers: numpy.save(path, labels.astype('int32'))",
    );
  }
  if (shape.length !== 1)
    throw expected(
      'one class number a row, shape [n]',
      path,
      `shape [${shape}]`,
      'numpy.argmax(labels, axis=1) makes class numbers of one-hot rows',
    );
  if (data.length !== rows) {
    throw expected(
      `${rows} class numbers, one for each row,`,
      path,
      `${data.length}`,
      'both files must come from the same images',
    );
  }
  const labels = Int32Array.from(data as ArrayLike<number | bigint>, Number);
  const wrong = labels.findIndex((label, row) => label < 0 || label !== Number(data[row]));
  if (wrong >= 0)
    throw expected(
      'class numbers from 0 to 2147483647',
      `row ${wrong} of ${path}`,
      `${data[wrong]}`,
      'number the classes from 0 on: numpy.unique(labels, return_inverse=True)[1]',
    );
  return labels;
}
