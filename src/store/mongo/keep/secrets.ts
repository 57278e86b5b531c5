import { randomBytes } from 'node:crypto'
import type { mongo } from 'mongoose'
import { isDuplicate } from '../connection/store-error.ts'
import type { KeepCollections } from './collections.ts'

/** Made by whichever node asks first. */
export function createSecrets({ secrets }: Pick<KeepCollections, 'secrets'>) {
  const find = async (name: string) => {
    const found = await secrets.findOne({ _id: name })
    return found && Uint8Array.from(found.value.buffer)
  }
  return async (name: string): Promise<Uint8Array> => {
    const known = await find(name)
    if (known) return known
    const made = randomBytes(32)
    try {
      // The driver keeps bytes as its own kind of them.
      await secrets.insertOne({ _id: name, value: made as unknown as mongo.Binary })
      return Uint8Array.from(made)
    } catch (error) {
      const others = isDuplicate(error) ? await find(name) : null
      if (others) return others
      throw error
    }
  }
}
