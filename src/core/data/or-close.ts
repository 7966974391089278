/** Files that stay open only where the work on them succeeds. */

/** What `work` makes of something open; where it fails, that is closed. */
export async function orClose<Open extends { close(): Promise<void> }, Result>(
  open: Open,
  work: (open: Open) => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work(open);
  } catch (error) {
    await open.close();
    throw error;
  }
}
