import type { Rank, WorkPart } from '../collections.ts'
import type { WorkId } from '../../store.ts'
import { slotOf } from './key.ts'

/** Collections whose documents have work, by the letter that begins their work's ids. */
export const WORKING = { d: 'deliveries', a: 'alerts', g: 'digests', r: 'releases' } as const
export type WorkingLetter = keyof typeof WORKING

/** Where the work of a lane is. Lanes that are not the store's own are those of deliveries. */
export function letterOf(lane: string): WorkingLetter {
  return lane === 'escalate' ? 'a' : lane === 'digest' ? 'g' : lane === 'release' ? 'r' : 'd'
}

/** The port's id of the work of a document. */
export function workIdOf(letter: WorkingLetter, id: string): string {
  return `${letter}:${id}`
}

/** Undoes {@link workIdOf}; null for what is none of this store's. */
export function placeOf(workId: WorkId): { readonly letter: WorkingLetter; readonly _id: string } | null {
  if (typeof workId !== 'string' || workId[1] !== ':') return null
  const letter = workId[0] as string
  return letter in WORKING ? { letter: letter as WorkingLetter, _id: workId.slice(2) } : null
}

/** Work that nobody has taken yet. */
export function newWork(
  _id: string,
  {
    lane,
    rank = 0,
    dueAt,
    order,
  }: { readonly lane: string; readonly rank?: Rank; readonly dueAt: number; readonly order: number },
): WorkPart {
  return { lane, rank, dueAt, leased: false, crashes: 0, order, slot: slotOf(_id) }
}
