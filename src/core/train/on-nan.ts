/** What happens when a loss, gradient or weight is not finite: training ends, or goes back (see `retry.ts`). */
export const ON_NAN = ['stop', 'rollback'] as const;
export type OnNan = (typeof ON_NAN)[number];
