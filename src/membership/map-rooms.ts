import { createSemaphore } from "../lib/semaphore.ts";

/** As many requests as may be under way want a room each, as long as the rooms are no bigger than most. */
const membersAtOnce = 64_000;
const leastMembers = 1_000;

/**
 * Works on rooms side by side and returns the results in their order. `sizeOf` estimates how many members a room has:
 * fewer are worked on at once where they are big, because the members of each are held until all have arrived.
 */
export async function mapRooms<Room, Result>(
  rooms: readonly Room[],
  sizeOf: (room: Room) => number,
  work: (room: Room) => Promise<Result>,
): Promise<readonly Result[]> {
  const semaphore = createSemaphore(membersAtOnce);
  return await Promise.all(
    rooms.map((room) => semaphore.run(() => work(room), Math.max(leastMembers, sizeOf(room)))),
  );
}
