import { readFileSync } from 'node:fs'
import type { Program } from '../support/program.ts'
import { publishPacket, RawMqtt } from './raw-mqtt.ts'

/** Resident memory of a process in KB; null where the system does not tell. */
export function residentKb(pid: number): number | null {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN)
  } catch {
    return null
  }
}

/** Whether a well-behaved client gets its publish acknowledged. The token is `device-token`, the topic anna's. */
export async function servesTheGood(program: Program): Promise<boolean> {
  const good = await RawMqtt.open(program.mqttPort)
  const code = await good.connect({
    clientId: `good-${performance.now()}`,
    username: 'device',
    password: 'device-token',
  })
  good.send(publishPacket('notifications/realtime/user/anna', '{"message":"still here"}', 1))
  const acknowledged = code === 0 && (await good.next(4)) !== null
  good.end()
  return acknowledged
}

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** One HTTP request with JSON, as a token's owner. */
export async function call(
  program: Program,
  token: string | null,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`${program.url}${path}`, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

export async function login(program: Program, user: string, password = `${user}-password`): Promise<string> {
  const { text } = await call(program, null, 'POST', '/v1/login', { user, password })
  return (JSON.parse(text) as { token: string }).token
}

/** Topic and payload of the PUBLISH packets that have come. */
export function published(client: RawMqtt): { readonly topic: string; readonly payload: string }[] {
  return client.packets
    .filter((each) => (each[0] ?? 0) >> 4 === 3)
    .map((each) => {
      let at = 1
      while ((each[at] ?? 0) >= 0x80) at++
      const length = each.readUInt16BE(at + 1)
      const qos = ((each[0] ?? 0) >> 1) & 3
      const topicEnd = at + 3 + length
      return {
        topic: each.subarray(at + 3, topicEnd).toString(),
        payload: each.subarray(topicEnd + (qos > 0 ? 2 : 0)).toString(),
      }
    })
}
