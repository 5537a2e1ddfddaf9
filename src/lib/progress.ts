/**
 * Begins to count work of a known size; each call of what it returns says that one more of it is done. In `what` the
 * number takes the place of `#`: "Read the members of # groups".
 */
export type CountWork = (what: string, total: number) => () => void;

/** Counts for nobody. */
export const countSilently: CountWork = () => () => undefined;
