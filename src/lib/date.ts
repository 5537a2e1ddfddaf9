/** A day in milliseconds; days are counted in UTC, where none is shorter or longer. */
export const dayMs = 24 * 60 * 60 * 1000;

/** UTC, ISO 8601, whole seconds. */
export function formatTimestamp(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The day of an instant: YYYY-MM-DD in UTC. */
export function toDateString(date: Date): string {
  return date.toISOString().slice(0, 10);
}

/** True for a day of the calendar, written YYYY-MM-DD. */
export function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && toDateString(date) === text;
}
