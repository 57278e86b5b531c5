import type { mongo } from 'mongoose'

/**
 * Deletes at most `limit` documents that fit, the first in the order of an index; answers with how many. What has changed
 * since it was found stays.
 */
export async function pruned<Document extends { readonly _id: string }>(
  collection: mongo.Collection<Document>,
  filter: mongo.Filter<Document>,
  { sort, limit }: { readonly sort: mongo.Sort; readonly limit: number },
): Promise<number> {
  const found = await collection
    .find(filter, { projection: { _id: 1 } })
    .sort(sort)
    .limit(limit)
    .toArray()
  if (found.length === 0) return 0
  const { deletedCount } = await collection.deleteMany({
    ...filter,
    _id: { $in: found.map(({ _id }) => _id) },
  })
  return deletedCount
}
