import type { Clock } from '../../src/clock.ts'
import type { Terminal } from '../../src/cli/terminal.ts'

export interface FakeTerminal extends Terminal {
  readonly out: () => string
  readonly err: () => string
  /** Ctrl-C. */
  interrupt(): void
}

/** A terminal that keeps what is written; its clock jumps ahead to whatever is waited for. */
export function fakeTerminal(
  env: Readonly<Record<string, string>> = {},
  options: { readonly interactive?: boolean } = {},
): FakeTerminal {
  const out: string[] = []
  const err: string[] = []
  const controller = new AbortController()
  return {
    write: (text) => void out.push(text),
    complain: (text) => void err.push(text),
    env,
    fetch,
    clock: jumpingClock(),
    interactive: options.interactive ?? false,
    interrupted: controller.signal,
    out: () => out.join(''),
    err: () => err.join(''),
    interrupt: () => controller.abort(),
  }
}

function jumpingClock(): Clock {
  let now = Date.UTC(2026, 0, 5, 12)
  return {
    now: () => now,
    at(at, task) {
      const timer = setImmediate(() => {
        now = Math.max(now, at)
        task()
      })
      return () => clearImmediate(timer)
    },
  }
}
