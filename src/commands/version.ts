/** What `bigbigan --version` says. */

export async function versionText(version: string): Promise<string> {
  return `bigbigan ${version}`;
}
