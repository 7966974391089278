/** What a run in training writes down on its way: lines of the log, sheets, evaluations. */
import { appendJsonl } from '../formats/jsonl.js';
import { writeSheets } from './progress-sheets.js';
import { saveTraining, takeStatistics } from './save.js';
import { learningRates } from './step/schedule.js';
import { epochOf, type Training } from './training.js';

/** A line of log.jsonl, of the steps since the last one. */
export async function writeLogLine(training: Training): Promise<void> {
  const { settings, monitor, timer, events, step } = training;
  const rates = learningRates(step - 1, settings.config);
  const line = { step, epoch: epochOf(training), ...monitor.take(), ...rates, ...timer.take() };
  await appendJsonl(settings.folder.log, line);
  await events.numbers(step, 'train', line);
}

/** Sheets of samples and of reconstructions. */
export async function drawSheets(training: Training): Promise<void> {
  const { settings, trainer, events, originals, step } = training;
  const { engine, config, folder, on } = settings;
  await takeStatistics(training);
  for (const { name, path, png } of await writeSheets(engine, trainer.model, { config, folder, step, originals })) {
    on({ kind: 'wrote', path });
    await events.picture(step, name, png);
  }
}

/** Evaluates this step if that is due, and names its checkpoint the best if it is. */
export async function evaluateIfDue(training: Training): Promise<void> {
  const { settings, trainer, events, evaluations, writer, step } = training;
  if (!evaluations || !(await evaluations.due(step))) return;
  await takeStatistics(training);
  // An evaluation that is broken off is made when the run goes on; that of the last step would never be.
  const stopped = () => step < settings.config.train.steps && settings.stopped();
  const done = await evaluations.evaluate({ step, epoch: epochOf(training) }, trainer.model, stopped);
  if (!done) return;
  const { line, best } = done;
  settings.on({ kind: 'evaluated', line, best });
  const { protocol: _, ...numbers } = line;
  await events.numbers(step, 'evaluation', numbers);
  if (!best) return;
  await saveTraining(training);
  await writer.settle();
  await evaluations.markBest(step);
}
