import type { Finding, Path } from '../fault.ts'
import type { Config } from '../schema/schema.ts'
import { suggest } from '../suggest.ts'

const FIELDS = ['type', 'source', 'severity', 'team']
const LEVEL = /^(\{[A-Za-z_][A-Za-z0-9_]*\}|\+|[^{}+#]+)$/

/** A rule says what it is about, compares fields that exist, and names places of the topic tree as patterns. */
export function checkNoise({ inhibit, inhibit_tree: trees, grouping }: Config): Finding[] {
  return [
    ...inhibit.flatMap((rule, index) => [
      ...(['source', 'target'] as const)
        .filter((end) => Object.keys(rule[end]).length === 0)
        .map((end) => ({
          path: ['inhibit', index, end],
          message: `name at least one of ${FIELDS.join(', ')}`,
        })),
      ...fieldFaults(rule.equal, ['inhibit', index, 'equal']),
    ]),
    ...trees.flatMap((tree, index) => [
      ...patternFaults(tree.pattern, ['inhibit_tree', index, 'pattern'], false),
      ...patternFaults(tree.children, ['inhibit_tree', index, 'children'], true),
    ]),
    ...grouping.flatMap((rule, index) => fieldFaults(rule.group_by, ['grouping', index, 'group_by'])),
  ]
}

function fieldFaults(fields: readonly string[], path: Path): Finding[] {
  return fields.flatMap((field, position) =>
    FIELDS.includes(field) || /^data\../.test(field)
      ? []
      : [
          {
            path: [...path, position],
            message: `unknown field "${field}"; expected ${FIELDS.join(', ')} or data.<name>`,
            suggestion: suggest(field, FIELDS),
          },
        ],
  )
}

function patternFaults(pattern: string, path: Path, rest: boolean): Finding[] {
  const levels = pattern.split('/')
  const named = rest && levels.at(-1) === '#' ? levels.slice(0, -1) : levels
  if (named.every((level) => LEVEL.test(level))) return []
  const last = rest ? ', and # as the last level for all that follow' : ''
  return [{ path, message: `"${pattern}" is no pattern: write {name} or + for one level${last}` }]
}
