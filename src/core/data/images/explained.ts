/** Errors of decoders. */
import { expected } from '../../errors.js';

/** A decoder's complaint, with the file's name. */
export async function explained<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if ((error as Error).name === 'UserError') throw error;
    throw expected('an image', file, (error as Error).message, 'remove or repair the file');
  }
}
