/** L-BFGS over a range of penalties, which says how it goes and keeps its state in a file. */
import type { Engine } from '../../backend/engine.js';
import { type LbfgsProbeState, lbfgsProbe } from '../../metrics/probe/lbfgs-probe.js';
import type { ProbeEvents, ProbeQuestion } from './probe-question.js';
import { readProbeState, writeProbeState } from './probe-state-file.js';

/** Between two states of a long computation. */
const STATE_SECONDS = 30;

/** `digests` are of the features: a state of others is refused. */
export async function resumableLbfgs(
  engine: Engine,
  { penalties, iterations, tolerance, state, seed }: ProbeQuestion,
  sets: Pick<Parameters<typeof lbfgsProbe>[1], 'train' | 'test' | 'holdout'>,
  digests: string,
  events: ProbeEvents,
) {
  const { holdout, train } = sets;
  const asked = JSON.stringify({ digests, width: train.width, penalties, holdout, seed });
  const resume = state ? await readProbeState(state, asked) : undefined;
  if (resume)
    events.note(
      `going on from ${state}: ${resume.solved.length} penalties done, ${resume.lbfgs.iterations} iterations of the next`,
    );
  let saved = performance.now();
  let stages = -1;
  // With rows held out, the chosen penalty is solved for once more on all rows.
  const stagesInAll = holdout > 0 ? penalties.length + 1 : 1;
  let [done, words, rows] = [resume?.solved.length ?? 0, '', 0];
  const say = () => {
    const pass = rows < train.rows ? `; ${Math.floor((100 * rows) / train.rows)} % of a pass` : '';
    events.progress(done, stagesInAll, `(fit ${done + 1}${words}${pass})`);
  };
  const solved = await lbfgsProbe(engine, {
    ...sets,
    penalties,
    seed,
    iterations,
    tolerance,
    resume,
    onRows(count) {
      rows = count;
      say();
    },
    async onIteration(current: LbfgsProbeState, objective, gradient) {
      done = current.solved.length;
      words = `, iteration ${current.lbfgs.iterations}: objective ${objective.toFixed(6)}, gradient ${gradient.toExponential(1)}, wanted ${tolerance.toExponential(1)}`;
      const due = done !== stages || performance.now() - saved > 1000 * STATE_SECONDS;
      if (!state || !due) return;
      await writeProbeState(state, asked, current);
      stages = done;
      saved = performance.now();
    },
  });
  events.progress(stagesInAll, stagesInAll);
  const { gradient, iterations: used } = solved.final;
  if (gradient > tolerance) {
    const where = `at a gradient of ${gradient.toExponential(1)}, above --tolerance ${tolerance}`;
    const why =
      used >= iterations
        ? `at --iterations ${iterations}, ${where}: a larger number lets it go on`
        : `${where}, where single precision lets it get no further`;
    events.warn(`L-BFGS stopped before the optimum, ${why}`);
  }
  return solved;
}
