import type { Alert } from '../../alert/alert.ts'
import { ALERT_LEVELS } from '../../alert/alert.ts'
import type { Config } from '../../config/schema/schema.ts'
import { fitsPattern } from '../../directory/alert-type.ts'
import { durationMs } from '../../duration.ts'
import { matches, type AlertMatch } from '../silence.ts'

/** How one kind of alert keeps another quiet. Two alerts belong together when both keys are there and are equal. */
export interface Inhibition {
  /** Null: the alert is no source of this rule. */
  sourceKey(alert: Alert): string | null
  /** Null: the alert is no target of this rule. What is a source of a rule is never its target, so no alert inhibits itself. */
  targetKey(alert: Alert): string | null
  /** Whether this source may keep that target quiet, when they belong together. */
  covers(source: Alert, target: Alert): boolean
  /** How long a target waits for its source before it pages. */
  readonly holdMs: number
  /** How long a target that its source has left has to end by itself. */
  readonly graceMs: number
  /** Whether the targets are resolved with the source instead of paging after the grace. */
  readonly closes: boolean
}

/** The rules of `inhibit` and `inhibit_tree`, in that order. */
export function inhibitionsOf({ inhibit, inhibit_tree: trees }: Pick<Config, 'inhibit' | 'inhibit_tree'>) {
  return [...inhibit.map(byRule), ...trees.map(byTree)] as readonly Inhibition[]
}

function byRule(rule: Config['inhibit'][number]): Inhibition {
  const isSource = (alert: Alert) => matches(rule.source as AlertMatch, alert)
  const keyOf = (alert: Alert) => {
    const values = rule.equal.map((field) => fieldOf(alert, field))
    // Two alerts that both lack a field have nothing in common.
    return values.includes(null) ? null : JSON.stringify(values)
  }
  return {
    sourceKey: (alert) => (isSource(alert) ? keyOf(alert) : null),
    targetKey: (alert) =>
      !isSource(alert) && matches(rule.target as AlertMatch, alert) ? keyOf(alert) : null,
    covers: () => true,
    ...timesOf(rule),
  }
}

/** The value that has to be equal, as text; null when the alert has none. */
export function fieldOf(alert: Alert, field: string): string | null {
  const value = field.startsWith('data.') ? dataOf(alert.data, field.slice(5)) : alert[field as 'source']
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null
}

function dataOf(data: Alert['data'], name: string): unknown {
  // The publisher chose the names.
  return Object.hasOwn(data, name) ? data[name] : undefined
}

function byTree(tree: Config['inhibit_tree'][number]): Inhibition {
  const shared = namesIn(tree.pattern).filter((name) => namesIn(tree.children).includes(name))
  const keyOf = (values: Readonly<Record<string, string>> | null) =>
    values && JSON.stringify(shared.map((name) => values[name]))
  const parentOf = (alert: Alert) =>
    tree.type === undefined || fitsPattern(alert.type, tree.type) ? place(tree.pattern, alert) : null
  return {
    sourceKey: (alert) => keyOf(parentOf(alert)),
    // Another alert about the gateway itself is none of its children.
    targetKey: (alert) => (place(tree.pattern, alert) === null ? keyOf(place(tree.children, alert)) : null),
    // A remark about a gateway does not explain a fire behind it.
    covers: (source, target) =>
      ALERT_LEVELS.indexOf(source.severity) <= ALERT_LEVELS.indexOf(target.severity),
    ...timesOf(tree),
  }
}

/** Where in the topic tree an alert is: by its source, else by the topic it was published to. */
function place(pattern: string, { source, origin }: Alert): Readonly<Record<string, string>> | null {
  return (source === null ? null : valuesIn(pattern, source)) ?? valuesIn(pattern, origin.topic)
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}$/

/** Names of the parameters in a pattern such as `plant/{site}/gw`. */
export function namesIn(pattern: string): readonly string[] {
  return pattern.split('/').flatMap((level) => PARAMETER.exec(level)?.[1] ?? [])
}

/** What the parameters of the pattern stand for in a topic; `+` is any level, a last `#` all that follow. Null: no fit. */
export function valuesIn(pattern: string, topic: string): Readonly<Record<string, string>> | null {
  const levels = topic.split('/')
  const values: [string, string][] = []
  const wanted = pattern.split('/')
  for (const [index, want] of wanted.entries()) {
    if (want === '#') return levels.length > index ? Object.fromEntries(values) : null
    const level = levels[index]
    if (level === undefined) return null
    const name = PARAMETER.exec(want)?.[1]
    if (name !== undefined) values.push([name, level])
    else if (want !== '+' && want !== level) return null
  }
  return levels.length === wanted.length ? Object.fromEntries(values) : null
}

function timesOf(rule: { readonly hold: string; readonly grace: string; readonly when_over: string }) {
  return {
    holdMs: durationMs(rule.hold),
    graceMs: durationMs(rule.grace),
    closes: rule.when_over === 'resolve',
  }
}
