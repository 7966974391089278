/** Options that would have no effect beside others are refused, so that nobody takes them for having had one. */
import type { Command } from 'commander';
import { usage } from '../../core/errors.js';

/**
 * Refuses those of `names` that were given on the command line (not those that have their default, or come from the
 * environment).
 * @param because the rest of the message, such as `does not go with --apply`
 */
export function refuseGiven(command: Command, names: readonly string[], because: string, hint: string): void {
  const given = command.options.find(({ long }) => names.includes(long!) && isGiven(command, long!));
  if (given) throw usage(`${given.long} ${because}`, hint);
}

/** The same for all options but `names`. */
export function allowGiven(command: Command, names: readonly string[], because: string, hint: string): void {
  const others = command.options.map(({ long }) => long!).filter((long) => !names.includes(long));
  refuseGiven(command, others, because, hint);
}

function isGiven(command: Command, long: string): boolean {
  const option = command.options.find((each) => each.long === long)!;
  return (
    command.getOptionValueSource(option.attributeName()) === 'cli' &&
    command.getOptionValue(option.attributeName()) !== option.negate
  );
}
