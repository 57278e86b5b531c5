import type { Core } from '../core.ts'
import type { OptOuts } from './opt-outs.ts'
import { answerKey, type PressedKey } from './pressed-key.ts'
import { reportDelivery, type DeliveryReport } from './delivery-report.ts'
import { createTextReplies, type InboundText } from './text-replies.ts'

/** What comes back from providers. The caller has made sure that it does come from them. */
export interface Callbacks {
  /** A text message from a phone. Resolves with the answer; null for none. */
  text(message: InboundText): Promise<string | null>
  /** A key pressed during a call. Resolves with what is said. */
  key(pressed: PressedKey): Promise<string>
  /** What became of a message or call. */
  report(report: DeliveryReport): Promise<void>
}

export function createCallbacks(core: Core, optOuts: OptOuts): Callbacks {
  const seen = createSeen()
  return {
    text: createTextReplies(core, optOuts, seen),
    key: (pressed) => answerKey(core, seen, pressed),
    report: (report) => reportDelivery(core, report, 0),
  }
}

/** The provider's ids of what was dealt with already: it repeats what it got no answer to. */
export interface Seen {
  /** Runs once per id; a repetition gets `again`. What fails is forgotten, so that a repetition may succeed. */
  once<T>(id: string, act: () => Promise<T>, again: T): Promise<T>
}

const REMEMBERED = 2000

function createSeen(): Seen {
  const ids = new Set<string>()
  return {
    async once(id, act, again) {
      if (ids.has(id)) return again
      ids.add(id)
      for (const oldest of ids) {
        if (ids.size <= REMEMBERED) break
        ids.delete(oldest)
      }
      try {
        return await act()
      } catch (error) {
        ids.delete(id)
        throw error
      }
    },
  }
}
