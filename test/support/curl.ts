import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

/** Whether there is a curl to ask with. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0

export interface CurlRequest {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Seconds after which an answer without end is cut off. */
  readonly seconds?: number
}

export interface CurlAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/** One request with the curl of this machine. An answer that was cut off is given as far as it came. */
export async function curl({
  method,
  url,
  headers = {},
  body,
  seconds = 30,
}: CurlRequest): Promise<CurlAnswer> {
  const said = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const data = body === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', body]
  const child = spawn('curl', ['-sS', '-i', '-N', '-m', String(seconds), '-X', method, ...said, ...data, url])
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  // 28: the time was up.
  if (code !== 0 && code !== 28) throw new Error(`curl ${method} ${url}: ${errors}`)
  const [head = '', ...rest] = output.split('\r\n\r\n')
  const [line = '', ...fields] = head.split('\r\n')
  return {
    status: Number(line.split(' ')[1]),
    headers: Object.fromEntries(
      fields.map((field) => {
        const at = field.indexOf(':')
        return [field.slice(0, at).toLowerCase(), field.slice(at + 1).trim()]
      }),
    ),
    text: rest.join('\r\n\r\n'),
  }
}
