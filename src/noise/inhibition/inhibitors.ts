import type { Alert } from '../../alert/alert.ts'
import type { Inhibition } from './inhibition.ts'

/** Which open alerts keep which others quiet; in memory, made anew from the open alerts whenever the rules change. */
export interface Inhibitors {
  /** An alert was opened or changed; a resolved one is forgotten. */
  changed(alert: Alert): void
  /** The open alert that keeps this one quiet; null when there is none. Never a circle: some alert of it is told of. */
  sourceOf(target: Alert): Alert | null
  /** The open alerts that this one may keep quiet, open or just resolved. */
  targetsOf(source: Alert): readonly Alert[]
}

/** The open alerts of one key of one rule, by id. */
interface Pair {
  readonly sources: Map<string, Alert>
  readonly targets: Map<string, Alert>
}

export function createInhibitors(rules: readonly Inhibition[]): Inhibitors {
  const open = new Map<string, Alert>()
  const pairs = new Map<string, Pair>()
  const ends = (alert: Alert) =>
    rules.flatMap((rule, index) =>
      (['source', 'target'] as const).flatMap((end) => {
        const key = end === 'source' ? rule.sourceKey(alert) : rule.targetKey(alert)
        return key === null ? [] : [{ rule, end, name: `${alert.tenant} ${index} ${key}` }]
      }),
    )
  const forget = (alert: Alert) => {
    for (const { name } of ends(alert)) {
      const pair = pairs.get(name)
      pair?.sources.delete(alert.id)
      pair?.targets.delete(alert.id)
      if (pair?.sources.size === 0 && pair.targets.size === 0) pairs.delete(name)
    }
  }
  const sourcesOf = function* (target: Alert): Generator<Alert> {
    for (const { rule, end, name } of ends(target)) {
      if (end !== 'target') continue
      for (const source of pairs.get(name)?.sources.values() ?? [])
        if (rule.covers(source, target)) yield source
    }
  }
  /** Whether `by` explains the alert, however many others stand between them. */
  const follows = (alert: Alert, by: Alert, seen = new Set([alert.id])): boolean => {
    for (const source of sourcesOf(alert)) {
      if (source.id === by.id) return true
      if (seen.has(source.id)) continue
      seen.add(source.id)
      if (follows(source, by, seen)) return true
    }
    return false
  }

  return {
    changed(alert) {
      const known = open.get(alert.id)
      if (known) forget(known)
      open.delete(alert.id)
      if (alert.status === 'resolved') return
      open.set(alert.id, alert)
      for (const { end, name } of ends(alert)) {
        let pair = pairs.get(name)
        if (!pair) pairs.set(name, (pair = { sources: new Map(), targets: new Map() }))
        pair[end === 'source' ? 'sources' : 'targets'].set(alert.id, alert)
      }
    },
    sourceOf(target) {
      // Of alerts that explain each other in a circle, an older one counts: else all of them would be lost.
      for (const source of sourcesOf(target))
        if (isOlder(source, target) || !follows(source, target)) return source
      return null
    },
    targetsOf: (source) =>
      ends(source).flatMap(({ end, name }) =>
        end === 'source' ? [...(pairs.get(name)?.targets.values() ?? [])] : [],
      ),
  }
}

const INHIBITED = 'alert:'

/** How `suppressed_by` names an alert. */
export function inhibitedBy(source: Alert): string {
  return INHIBITED + source.id
}

/** Whether what keeps the alert quiet is another alert. */
export function isInhibited({ suppressedBy }: Pick<Alert, 'suppressedBy'>): boolean {
  return suppressedBy?.startsWith(INHIBITED) ?? false
}

function isOlder(alert: Alert, than: Alert): boolean {
  return alert.createdAt === than.createdAt ? alert.id < than.id : alert.createdAt < than.createdAt
}
