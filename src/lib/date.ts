/** A day in milliseconds; days are counted in UTC, where none is shorter or longer. */
export const dayMs = 24 * 60 * 60 * 1000;

/** UTC, ISO 8601, whole seconds. */
export function formatInstant(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The day of an instant: YYYY-MM-DD in UTC. */
export function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
