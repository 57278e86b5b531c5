import { checkAmbiguity } from './ambiguity.ts'
import { checkCanary } from './canary.ts'
import { checkEscalation } from './escalation.ts'
import { checkAddresses, checkCustomerPhones, checkLocales, checkSender } from './contacts.ts'
import { checkDigests } from './digests.ts'
import { checkEmptyCredentials, checkExposure, checkGuessable, checkJwtSecret } from './exposure.ts'
import { checkFilter } from './filter.ts'
import { checkGrants } from './grants.ts'
import {
  checkAnonymous,
  checkIds,
  checkTenantAdmins,
  checkTenants,
  checkUniqueIds,
  checkUniqueTokens,
} from './identities.ts'
import { checkNotificationTypes } from './notification-types.ts'
import { checkAvailability, checkMailServer, checkNetworks, checkOrigins, checkPorts } from './server.ts'
import { checkStorage } from './storage.ts'
import { checkCountries, checkSmsProviders, checkVoiceProvider } from './telephony.ts'
import { checkDevices, checkFirebase, checkVapid, checkWebPushAllowance } from './push.ts'
import { checkNoise } from './noise.ts'
import { checkMqttTopics } from './mqtt-topics.ts'
import {
  checkAllowances,
  checkFollowedCalendars,
  checkPing,
  checkTelegram,
  checkTelegramChats,
  checkWebhookFormats,
  checkWebhooks,
} from './outgoing.ts'
import { checkHeartbeats, checkRules } from './rules.ts'
import { checkAnnouncements, checkCalendars, checkOverrides, checkRotations } from './schedules.ts'
import { checkScheduledUsers, checkTargets, checkTimeZones } from './teams.ts'
import { checkTemplateLocales, checkTemplates } from './templates.ts'
import type { StartMode } from './exposure.ts'
import type { Finding } from '../fault.ts'
import type { Config } from '../schema/schema.ts'

/** Everything that the schema alone cannot say, one rule each. */
const CHECKS: readonly ((config: Config, mode: StartMode) => Finding[])[] = [
  checkIds,
  checkUniqueIds,
  checkUniqueTokens,
  checkTenants,
  checkTenantAdmins,
  checkAnonymous,
  checkAddresses,
  checkCustomerPhones,
  checkLocales,
  checkSender,
  checkGrants,
  checkFilter,
  checkScheduledUsers,
  checkTargets,
  checkEscalation,
  checkTimeZones,
  checkRotations,
  checkOverrides,
  checkCalendars,
  checkAnnouncements,
  checkPorts,
  checkNetworks,
  checkOrigins,
  checkMailServer,
  checkSmsProviders,
  checkVoiceProvider,
  checkCountries,
  checkAmbiguity,
  checkAllowances,
  checkFollowedCalendars,
  checkPing,
  checkCanary,
  checkWebhooks,
  checkWebhookFormats,
  checkTelegram,
  checkTelegramChats,
  checkFirebase,
  checkVapid,
  checkWebPushAllowance,
  checkDevices,
  checkTemplates,
  checkTemplateLocales,
  checkRules,
  checkHeartbeats,
  checkNotificationTypes,
  checkDigests,
  checkMqttTopics,
  checkNoise,
  checkAvailability,
  checkStorage,
  checkJwtSecret,
  checkEmptyCredentials,
  checkGuessable,
  checkExposure,
]

/** What is wrong with a configuration of the right shape; empty when nothing is. */
export function checkConfig(config: Config, mode: StartMode): Finding[] {
  return CHECKS.flatMap((check) => check(config, mode))
}
