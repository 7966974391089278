/** Text for a terminal: control characters, such as those of file names from elsewhere, are shown and not obeyed. */
export function printable(text: string): string {
  return [...text].map((character) => (isControl(character) ? escaped(character) : character)).join('');
}

function isControl(character: string): boolean {
  const code = character.codePointAt(0)!;
  return (code < 0x20 && character !== '\n' && character !== '\t') || (code >= 0x7f && code < 0xa0);
}

const escaped = (character: string) => `\\x${character.codePointAt(0)!.toString(16).padStart(2, '0')}`;
