/**
 * Lets the driver of MongoDB speak to the server of the tests, which may be older than what the driver supports. Only
 * where no newer server is there; to be loaded before mongoose, in a program of its own by `node --require`.
 */
const { createRequire } = require('node:module') as typeof import('node:module')

const driver = createRequire(require.resolve('mongoose'))
const constants = driver('mongodb/lib/cmap/wire_protocol/constants.js') as {
  MIN_SUPPORTED_WIRE_VERSION: number
}
// What mongod 3.6 says of itself.
constants.MIN_SUPPORTED_WIRE_VERSION = 6
