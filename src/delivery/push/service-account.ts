import { createPrivateKey, type KeyObject } from 'node:crypto'

/** Who we are at Google: what the file that the Firebase console makes under "Service accounts" holds. */
export interface ServiceAccount {
  readonly projectId: string
  readonly clientEmail: string
  readonly privateKey: KeyObject
  readonly privateKeyId: string | undefined
  readonly tokenUrl: string
}

const TOKEN_URL = 'https://oauth2.googleapis.com/token'

/** Reads the JSON of a service account; a sentence that says what is wrong with it, without its content, if anything is. */
export function parseServiceAccount(text: string): ServiceAccount | string {
  const fields = fieldsOf(text)
  if (fields === null) return 'is no JSON object'
  const { project_id: projectId, client_email: clientEmail, private_key: pem } = fields
  if (typeof projectId !== 'string' || !/^[a-z0-9:.-]{1,100}$/i.test(projectId)) return 'has no project_id'
  if (typeof clientEmail !== 'string' || clientEmail === '') return 'has no client_email'
  const privateKey = typeof pem === 'string' ? keyOf(pem) : null
  if (privateKey?.asymmetricKeyType !== 'rsa') return 'has no RSA private_key'
  const { private_key_id: keyId, token_uri: tokenUri } = fields
  return {
    projectId,
    clientEmail,
    privateKey,
    privateKeyId: typeof keyId === 'string' ? keyId : undefined,
    tokenUrl: typeof tokenUri === 'string' && /^https?:\/\//.test(tokenUri) ? tokenUri : TOKEN_URL,
  }
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

function keyOf(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem)
  } catch {
    return null
  }
}
