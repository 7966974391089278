/** Thrown by a command that has said all there is to say: the program ends with this code, and prints nothing more. */
export class ExitCode extends Error {
  constructor(readonly code: number) {
    super(`exit code ${code}`);
    this.name = 'ExitCode';
  }
}
