import type { Clock } from '../../clock.ts'

/** The longest keepalive that counts; a client that asks for more, or for none, gets this one (security row 15). */
export const LONGEST_KEEPALIVE_SECONDS = 1200

/** How long a connection may be silent: one and a half times its keepalive [MQTT-3.1.2-24]. */
export function silenceMs(keepaliveSeconds: number): number {
  const seconds =
    keepaliveSeconds === 0 ? LONGEST_KEEPALIVE_SECONDS : Math.min(keepaliveSeconds, LONGEST_KEEPALIVE_SECONDS)
  return seconds * 1500
}

export interface IdleWatch {
  readonly clock: Clock
  readonly silenceMs: number
  /** When the last packet came. */
  readonly lastAt: () => number
  /** Whether the peer is not being read: its pings wait behind what it has sent. */
  readonly excused: () => boolean
  readonly onSilent: () => void
}

/** Calls `onSilent` once when nothing came for too long. Returns a function that ends the watch. */
export function watchSilence(watch: IdleWatch): () => void {
  const { clock } = watch
  let heardAt = clock.now()
  let cancel = () => {}
  const check = () => {
    heardAt = watch.excused() ? clock.now() : Math.max(heardAt, watch.lastAt())
    if (clock.now() - heardAt >= watch.silenceMs) watch.onSilent()
    else cancel = clock.at(heardAt + watch.silenceMs, check)
  }
  cancel = clock.at(heardAt + watch.silenceMs, check)
  return () => cancel()
}
