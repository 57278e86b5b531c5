import { spawnSync } from 'node:child_process'

/** How much faster the clock of an accelerated program goes. */
export const SPEED = 60

/**
 * What makes a process' clock and timers, the monotonic ones too, go sixty times as fast (libfaketime), from `now` of
 * the accelerated time on; null where faketime is not installed.
 */
export function accelerated(now: number): Readonly<Record<string, string>> | null {
  const { status, stdout } = spawnSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], {
    encoding: 'utf8',
  })
  if (status !== 0) return null
  const ahead = (now - Date.now()) / 1000
  return { LD_PRELOAD: stdout.trim(), FAKETIME: `${ahead < 0 ? '' : '+'}${ahead.toFixed(3)} x${SPEED}` }
}
