import { PLAIN_VARIABLES } from '../reading/overrides.ts'
import { settings, type Setting } from './settings-table.ts'

/**
 * `.env.example`: every variable that sets something, with its default, commented out (checklist N03). What lies in
 * maps, such as people, is better kept in the file.
 */
export function envExample(): string {
  const known = settings().filter(({ key, type }) => !/[<[]/.test(key) && type !== 'map')
  const plain = PLAIN_VARIABLES.map(({ variable, path }) => {
    const setting = known.find(({ key }) => key === path.join('.'))
    return entry(variable, setting ? valueOf(setting) : '', setting?.description ?? '')
  })
  const nested = known.map((setting) =>
    entry(
      `CARILLON__${setting.key.replaceAll('.', '__').toUpperCase()}`,
      valueOf(setting),
      setting.description,
    ),
  )
  return [
    '# Copy this to .env and take the # from what you want to change: docker compose reads it, and so does',
    '# `node --env-file=.env dist/src/main.js start`. Written by `npm run docs`.',
    '',
    entry('CARILLON_CONFIG', './carillon.yaml', 'The configuration file'),
    ...plain,
    '# Everything else, by its path in the configuration file:',
    '',
    ...nested,
  ].join('\n')
}

/** The default without the marks of JSON that the table writes it with. */
function valueOf({ type, fallback }: Setting): string {
  if (fallback === null) return ''
  return type === 'text' ? String(JSON.parse(`"${fallback}"`)) : fallback
}

function entry(variable: string, value: string, description: string): string {
  // A # or a blank would end the value, a quote begin one.
  const quoted = /[\s#"'\\]/.test(value) ? `'${value}'` : value
  return `# ${description}\n# ${variable}=${value.includes("'") ? '' : quoted}\n`
}
