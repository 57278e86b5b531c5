import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { routes } from '#application'
import { envExample } from '../config/shown/env-example.ts'
import { settingsTable } from '../config/shown/settings-table.ts'
import { ERRORS } from '../errors.ts'
import type { Route } from '../router/router.ts'

/** Writes the generated tables of README.md, and `.env.example`; with `--check` only says what is out of date. */
const files: readonly { readonly name: string; readonly text: (before: string) => string }[] = [
  {
    name: 'README.md',
    text: (before) =>
      Object.entries({
        topics: topicsTable(routes().routes),
        settings: settingsTable(),
        errors: errorsTable(),
      }).reduce((text, [name, table]) => fill(text, name, table), before),
  },
  { name: '.env.example', text: envExample },
]
for (const { name, text } of files) {
  const file = new URL(`../../../${name}`, import.meta.url)
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const after = text(before)
  if (before === after) continue
  if (process.argv.includes('--check')) {
    process.stderr.write(`${name} is out of date: npm run docs\n`)
    process.exitCode = 1
  } else writeFileSync(file, after)
}

function fill(text: string, name: string, table: string): string {
  const section = new RegExp(`(<!-- generated: ${name} -->\n)[^]*?(<!-- /generated -->)`)
  if (!section.test(text)) throw new Error(`README.md has no section for ${name}`)
  // A function, because a table may hold `$`.
  return text.replace(section, (_, open: string, close: string) => `${open}${table.trimEnd()}\n${close}`)
}

function topicsTable(all: readonly Route[]): string {
  const first = all.filter((route) => route.aliasOf === null)
  const rows = first.map((route) => {
    const also = all.filter((other) => other.aliasOf === route.pattern).map((other) => `\`${other.pattern}\``)
    return [
      [`\`${route.pattern}\``, ...also].join('<br>'),
      String(route.qos),
      required(route),
      route.summary ?? '',
    ]
  })
  return markdown(['publish to', 'QoS', 'required', 'effect'], rows)
}

function required(route: Route): string {
  const names = (route.body as { required?: readonly string[] } | null)?.required ?? []
  return names.map((name) => `\`${name}\``).join(', ')
}

function errorsTable(): string {
  return markdown(
    ['code', 'HTTP', 'what happened', 'what to do'],
    Object.entries(ERRORS).map(([code, { http, what, mend }]) => [`\`${code}\``, String(http), what, mend]),
  )
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
