// Makes the passwords of an installation once, as files of one folder: make-secrets.mjs <folder>. What is there is kept.
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.argv[2]
if (folder === undefined) {
  console.error('usage: make-secrets.mjs <folder>')
  process.exit(2)
}
mkdirSync(folder, { recursive: true })

function keep(name, make) {
  const path = join(folder, name)
  if (!existsSync(path)) writeFileSync(path, make(), { flag: 'wx' })
  return readFileSync(path, 'utf8')
}

const random = () => randomBytes(24).toString('base64url')
const mongo = keep('mongo-password', random)
const redis = keep('redis-password', random)
keep('mongo-url', () => `mongodb://root:${mongo}@mongo:27017/carillon?replicaSet=rs0&authSource=admin`)
keep('redis-url', () => `redis://:${redis}@redis:6379`)
keep('mongo-keyfile', () => randomBytes(512).toString('base64'))
const admin = keep('admin-password', random)
const device = keep('device-token', random)

// MongoDB refuses a key file that anybody but its own user may read.
chmodSync(join(folder, 'mongo-keyfile'), 0o400)
if (process.getuid?.() === 0) chownSync(join(folder, 'mongo-keyfile'), 999, 999)
console.log(`sign in as "admin" with ${admin}; devices connect as "device" with ${device}`)
