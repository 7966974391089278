/** `bigbigan engine`: what TensorFlow is in place, and the step that puts it there. */
import { Command } from 'commander';

export function engineCommand(): Command {
  return new Command('engine').description('show the engine (TensorFlow) in place, or install it');
}
