import { parseDuration } from '../duration.ts'
import { CliFailure, type Terminal } from './terminal.ts'

/** When something is to end: at an instant, or so long after `from`. */
export interface EndOptions {
  readonly for?: string
}

/** RFC 3339 of `from` and the duration of `--for`; a usage failure where it is none. */
export function endAfter(from: number, duration: string): string {
  const ms = parseDuration(duration)
  if (ms === null || ms === 0)
    throw new CliFailure(2, `--for is a duration such as 30m or 2h, found "${duration}"`)
  return new Date(from + ms).toISOString()
}

/** What was given of an instant and `--for`, of which exactly one is wanted; `name` is that of the other option. */
export function endOf(
  given: { readonly at: string | undefined; readonly name: string } & EndOptions,
  terminal: Terminal,
): string {
  const { at, name, for: duration } = given
  if ((at === undefined) === (duration === undefined))
    throw new CliFailure(2, `give either --${name} <instant> or --for <duration>`)
  return at ?? endAfter(terminal.clock.now(), duration ?? '')
}
