import { PREFIX, STREAM } from './keys.ts'
import { HEARD } from './redis-roll.ts'
import { script } from './link.ts'

/** Ids of all sessions that have something stored. */
export const SESSIONS = `${PREFIX}sessions`
export const RETAINED = `${PREFIX}retained`
export const WILLS = `${PREFIX}wills`

/**
 * Keys of one session: `:s` is its record (`home`, `principal`, `leftAt`, `at`: the place on the bus of the last message
 * that was queued), `:f` its filters, `:i` the QoS 2 publishes it has not released, and its queue: `:o` names in order,
 * `:p` packets and `:m` packet identifiers by name, `:n` names by identifier.
 */
export function sessionKey(id: string, part: 's' | 'f' | 'i' | 'o' | 'p' | 'm' | 'n'): string {
  return `${PREFIX}session:${id}:${part}`
}

const SHARED = `
local function key(id, part) return '${PREFIX}session:' .. id .. ':' .. part end
local function later(position, other)
  local at, number = string.match(position, '(%d+)-(%d+)')
  local otherAt, otherNumber = string.match(other, '(%d+)-(%d+)')
  at, number, otherAt, otherNumber = tonumber(at), tonumber(number), tonumber(otherAt), tonumber(otherNumber)
  return at > otherAt or (at == otherAt and number > otherNumber)
end`

/**
 * Makes changes of session state, all or none, in their order. ARGV: the node, then for each change its name, how many
 * arguments follow, and these. A change of a session that is at home on another node is refused (fencing): whoever was
 * paused while its sessions were taken over changes nothing any more. Answers with one reply for each change.
 */
export const CHANGE = script(`
${SHARED}
local me = ARGV[1]
local function names(id) return key(id, 'o') end
local function forget(id, name)
  local number = redis.call('HGET', key(id, 'm'), name)
  if number then
    redis.call('HDEL', key(id, 'm'), name)
    if redis.call('HGET', key(id, 'n'), number) == name then redis.call('HDEL', key(id, 'n'), number) end
  end
  redis.call('ZREM', names(id), name)
  redis.call('HDEL', key(id, 'p'), name)
end
local function identify(id, name, number)
  local old = redis.call('HGET', key(id, 'm'), name)
  if old then redis.call('HDEL', key(id, 'n'), old) end
  redis.call('HSET', key(id, 'm'), name, number)
  redis.call('HSET', key(id, 'n'), number, name)
end
local function empty(id)
  return redis.call('EXISTS', key(id, 's'), key(id, 'f')) == 0
end
local free = { retain = true, unretain = true, will = true, unwill = true }
local act = {}
function act.keep(id, principal)
  redis.call('SADD', '${SESSIONS}', id)
  redis.call('HSET', key(id, 's'), 'home', me, 'principal', principal)
  redis.call('HDEL', key(id, 's'), 'leftAt')
  return 1
end
function act.leave(id, at)
  if redis.call('EXISTS', key(id, 's')) == 0 then return 0 end
  redis.call('HSET', key(id, 's'), 'leftAt', at)
  return 1
end
function act.drop(id)
  redis.call('SREM', '${SESSIONS}', id)
  return redis.call('DEL', key(id, 's'), key(id, 'f'), key(id, 'i'), key(id, 'o'), key(id, 'p'), key(id, 'm'), key(id, 'n'))
end
function act.subscribe(id, filter, options)
  redis.call('SADD', '${SESSIONS}', id)
  return redis.call('HSET', key(id, 'f'), filter, options)
end
function act.unsubscribe(id, filter)
  local removed = redis.call('HDEL', key(id, 'f'), filter)
  if empty(id) then redis.call('SREM', '${SESSIONS}', id) end
  return removed
end
function act.unsubscribeAll(id)
  redis.call('DEL', key(id, 'f'))
  if empty(id) then redis.call('SREM', '${SESSIONS}', id) end
  return 1
end
function act.enqueue(id, name, number, position, packet)
  if redis.call('ZSCORE', names(id), name) then return 0 end
  local last = redis.call('ZREVRANGE', names(id), 0, 0, 'WITHSCORES')
  redis.call('ZADD', names(id), (tonumber(last[2]) or 0) + 1, name)
  redis.call('HSET', key(id, 'p'), name, packet)
  if number ~= '' then identify(id, name, number) end
  if position ~= '' and redis.call('EXISTS', key(id, 's')) == 1 then redis.call('HSET', key(id, 's'), 'at', position) end
  return 1
end
function act.identify(id, name, number)
  if not redis.call('ZSCORE', names(id), name) then return 0 end
  identify(id, name, number)
  return 1
end
function act.release(id, number)
  local name = redis.call('HGET', key(id, 'n'), number)
  if not name then return 0 end
  redis.call('HSET', key(id, 'p'), name, '')
  return 1
end
function act.clear(id, number)
  local name = redis.call('HGET', key(id, 'n'), number)
  if not name then return 0 end
  local packet = redis.call('HGET', key(id, 'p'), name)
  forget(id, name)
  return packet or 0
end
function act.empty(id)
  redis.call('DEL', key(id, 'o'), key(id, 'p'), key(id, 'm'), key(id, 'n'), key(id, 'i'), key(id, 'f'))
  return 1
end
function act.take(id, number, packet) return redis.call('HSET', key(id, 'i'), number, packet) end
function act.untake(id, number) return redis.call('HDEL', key(id, 'i'), number) end
function act.untakeAll(id) return redis.call('DEL', key(id, 'i')) end
function act.retain(field, position, packet)
  local before = redis.call('HGET', '${RETAINED}:at', field)
  if before and position ~= '' and not later(position, before) then return 0 end
  if position ~= '' then redis.call('HSET', '${RETAINED}:at', field, position) end
  return redis.call('HSET', '${RETAINED}', field, packet)
end
function act.unretain(field, position)
  local before = redis.call('HGET', '${RETAINED}:at', field)
  if before and position ~= '' and not later(position, before) then return 0 end
  if position ~= '' then redis.call('HSET', '${RETAINED}:at', field, position)
  else redis.call('HDEL', '${RETAINED}:at', field) end
  return redis.call('HDEL', '${RETAINED}', field)
end
function act.will(id, broker, packet)
  redis.call('HSET', '${WILLS}:of', id, broker)
  return redis.call('HSET', '${WILLS}', id, packet)
end
-- Only its own: the connection that took over has put another one in its place.
function act.unwill(id, broker)
  if redis.call('HGET', '${WILLS}:of', id) ~= broker then return 0 end
  local packet = redis.call('HGET', '${WILLS}', id)
  redis.call('HDEL', '${WILLS}:of', id)
  redis.call('HDEL', '${WILLS}', id)
  return packet or 0
end

local replies, index = {}, 2
while index <= #ARGV do
  local name, count = ARGV[index], tonumber(ARGV[index + 1])
  local home = not free[name] and redis.call('HGET', key(ARGV[index + 2], 's'), 'home')
  if home and home ~= me then replies[#replies + 1] = -1
  else replies[#replies + 1] = act[name](unpack(ARGV, index + 2, index + 1 + count)) end
  index = index + 2 + count
end
return replies
`)

/**
 * Brings a session home to a node, and says so on the bus in the same step: every node stops serving it there, and this
 * one goes on from there. With a node to take it from, nothing happens when it is at home elsewhere by now. ARGV:
 * session, node, from. Answers with the place of that message, up to where on the bus everything for the session is
 * stored with it, which is kept until more is, and with its record; or with nothing.
 */
export const TAKE_HOME = script(`
${SHARED}
local id, me, from = ARGV[1], ARGV[2], ARGV[3]
local home = redis.call('HGET', key(id, 's'), 'home')
if from ~= '' and home ~= from then return false end
local at = redis.call('HGET', key(id, 's'), 'at') or ''
local heard = home and home ~= me and redis.call('HGET', '${HEARD}', home) or ''
if heard ~= '' and (at == '' or later(heard, at)) then at = heard end
if home and at ~= '' then redis.call('HSET', key(id, 's'), 'at', at) end
if home then redis.call('HSET', key(id, 's'), 'home', me) end
if from == '' and redis.call('HEXISTS', '${WILLS}:of', id) == 1 then redis.call('HSET', '${WILLS}:of', id, me) end
local place = redis.call('XADD', '${STREAM}', '*', 'n', me, 'k', 'take', 'b', cjson.encode({ id = id, from = from }))
return { place, at,
  redis.call('HGET', key(id, 's'), 'principal') or '', redis.call('HGET', key(id, 's'), 'leftAt') or '' }
`)

/** Gives the wills of a node that is gone to another one. ARGV: gone, node. Answers with the sessions and the wills in turn. */
export const TAKE_WILLS = script(`
local gone, me = ARGV[1], ARGV[2]
local all, taken = redis.call('HGETALL', '${WILLS}:of'), {}
for index = 1, #all, 2 do
  if all[index + 1] == gone then
    redis.call('HSET', '${WILLS}:of', all[index], me)
    taken[#taken + 1] = all[index]
    taken[#taken + 1] = redis.call('HGET', '${WILLS}', all[index]) or ''
  end
end
return taken
`)
