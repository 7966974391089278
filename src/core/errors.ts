/** Failures that a user can act on: one message, one hint, one exit code. */

export interface UserErrorOptions {
  /** What to do about it, as one line. */
  hint?: string;
  /** 1 failed, 2 usage. */
  exitCode?: 1 | 2;
}

export class UserError extends Error {
  readonly hint?: string;
  readonly exitCode: 1 | 2;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message);
    this.name = 'UserError';
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A file that is not as it was written: cut short, altered, or half there. */
export class DamagedFile extends UserError {}

/**
 * The one form of error message: what was expected, for what, what came instead.
 * `expected('a positive whole number', '--steps', '"ten"')`
 */
export function expected(what: string, forWhat: string, got: string, hint?: string): UserError {
  return new UserError(`expected ${what} for ${forWhat}, got ${got}`, { hint });
}

/** The same for a value given on the command line: exit code 2. */
export function usage(message: string, hint?: string): UserError {
  return new UserError(message, { hint, exitCode: 2 });
}
