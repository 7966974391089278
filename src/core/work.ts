/** What every long function of the library has in common: what it reports while it works, and how it is stopped. */

/** Something that happened. No function of the library prints: a caller that wants to show it listens. */
export type WorkEvent =
  | { kind: 'note'; message: string }
  | { kind: 'warning'; message: string }
  /** `done` of `total` units of `task`, such as images; `words` says how it goes. */
  | { kind: 'progress'; task: string; done: number; total: number; words?: string };

export interface WorkOptions<Event = WorkEvent> {
  /** Called with each event, in order. */
  on?: (event: Event) => void;
  /** Stops the work at the next good moment; what then happens is stated at each function. */
  signal?: AbortSignal;
}

export interface EngineWorkOptions<Event = WorkEvent> extends WorkOptions<Event> {
  /** Threads of TensorFlow's kernels, default all cores. Only the first call that starts the engine decides. */
  threads?: number;
}
