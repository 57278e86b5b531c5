import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { fault } from '../errors.ts'
import { sameSecret } from './tokens.ts'

/** Security row 2: N = 2^15, r = 8, p = 1 needs 32 MB and some 80 ms of one core. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 } as const
const SALT_BYTES = 16
const KEY_BYTES = 32
/** Longer ones are refused before they cost anything. */
const LONGEST_PASSWORD = 1024

const AT_ONCE = 2
/** Beyond this many waiting, log-ins are refused: some eight seconds of work. */
const MOST_WAITING = 200

const FORM = /^scrypt\$([A-Za-z0-9+/]{22})==\$([A-Za-z0-9+/]{43})=$/
const DUMMY_SALT = randomBytes(SALT_BYTES)

let running = 0
const waiting: (() => void)[] = []

/** `scrypt$salt$key` for the configuration file: what `carillon users hash` prints. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(password, salt)
  return `scrypt$${salt.toString('base64')}$${key.toString('base64')}`
}

/**
 * Whether the password is the stored one, which is plain or `scrypt$…`. Every no costs exactly one derivation,
 * whether the person is unknown (`stored` undefined), the stored value is damaged or the password is wrong, so that
 * the time of an answer tells no one which it was. Throws `auth.too_many_attempts` when too many wait.
 */
export async function verifyPassword(stored: string | undefined, given: string): Promise<boolean> {
  if (given.length > LONGEST_PASSWORD) return false
  if (stored !== undefined && !stored.startsWith('scrypt$')) {
    if (stored !== '' && sameSecret(stored, given)) return true
    await derive(given, DUMMY_SALT)
    return false
  }
  const [, salt, key] = FORM.exec(stored ?? '') ?? []
  if (salt === undefined || key === undefined) {
    await derive(given, DUMMY_SALT)
    return false
  }
  return timingSafeEqual(await derive(given, Buffer.from(salt, 'base64')), Buffer.from(key, 'base64'))
}

async function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  if (running >= AT_ONCE) {
    if (waiting.length >= MOST_WAITING) throw fault('auth.too_many_attempts')
    await new Promise<void>((resolve) => waiting.push(resolve))
  } else {
    running += 1
  }
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      scrypt(password, salt, KEY_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)))
    })
  } finally {
    // The slot passes to the next in line, or is given back.
    const next = waiting.shift()
    if (next) next()
    else running -= 1
  }
}
