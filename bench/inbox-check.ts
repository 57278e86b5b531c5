import type { Carillon } from './contenders/carillon.ts'

export interface InboxCheck {
  readonly lost: number
  readonly doubled: number
}

const PAGE = 1000

/**
 * Reads the inbox of one person through the HTTP API and compares it with what was acknowledged: the sequence numbers
 * from `first`, `count` of them.
 */
export async function checkInbox(
  server: Carillon,
  user: string,
  expected: { readonly first: number; readonly count: number },
): Promise<InboxCheck> {
  const token = await signIn(server, user)
  const seen = new Set<number>()
  let doubled = 0
  for (let offset = 0; ; offset += PAGE) {
    const { notifications } = await get<Page>(
      server,
      `/v1/notifications?limit=${PAGE}&offset=${offset}`,
      token,
    )
    for (const { data } of notifications) {
      const sequence = Number(data?.sequence)
      if (seen.has(sequence)) doubled++
      seen.add(sequence)
    }
    if (notifications.length < PAGE) break
  }
  let lost = 0
  for (let index = 0; index < expected.count; index++) if (!seen.has(expected.first + index)) lost++
  return { lost, doubled }
}

interface Page {
  readonly notifications: readonly { readonly data?: { readonly sequence?: string } }[]
}

async function signIn(server: Carillon, user: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user, password: server.password }),
  })
  if (!response.ok) throw new Error(`the login of ${user} was answered with ${response.status}`)
  // The API's own answer, as its document describes it.
  return ((await response.json()) as { readonly token: string }).token
}

async function get<T>(server: Carillon, path: string, token: string): Promise<T> {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
  if (!response.ok) throw new Error(`GET ${path} was answered with ${response.status}`)
  return (await response.json()) as T
}
