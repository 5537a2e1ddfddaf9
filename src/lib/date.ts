/** A day in milliseconds; days are counted in UTC, where all are equally long. */
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

/** Days from one YYYY-MM-DD to another, negative when the second is earlier. */
export function countDays(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
}

/** How many days before its end people are told that something ends. */
export const warningDays = 7;

/** How long something lasts whose last day is within the time of warning, else null. */
export function describeDaysLeft(today: string, until: string): string | null {
  const days = countDays(today, until);
  if (days < 0 || days > warningDays) return null;
  return days === 0 ? "today is the last day" : `${days} ${days === 1 ? "day" : "days"} left`;
}
