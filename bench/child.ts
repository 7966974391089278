/** Each system that is measured runs in a process of its own: one JSON object a line goes in, one comes back. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { UserError } from '../src/core/errors.js';

/** Enough of stderr to tell what went wrong. */
const KEPT_CHARACTERS = 2000;

export interface Child {
  /** Sends a request and waits for the answer; the child is ended when it takes longer than `seconds`. */
  ask<Answer>(request: { do: string } & Record<string, unknown>, seconds?: number): Promise<Answer>;
  close(): void;
}

export function startChild(name: string, program: string, args: string[]): Child {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints = (complaints + chunk).slice(-KEPT_CHARACTERS)));
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => child.on('error', reject));
  failed.catch(() => {});

  return {
    async ask<Answer>(request: object, seconds = Infinity) {
      let late = false;
      const giveUp = () => {
        late = true;
        child.kill();
      };
      const timer = seconds === Infinity ? undefined : setTimeout(giveUp, seconds * 1000);
      child.stdin.write(`${JSON.stringify(request)}\n`);
      const line = await Promise.race([lines.next(), failed]);
      clearTimeout(timer);
      if (line.done)
        throw new UserError(late ? `${name} took longer than ${seconds} s` : `${name} ended\n${complaints}`);
      const answer = JSON.parse(line.value) as Answer & { error?: string };
      if (answer.error) throw new UserError(`${name}: ${answer.error}`);
      return answer;
    },
    close: () => child.stdin.end(),
  };
}

/** The child's side: answers each line of stdin by the handler that it names. */
export async function answerRequests(handlers: Record<string, (request: never) => unknown>): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as { do: string };
    let answer: unknown;
    try {
      answer = await handlers[request.do](request as never);
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
