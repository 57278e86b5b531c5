const LOOK_EVERY_MS = 20

/**
 * Looks again and again until there is something to see, and resolves with it; rejects with `what` when there is
 * nothing in time. The deadline is generous, because only the outcome counts and never how busy the machine is.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  withinMs = 15_000,
): Promise<T> {
  const until = Date.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen !== undefined) return seen
    if (Date.now() > until) throw new Error(`waited ${withinMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** The same for a condition. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs?: number): Promise<void> {
  await eventually(String(condition), async () => ((await condition()) ? true : undefined), withinMs)
}
