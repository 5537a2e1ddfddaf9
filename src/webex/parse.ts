import * as v from "valibot";
import { WebexError } from "./errors.ts";

/**
 * Checks a reply's shape and gives it its type.
 * @throws {WebexError} naming the place where the reply is not as documented.
 */
export function parseReply<Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
  method: string,
  path: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, body, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? "the reply";
  const detail = `the reply is not as documented: ${place}: expected ${issue.expected ?? "something else"}`;
  throw new WebexError({ method, path, status: 200, detail, trackingId: null });
}
