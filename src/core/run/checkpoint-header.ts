/** What a checkpoint says beside its values: where training stood. */
import type { Config } from '../config/config.js';

export interface CheckpointHeader {
  /** Steps completed. */
  step: number;
  config: Config;
  /** What the next line of the log needs of the steps before this checkpoint. */
  monitor?: MonitorState;
  /** Steps that are drawn otherwise than usual, if there are any. */
  retries?: Retry[];
}

/** Signs that training has collapsed. */
export type Sign = 'discriminator_saturated' | 'encoder_collapsed';

/** For how many consecutive steps each sign has been seen. */
export type Streaks = Partial<Record<Sign, number>>;

export interface MonitorState {
  /** Steps since the last line, and the sums of what they reported. */
  steps: number;
  sums: Record<string, number>;
  streaks: Streaks;
}

/** Steps that failed and were done again from a checkpoint. */
export interface Retry {
  /**
   * Steps completed at the checkpoint that training went back to, and at the failure. The steps between them are drawn
   * anew.
   */
  from: number;
  until: number;
  /** Numbers the draws of a run; 0 is the usual one. */
  draw: number;
  /** How often training has gone back to this checkpoint. */
  tries: number;
}
