import type { Clock } from '../../../clock.ts'
import { fault } from '../../../errors.ts'

/**
 * What the server answers, or a `store.unavailable` fault when it has not by then. Nobody knows what becomes of it in that
 * case; an answer that comes later is not heard.
 */
export async function inTime<T>(clock: Clock, ms: number, asked: Promise<T>): Promise<T> {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.at(clock.now() + ms, () =>
      reject(fault('store.unavailable', `MongoDB takes longer than ${ms / 1000} s`)),
    )
  })
  try {
    return await Promise.race([asked, late])
  } finally {
    cancel()
  }
}
