/** Whether a value is of a setting's type, and in its range: both follow from the table of settings. */
import { checkChoice, checkWhole, type Range } from '../checks.js';
import { usage } from '../errors.js';
import type { Kind } from './settings/setting.js';
import { SETTINGS } from './settings.js';

/**
 * A value of the type that the setting has; a list may be empty only where it is so already.
 * @param source what gave the value, such as `--set` or a file
 * @throws UserError
 */
export function checkedType(path: string, current: unknown, value: unknown, source: string): unknown {
  const kind = SETTINGS.get(path)?.kind ?? WORD;
  if (isOfType(kind, value, current)) return value;
  throw usage(`expected ${typeName(kind, source)} for ${path} in ${source}, got ${JSON.stringify(value)}`);
}

/** The text of `--set` as a value of the setting's type; lists are separated by commas. */
export function parseSetting(path: string, text: string): unknown {
  const { type } = SETTINGS.get(path)?.kind ?? WORD;
  if (type === 'wholes' || type === 'words') {
    const items = text
      .replace(/^\[|\]$/g, '')
      .split(',')
      .filter((item) => item.trim() !== '');
    return items.map((item) => (type === 'wholes' ? number(item) : item.trim().replace(/^"(.*)"$/, '$1')));
  }
  if (text === 'null' || text === 'true' || text === 'false') return JSON.parse(text);
  return holdsWord(SETTINGS.get(path)?.kind ?? WORD) ? text : number(text);
}

/** @throws UserError that names the setting and what it may be */
export function checkRange(path: string, value: unknown): void {
  const { kind } = SETTINGS.get(path)!;
  if (value === null && 'nullable' in kind) return;
  if (kind.type === 'whole') checkWhole(path, value as number, kind);
  if (kind.type === 'wholes') (value as number[]).forEach((item, i) => checkWhole(`${path}[${i}]`, item, kind));
  if (kind.type === 'number') checkNumber(path, value as number, kind);
  if (kind.type === 'choice') checkChoice(path, value as string, kind.choices);
}

function checkNumber(path: string, value: number, { least = -Infinity, most = Infinity }: Range): void {
  if (!(value >= least && value <= most)) throw usage(`expected ${least} to ${most} for ${path}, got ${value}`);
}

/** Of the name of the preset, which is no setting. */
const WORD: Kind = { type: 'choice', choices: [''] };

const holdsWord = (kind: Kind) => kind.type === 'choice' && typeof kind.choices[0] === 'string';

const number = (text: string): unknown => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text);

function isOfType(kind: Kind, value: unknown, current: unknown): boolean {
  if (kind.type === 'wholes' || kind.type === 'words') {
    const item = kind.type === 'wholes' ? 'number' : 'string';
    const mayBeEmpty = Array.isArray(current) && current.length === 0;
    return Array.isArray(value) && (value.length > 0 || mayBeEmpty) && value.every((each) => typeof each === item);
  }
  if (value === null) return 'nullable' in kind;
  if (kind.type === 'boolean') return typeof value === 'boolean';
  return typeof value === (holdsWord(kind) ? 'string' : 'number');
}

function typeName(kind: Kind, source: string): string {
  const commas = source === '--set' ? ', separated by commas,' : '';
  if (kind.type === 'wholes') return `a list of numbers${commas}`;
  if (kind.type === 'words') return `a list of strings${commas}`;
  if (kind.type === 'boolean') return 'true or false';
  return holdsWord(kind) ? 'a string' : 'nullable' in kind ? 'a number or null' : 'a number';
}
