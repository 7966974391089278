/**
 * What the log says of the steps since its last line; it is part of a checkpoint, so that lines do not depend on
 * interruptions.
 */

import type { Config } from '../config/config.js';
import type { MonitorState } from '../run/checkpoint-header.js';
import { countSigns, lastingSigns, warnings } from './collapse.js';

export interface Monitor {
  /** Takes in a step's report, and gives warnings if there are any. */
  add(values: Record<string, number>): string[];
  /** Means since the last line and signs of collapse, for a line. */
  take(): Record<string, unknown>;
  /** Undefined where there is nothing to keep. */
  state(): MonitorState | undefined;
}

export function createMonitor(config: Config, start?: MonitorState): Monitor {
  let { steps, sums, streaks }: MonitorState = start ? structuredClone(start) : { steps: 0, sums: {}, streaks: {} };
  return {
    add(values) {
      for (const [name, value] of Object.entries(values)) sums[name] = (sums[name] ?? 0) + value;
      steps++;
      streaks = countSigns(streaks, values, config);
      return warnings(streaks);
    },
    take() {
      const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / steps]));
      const collapse = lastingSigns(streaks);
      [steps, sums] = [0, {}];
      return { ...means, ...(collapse.length > 0 && { collapse }) };
    },
    state: () => (steps === 0 && Object.keys(streaks).length === 0 ? undefined : { steps, sums, streaks }),
  };
}
