import { parseDuration } from '../../duration.ts'
import { parsePattern } from '../../router/topic.ts'
import { compileExpression } from '../../rules/expression.ts'
import { FACT_NAMES } from '../../rules/rule.ts'
import { compileTemplate, formatTemplateFault } from '../../template/template.ts'
import type { Finding, Path } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { suggest } from '../suggest.ts'

type Rule = Config['rules'][number]

const SOURCES = ['topic', 'event', 'expect'] as const
/** Ids stand in keys, and those of heartbeats in topics. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/

/** Every rule looks at one thing, does something, and what stands in it can be read; each fault at its place. */
export function checkRules({ rules, tenants }: Config): Finding[] {
  const seen = new Set<string>()
  return rules.flatMap((rule, index) => {
    const path = ['rules', index]
    const twice = seen.has(rule.id)
    seen.add(rule.id)
    return [
      ...nameFault(rule.id, [...path, 'id']),
      ...(twice ? [{ path: [...path, 'id'], message: `another rule is called ${rule.id} too` }] : []),
      ...tenantFault(rule.tenant, tenants, [...path, 'tenant']),
      ...shapeFaults(rule, path),
      ...periodFault(rule.every, [...path, 'every']),
      ...contentFaults(rule, path),
    ]
  })
}

/** Heartbeats have names that fit into a topic. */
export function checkHeartbeats({ heartbeats, tenants }: Config): Finding[] {
  return Object.entries(heartbeats).flatMap(([name, { tenant, every, alert }]) => {
    const path = ['heartbeats', name]
    return [
      ...nameFault(name, path).map((finding) => ({ ...finding, atKey: true })),
      ...tenantFault(tenant, tenants, [...path, 'tenant']),
      ...periodFault(every, [...path, 'every']),
      ...templateFaults(alert?.message, [...path, 'alert', 'message']),
    ]
  })
}

function nameFault(name: string, path: Path): Finding[] {
  if (NAME.test(name)) return []
  return [{ path, message: `"${name}" is no name of letters, digits, _ . and -` }]
}

function tenantFault(tenant: string, tenants: Config['tenants'], path: Path): Finding[] {
  const known = ['default', ...Object.keys(tenants)]
  if (known.includes(tenant)) return []
  return [{ path, message: `unknown tenant "${tenant}"`, suggestion: suggest(tenant, known) }]
}

/** Whatever has to come all the time is always late. */
function periodFault(every: string | undefined, path: Path): Finding[] {
  return every === undefined || parseDuration(every) !== 0 ? [] : [{ path, message: 'must be longer than 0' }]
}

/** What belongs together. */
function shapeFaults(rule: Rule, path: Path): Finding[] {
  const findings: Finding[] = []
  const at = (key: string, message: string) => findings.push({ path: [...path, key], message })
  const given = SOURCES.filter((source) => rule[source] !== undefined)
  if (given.length === 0) findings.push({ path, message: 'needs topic, event or expect' })
  for (const surplus of given.slice(1)) at(surplus, `stands beside ${given[0]}; a rule looks at one of them`)
  if (rule.expect === undefined) {
    for (const key of ['every', 'unless'] as const)
      if (rule[key] !== undefined) at(key, 'counts only with expect')
    if (rule.alert === undefined && rule.notify === undefined)
      findings.push({ path, message: 'does nothing; give it an alert or notify' })
  } else {
    for (const key of ['every', 'alert'] as const)
      if (rule[key] === undefined) findings.push({ path: [...path, key], message: 'is missing' })
    for (const key of ['when', 'resolve_when', 'notify'] as const)
      if (rule[key] !== undefined) at(key, 'does not count with expect')
  }
  if (rule.resolve_when !== undefined && rule.alert === undefined)
    at('resolve_when', 'ends an alert, but the rule has none')
  const { notify } = rule
  if (notify !== undefined) {
    const to = (['user', 'group', 'broadcast'] as const).filter((key) => notify[key] !== undefined)
    if (to.length !== 1) at('notify', 'needs exactly one of user, group and broadcast')
  }
  return findings
}

function contentFaults(rule: Rule, path: Path): Finding[] {
  const { params, findings } = patternFaults(rule, path)
  const known = [...FACT_NAMES, ...params]
  for (const key of ['when', 'resolve_when', 'unless'] as const)
    findings.push(...expressionFaults(rule[key], [...path, key], known))
  for (const part of ['alert', 'notify'] as const) {
    const { data = {}, ...fields } = rule[part] ?? {}
    for (const [key, value] of Object.entries(fields))
      findings.push(...templateFaults(value, [...path, part, key]))
    for (const [key, value] of Object.entries(data))
      findings.push(...templateFaults(value, [...path, part, 'data', key]))
  }
  return findings
}

function patternFaults(rule: Rule, path: Path): { params: readonly string[]; findings: Finding[] } {
  const key = rule.topic === undefined ? 'expect' : 'topic'
  const pattern = rule[key]
  if (pattern === undefined) return { params: [], findings: [] }
  const at = [...path, key]
  try {
    const params = parsePattern(pattern).flatMap((level) => (level.kind === 'literal' ? [] : [level.name]))
    const taken = params.filter((name) => FACT_NAMES.some((fact) => fact === name))
    return {
      params,
      findings: taken.map((name) => ({ path: at, message: `{${name}} already means something else` })),
    }
  } catch (error) {
    return {
      params: [],
      findings: [{ path: at, message: error instanceof Error ? error.message : String(error) }],
    }
  }
}

function expressionFaults(source: string | undefined, path: Path, known: readonly string[]): Finding[] {
  if (source === undefined) return []
  const compilation = compileExpression(source)
  if (!compilation.ok) {
    const { message, column } = compilation.fault
    return [{ path, message: `${message} (column ${column})` }]
  }
  return compilation.expression.roots
    .filter((root) => !known.includes(root))
    .map((root) => ({
      path,
      message: `there is no ${root} here; fields of the message are payload.${root}`,
      suggestion: suggest(root, known),
    }))
}

function templateFaults(source: unknown, path: Path): Finding[] {
  if (typeof source !== 'string') return []
  const compilation = compileTemplate(source, 'text')
  return compilation.ok ? [] : [{ path, message: formatTemplateFault(compilation.fault) }]
}
