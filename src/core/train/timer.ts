/** Speed over the steps of this process since the last line of the log. */
export interface Timer {
  add(stepSeconds: number, waitSeconds: number): void;
  /** Seconds a step, seconds a step spent on waiting for data, and images a second; then it counts anew. */
  take(): { seconds_per_step: number; data_wait_per_step: number; images_per_second: number };
}

export function createTimer(imagesPerStep: number): Timer {
  let [steps, seconds, waited] = [0, 0, 0];
  return {
    add(stepSeconds, waitSeconds) {
      steps++;
      seconds += stepSeconds;
      waited += waitSeconds;
    },
    take() {
      const speed = {
        seconds_per_step: seconds / steps,
        data_wait_per_step: waited / steps,
        images_per_second: (steps * imagesPerStep) / (seconds + waited),
      };
      [steps, seconds, waited] = [0, 0, 0];
      return speed;
    },
  };
}
