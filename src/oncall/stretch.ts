/** A stretch of time over which a source of duty says the same; open ends are infinite. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

export const ALWAYS: Stretch = { from: -Infinity, to: Infinity }

/** What two stretches, both around the same instant, have in common. */
export function overlap(a: Stretch, b: Stretch): Stretch {
  return { from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }
}

/** Where `at` lies as to a window: in it, before it, or after it. */
export function segmentAt(window: Stretch, at: number): Stretch & { readonly inside: boolean } {
  if (window.from >= window.to) return { ...ALWAYS, inside: false }
  if (at < window.from) return { from: -Infinity, to: window.from, inside: false }
  if (at >= window.to) return { from: window.to, to: Infinity, inside: false }
  return { from: window.from, to: window.to, inside: true }
}

/** Who of several windows has the instant, and over which stretch that is so. */
export function usersAt(
  windows: readonly (Stretch & { readonly user: string })[],
  at: number,
): Stretch & { readonly users: readonly string[] } {
  const users = new Set<string>()
  let stretch = ALWAYS
  for (const window of windows) {
    const segment = segmentAt(window, at)
    stretch = overlap(stretch, segment)
    if (segment.inside) users.add(window.user)
  }
  return { ...stretch, users: [...users] }
}
