/**
 * How far a device has come: the `id` of a frame, and what `Last-Event-ID` and `since` bring back. Notifications count
 * by their place in the inbox, domain events by their number in one run of the program.
 */
export interface Position {
  /** The last notification's `seq`; -1 before any. */
  readonly seq: number
  /** Of the run that numbered the event. */
  readonly run: string
  /** The last event's number; 0 before any. */
  readonly event: number
}

const FORM = /^(-1|\d{1,15})\.([0-9a-z]{1,16})\.(\d{1,15})$/

export function formatPosition({ seq, run, event }: Position): string {
  return `${seq}.${run}.${event}`
}

/** Null for what {@link formatPosition} never made. */
export function parsePosition(text: string): Position | null {
  const [, seq, run, event] = FORM.exec(text) ?? []
  if (seq === undefined || run === undefined || event === undefined) return null
  return { seq: Number(seq), run, event: Number(event) }
}
