import type { Command } from 'commander'
import { print, type VerbOptions } from './alerts.ts'
import { createApi, field, itemsOf } from './api.ts'
import { connected, type Finish } from './command-options.ts'
import { findConnection } from './connection.ts'
import { eachInTurn } from './each-in-turn.ts'
import { printable, table, type Terminal } from './terminal.ts'

/** `carillon deadletters ls|show|replay|rm`. */
export function addDeadLetters(program: Command, terminal: Terminal, finish: Finish): void {
  const letters = program
    .command('deadletters')
    .alias('dead-letters')
    .description('Show publishes that could not be taken, and present them again')
  connected(letters.command('ls').description('List dead letters, newest first'))
    .option('--limit <count>', 'at most so many')
    .option('--cursor <cursor>', 'the next page: what the last one gave')
    .action((options: LetterListOptions) => finish(listLetters(options, terminal)))
  connected(letters.command('show <id>').description('Show one, with its payload')).action(
    (id: string, options: VerbOptions) => finish(showLetter(id, options, terminal)),
  )
  connected(
    letters.command('replay <ids...>').description('Present them again; each is removed when that succeeds'),
  ).action((ids: string[], options: VerbOptions) => finish(replayLetters(ids, options, terminal)))
  connected(letters.command('rm <ids...>').description('Throw them away')).action(
    (ids: string[], options: VerbOptions) => finish(removeLetters(ids, options, terminal)),
  )
}

interface LetterListOptions extends VerbOptions {
  readonly limit?: string
  readonly cursor?: string
}

async function listLetters(options: LetterListOptions, terminal: Terminal): Promise<number> {
  const { limit, cursor } = options
  const api = createApi(findConnection(options, terminal), terminal)
  const answer = await api.get('/v1/dead-letters', { limit, cursor })
  if (options.json === true) return print(terminal, answer)
  const rows = itemsOf(answer).map((letter) =>
    ['id', 'created_at', 'principal', 'topic', 'code', 'reason'].map((key) => field(letter, key)),
  )
  terminal.write(table(['ID', 'AT', 'FROM', 'TOPIC', 'CODE', 'REASON'], rows))
  const next = field(answer, 'next_cursor')
  if (next !== '') terminal.write(`more: --cursor ${printable(next)}\n`)
  return 0
}

async function showLetter(id: string, options: VerbOptions, terminal: Terminal): Promise<number> {
  const api = createApi(findConnection(options, terminal), terminal)
  const letter = await api.get(pathOf(id))
  if (options.json === true) return print(terminal, letter)
  for (const key of ['id', 'created_at', 'principal', 'topic', 'code', 'reason'])
    terminal.write(`${key.padEnd(10)} ${printable(field(letter, key))}\n`)
  terminal.write(`\n${field(letter, 'payload').split('\n').map(printable).join('\n')}\n`)
  return 0
}

/** In turn; the first that is refused again ends it, and stays. */
async function replayLetters(
  ids: readonly string[],
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  return eachInTurn(ids, { options, terminal }, async (api, id) => {
    const answer = await api.post(`${pathOf(id)}/replay`, {})
    return { answer, said: `${id}  taken as ${field(answer, 'id')}` }
  })
}

async function removeLetters(
  ids: readonly string[],
  options: VerbOptions,
  terminal: Terminal,
): Promise<number> {
  return eachInTurn(ids, { options, terminal }, async (api, id) => {
    await api.delete(pathOf(id))
    return { answer: { id }, said: `${id}  removed` }
  })
}

const pathOf = (id: string) => `/v1/dead-letters/${encodeURIComponent(id)}`
