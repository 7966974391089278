/** A CSV (or TSV) file of image paths and, if wanted, labels; relative paths start at the file's own folder. */

import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expected } from '../../errors.js';
import { exists } from '../../formats/exists.js';
import { DECODERS, mapOrdered } from '../images/ordered.js';
import { classNumbers, type ImageSource, type SourceItem } from './source.js';

const PATH_NAMES = ['path', 'file', 'filename', 'file_name', 'filepath', 'image', 'image_path'];
const LABEL_NAMES = [
  'label',
  'labels',
  'class',
  'classes',
  'class_id',
  'class_name',
  'category',
  'category_id',
  'target',
  'y',
];
/** More classes than this in whole-number labels means that the column is something else. */
const MOST_CLASSES = 1_000_000;

interface Row {
  line: number;
  id: string;
  path: string;
  text?: string;
}

/**
 * A first line that names its columns (path, label) is a header, and its other columns must be none; without one the
 * first column is the path and the second, if there is one, the label. Labels that are all whole numbers are taken as
 * class numbers, others as names.
 */
export async function openCsv(path: string): Promise<ImageSource> {
  const rows = readRows(decoded(await readFile(path)), path);
  if (rows.length === 0) throw expected('at least one line with an image', path, 'none');
  await checkPresent(rows, path);
  const labels = rows[0].text === undefined ? undefined : labelsOf(rows, path);
  async function* items(wanted: (index: number) => boolean): AsyncGenerator<SourceItem> {
    for (const [index, row] of rows.entries()) {
      if (wanted(index)) yield { index, id: row.id, label: labels?.numbers[index], image: { path: row.path } };
    }
  }
  const files = [path, ...rows.map((row) => row.path)];
  return { format: 'csv', files, count: rows.length, classes: labels?.classes, items };
}

function readRows(text: string, path: string): Row[] {
  const lines = parseLines(text, path);
  const names = (lines[0]?.record ?? []).map((name) => name.trim().toLowerCase());
  const pathColumn = names.findIndex((name) => PATH_NAMES.includes(name));
  const header = pathColumn >= 0;
  const labelColumn = header ? names.findIndex((name) => LABEL_NAMES.includes(name)) : 1;
  if (header && labelColumn < 0 && names.length > 1) {
    const others = names.filter((_, column) => column !== pathColumn);
    throw expected(
      `a column of labels (${LABEL_NAMES.slice(0, 3).join(', ')}, …) or of paths alone`,
      path,
      others.join(', '),
      'call the column of labels "label", or leave the other columns out',
    );
  }
  return lines.slice(header ? 1 : 0).map(({ record, line }) => {
    const id = record[header ? pathColumn : 0].trim();
    if (id === '') throw expected('a path', `line ${line} of ${path}`, 'nothing');
    return { line, id, path: isAbsolute(id) ? id : join(dirname(path), id), text: record[labelColumn]?.trim() };
  });
}

/** UTF-8, or UTF-16 by its byte-order mark, as spreadsheets save it. */
function decoded(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return bytes.toString('utf8');
}

/** Tab or semicolon where the first line has one and no comma. */
function delimiterOf(text: string, path: string): string {
  if (/\.tsv$/i.test(path)) return '\t';
  const [first] = text.split(/\r?\n/, 1);
  if (first.includes(',')) return ',';
  return first.includes('\t') ? '\t' : first.includes(';') ? ';' : ',';
}

function parseLines(text: string, path: string): { record: string[]; line: number }[] {
  try {
    const records = parse(text, {
      bom: true,
      delimiter: delimiterOf(text, path),
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    throw expected(
      'a CSV file of path,label',
      path,
      (error as Error).message,
      'quote fields that hold commas or quotes',
    );
  }
}

async function checkPresent(rows: readonly Row[], path: string): Promise<void> {
  const missing: Row[] = [];
  for await (const absent of mapOrdered(rows, 4 * DECODERS, async (row) =>
    (await exists(row.path)) ? undefined : row,
  )) {
    if (absent) missing.push(absent);
  }
  if (missing.length === 0) return;
  const { id, line } = missing[0];
  const hint =
    line === 1
      ? 'if line 1 is a header, call its columns path and label; paths are relative to the file'
      : 'paths are relative to the file that lists them';
  throw expected(
    `${rows.length} images`,
    path,
    `${missing.length} that do not exist, first ${id} (line ${line})`,
    hint,
  );
}

function labelsOf(rows: readonly Row[], path: string): { numbers: number[]; classes: string[] } {
  const bare = rows.find(({ text }) => text === undefined || text === '');
  if (bare) throw expected('a label on every line or on none', path, `none on line ${bare.line}`);
  const texts = rows.map(({ text }) => text!);
  const float = texts.find((text) => /^-?\d+[.,]\d+$|^-\d+$/.test(text));
  if (float !== undefined && texts.every((text) => /^-?[\d.,]+$/.test(text))) {
    throw expected('class names, or class numbers from 0 on', `the labels of ${path}`, float, 'write 2 for 2.0');
  }
  if (!texts.every((text) => /^\d+$/.test(text))) {
    const numbers = classNumbers(texts, path);
    return { numbers: texts.map((text) => numbers.get(text)!), classes: [...numbers.keys()] };
  }
  const numbers = texts.map(Number);
  const largest = numbers.reduce((a, b) => Math.max(a, b), 0);
  if (largest >= MOST_CLASSES)
    throw expected(`class numbers below ${MOST_CLASSES}`, `the labels of ${path}`, `${largest}`);
  return { numbers, classes: Array.from({ length: largest + 1 }, (_, i) => String(i)) };
}
