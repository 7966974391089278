/** Members of a tar archive in POSIX's ustar form, always the same bytes for the same content: no owner, no time. */

export const TAR_BLOCK = 512;

/** What ends an archive: two blocks of zeros. */
export const TAR_END = new Uint8Array(2 * TAR_BLOCK);

/**
 * A member: its header of one block, its bytes, and zeros up to the next block. `name` is ASCII of up to 100
 * characters.
 */
export function tarMember(name: string, bytes: Uint8Array): Uint8Array {
  const member = Buffer.alloc(TAR_BLOCK + Math.ceil(bytes.length / TAR_BLOCK) * TAR_BLOCK);
  const field = (at: number, text: string) => member.write(text, at, 'latin1');
  const octal = (n: number, digits: number) => `${n.toString(8).padStart(digits, '0')}\0`;
  field(0, name);
  field(100, octal(0o644, 7));
  field(108, octal(0, 7));
  field(116, octal(0, 7));
  field(124, octal(bytes.length, 11));
  field(136, octal(0, 11));
  // The checksum is the sum of the header's bytes with spaces in its own place.
  field(148, '        ');
  field(156, '0');
  field(257, 'ustar\x0000');
  const sum = member.subarray(0, TAR_BLOCK).reduce((total, byte) => total + byte, 0);
  field(148, `${octal(sum, 6)} `);
  member.set(bytes, TAR_BLOCK);
  return member;
}
