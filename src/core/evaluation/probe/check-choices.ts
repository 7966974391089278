/** Whether each choice of a probe can be made. */
import { checkChoice, checkList, checkNumber, checkWhole, checkWholes } from '../../checks.js';
import { type ProbeQuestion, SCHEDULES, SOLVERS } from './probe-question.js';

/** @throws UserError that names the option and what it may be */
export function checkChoices(
  choices: Partial<Omit<ProbeQuestion, 'train' | 'test' | 'seed'>> & { seeds?: readonly number[] },
): void {
  checkChoice('--solver', choices.solver, SOLVERS);
  checkChoice('--schedule', choices.schedule, SCHEDULES);
  const lists = { '--learning-rates': choices.learningRates, '--penalties': choices.penalties };
  for (const [name, values] of Object.entries(lists)) {
    checkList(name, values);
    for (const value of values ?? []) checkNumber(name, value, 'of 0 or more', (number) => number >= 0);
  }
  const { steps, epochs, iterations } = choices;
  for (const [name, value] of Object.entries({ steps, epochs, iterations })) {
    checkWhole(`--${name}`, value, { least: 1 });
  }
  checkWhole('--batch-size', choices.batchSize, { least: 1 });
  checkWhole('--holdout', choices.holdout);
  checkWholes('--seeds', choices.seeds);
  checkNumber('--average', choices.average, 'from 0 to less than 1', (value) => value >= 0 && value < 1);
  checkNumber('--tolerance', choices.tolerance, 'above 0', (value) => value > 0);
}
