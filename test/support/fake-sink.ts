import type { LiveFrame, LiveSink } from '../../src/live/live.ts'

export interface FakeSink extends LiveSink {
  readonly frames: LiveFrame[]
  /** Frames it still takes before it says that it is full. */
  room: number
  /** It refused a frame since it last had room. */
  refused: boolean
  /** What it was never confirmed, oldest first. */
  readonly unconfirmed: { readonly frame: LiveFrame; readonly confirm: () => void }[]
  /** The most notifications that were unconfirmed at once. */
  readonly peak: number
  /** Confirms everything that is on its way. */
  confirmAll(): void
  /** Called before each frame is taken or refused. */
  onSend: ((frame: LiveFrame) => void) | null
  /** The messages of the notifications it took: `number 1` is 1. */
  readonly numbers: readonly number[]
  of(kind: LiveFrame['kind']): readonly Record<string, unknown>[]
}

/** A connection whose room and confirmations are in the test's hands. */
export function fakeSink(options: { readonly proves?: boolean; readonly room?: number } = {}): FakeSink {
  const frames: LiveFrame[] = []
  const unconfirmed: { readonly frame: LiveFrame; readonly confirm: () => void }[] = []
  let peak = 0
  const of = (kind: LiveFrame['kind']) =>
    frames
      .filter((frame) => frame.kind === kind)
      .map((frame) => JSON.parse(frame.payload) as Record<string, unknown>)
  return {
    frames,
    unconfirmed,
    proves: options.proves ?? true,
    room: options.room ?? Infinity,
    refused: false,
    onSend: null,
    get peak() {
      return peak
    },
    get numbers() {
      return of('notification').map((payload) => Number(String(payload['message']).slice('number '.length)))
    },
    of,
    confirmAll() {
      for (const { confirm } of unconfirmed.splice(0)) confirm()
    },
    send(frame, confirmed) {
      this.onSend?.(frame)
      if (this.room <= 0) {
        this.refused = true
        return false
      }
      this.room -= 1
      frames.push(frame)
      unconfirmed.push({ frame, confirm: confirmed })
      peak = Math.max(peak, unconfirmed.filter((entry) => entry.frame.kind === 'notification').length)
      return true
    },
  }
}
